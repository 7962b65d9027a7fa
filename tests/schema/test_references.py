"""What a shard's validity depends on, and the verdicts on slices of modules made to be hard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY
from nesrv.datastore.validate import Validator
from nesrv.errors import RpcError
from nesrv.schema.modules import module_set
from nesrv.schema.schema import Schema, load

DATA = Path(__file__).parents[1] / "data"
NC = 'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"'


@pytest.fixture(scope="module")
def model() -> Schema:
    return load(module_set([], with_model=True))


@pytest.fixture(scope="module")
def kinds() -> Schema:
    return load(module_set([DATA / "yang"], with_model=False))


def edges(schema: Schema) -> set[tuple[str, str, str, str | None]]:
    return {
        (edge.leaf.path, edge.target.path, edge.wanted.name, edge.chooser)
        for found in schema.references.edges.values()
        for edge in found
    }


def test_edges_of_the_test_modules(kinds: Schema) -> None:
    assert {edge for edge in edges(kinds) if edge[0].startswith("/kinds:")} == {
        ("/kinds:top/chosen", "/kinds:top/item", "name", None),
        ("/kinds:top/item/friend", "/kinds:top/item", "name", None),
        ("/kinds:top/user/item", "/kinds:top/item", "name", None),
        ("/kinds:top/user/port", "/kinds:top/item", "id", "../item"),
    }


def test_modules_with_a_top_level_node_of_one_name(kinds: Schema) -> None:
    """Both kinds and users have a container top."""
    assert {point.path for point in kinds.points} >= {"/kinds:top/item", "/users:top/users/user"}
    assert ("/kinds:top/user/item", "/kinds:top/item", "name", None) in edges(kinds)


def test_nothing_of_our_own_model_needs_the_whole(model: Schema) -> None:
    known = model.references
    assert (known.escaping, known.leaned_on, known.always) == (frozenset(), frozenset(), False)


def test_edges_of_our_own_model(model: Schema) -> None:
    instance = "/openconfig-network-instance:network-instances/network-instance"
    interface = "/openconfig-interfaces:interfaces/interface"
    assert (f"{instance}/interfaces/interface/config/interface", interface, "name", None) in edges(model)
    policy = "/openconfig-routing-policy:routing-policy"
    definition, prefixes = (
        f"{policy}/policy-definitions/policy-definition",
        f"{policy}/defined-sets/prefix-sets/prefix-set",
    )
    match = f"{definition}/statements/statement/conditions/match-prefix-set/config/prefix-set"
    assert (match, prefixes, "name", None) in edges(model)
    assert {target for _, target, _, _ in edges(model)} >= {instance, interface, prefixes}
    assert {point.path for point in model.points} >= {instance, interface}


def test_every_leafref_of_our_own_model_is_accounted_for(model: Schema) -> None:
    """Across shards by an edge, or within its own."""
    known = {path for path, _, _, _ in edges(model)}
    for top in model.data.values():
        for node in top.walk():
            if node.leafref is not None and node.config and node.path not in known:
                assert node.leafref.startswith("../"), node.path


# Modules of one container each: what has to be looked at, and that slice and whole agree


def verdict(check: Callable[..., None], *arguments: object) -> str | None:
    """The path of what was refused."""
    try:
        check(*arguments)
    except RpcError as error:
        return error.path
    return None


class Hard:
    """A module, and running as it becomes by commits whose slices are held against the whole."""

    def __init__(self, folder: Path, body: str) -> None:
        text = f'module hard {{ yang-version 1.1; namespace "urn:hard"; prefix h; {body} }}'
        (folder / "hard.yang").write_text(text)
        self.schema = load(module_set([folder], with_model=False))
        self.shards = Shards(self.schema)
        self._editor = Editor(self.shards)
        self._validator = Validator(self.shards)
        self.running = EMPTY

    def commit(self, inner: str) -> str | None:
        """None, or why it was refused."""
        config = etree.fromstring(f'<config xmlns="urn:hard" {NC}>{inner}</config>')
        candidate = self._editor.edit(self.running, config)
        changes = self.running.changes_to(candidate)
        found = verdict(self._validator.validate, candidate, changes)
        assert found == verdict(self._validator.validate_whole, candidate)
        if found is None:
            self._validator.adopt(changes)
            self.running = candidate
        return found


NAMED = "key name; leaf name { type string; }"


def entry(name: str, more: str = "") -> str:
    return f"<e><name>{name}</name>{more}</e>"


def test_entries_that_lean_on_a_leaf_beside_them(tmp_path: Path) -> None:
    hard = Hard(
        tmp_path,
        "container c { leaf main { type string; } leaf-list site { type string; } list z { ordered-by user; "
        + NAMED
        + "} list e {"
        + NAMED
        + """ leaf near { type leafref { path "../../main"; } } leaf at { type leafref { path "/h:c/h:site"; } }
        leaf zone { type leafref { path "../../z/name"; } } } }""",
    )
    start = "<main>m</main><site>s</site><z><name>z</name></z>" + entry("x", "<near>m</near><at>s</at><zone>z</zone>")
    assert hard.commit(f"<c>{start}</c>") is None
    assert hard.commit("<c><main>other</main></c>") == "/hard:c/e[name='x']/near"
    assert hard.commit('<c><site nc:operation="delete">s</site></c>') == "/hard:c/e[name='x']/at"
    assert hard.commit('<c><z nc:operation="delete"><name>z</name></z></c>') == "/hard:c/e[name='x']/zone"
    assert hard.commit(f"<c>{entry('y', '<near>m</near><at>s</at><zone>z</zone>')}</c>") is None
    assert hard.commit(f"<c>{entry('y', '<near>n</near>')}</c>") == "/hard:c/e[name='y']/near"


def test_the_original_of_a_key_names_an_entry_as_the_key_does(tmp_path: Path) -> None:
    key = 'key name; leaf name { type leafref { path "../config/name"; } }'
    config = "container config { leaf name { type string; } }"
    near = 'leaf near { type leafref { path "../../z/config/name"; } }'
    hard = Hard(tmp_path, f"container c {{ list z {{ {key} {config} }} list e {{ {NAMED} {near} }} }}")
    assert hard.schema.references.escaping == frozenset()
    first, second = (f"<z><name>{name}</name><config><name>{name}</name></config></z>" for name in "ab")
    assert hard.commit(f"<c>{first}{second}{entry('x', '<near>a</near>')}</c>") is None
    assert hard.commit('<c><z nc:operation="delete"><name>a</name></z></c>') == "/hard:c/e[name='x']/near"
    assert hard.commit('<c><z nc:operation="delete"><name>b</name></z></c>') is None
    assert hard.commit(f"<c>{entry('y', '<near>b</near>')}</c>") == "/hard:c/e[name='y']/near"


def test_a_rest_of_another_container_is_looked_at(tmp_path: Path) -> None:
    solo = 'container solo { leaf at { type leafref { path "/h:plain/h:site"; } } }'
    near = 'leaf at { type leafref { path "/h:plain/h:site"; } }'
    hard = Hard(
        tmp_path,
        f"container plain {{ leaf site {{ type string; }} }} {solo} container c {{ list e {{ {NAMED} {near} }} }}",
    )
    assert hard.commit("<plain><site>s</site></plain>") is None
    assert hard.commit(f"<c>{entry('a', '<at>s</at>')}</c>") is None
    assert hard.commit("<solo><at>s</at></solo>") is None
    assert hard.commit("<plain><site>t</site></plain>") is not None


def test_a_count_over_entries_in_the_container_above(tmp_path: Path) -> None:
    hard = Hard(tmp_path, f'container c {{ must "count(e) < 3"; list e {{ {NAMED} }} }}')
    assert [hard.commit(f"<c>{entry(name)}</c>") for name in "abc"] == [None, None, "/hard:c"]
    assert hard.commit(f"<c><e nc:operation='delete'><name>a</name></e>{entry('c')}</c>") is None


def test_a_count_over_entries_in_a_leaf_that_is_there_by_default(tmp_path: Path) -> None:
    leaf = 'leaf width { type uint8; default 2; must "count(../e) <= ."; }'
    hard = Hard(tmp_path, f"container c {{ {leaf} list e {{ {NAMED} }} }}")
    assert [hard.commit(f"<c>{entry(name)}</c>") for name in "abc"] == [None, None, "/hard:c/width"]
    assert hard.commit(f"<c><width>5</width>{entry('c')}</c>") is None


def test_a_default_elsewhere_that_looks_at_entries(tmp_path: Path) -> None:
    leaf = "leaf watts { type uint8; default 60; must \"not(/h:c/h:e) or /h:c/h:e[h:name = 'x']\"; }"
    hard = Hard(tmp_path, f"container lamp {{ {leaf} }} container c {{ list e {{ {NAMED} }} }}")
    assert hard.schema.references.always
    assert hard.commit(f"<c>{entry('a')}</c>") == "/hard:lamp/watts"
    assert hard.commit(f"<c>{entry('x')}</c>") is None
    assert hard.commit(f"<c>{entry('a')}</c>") is None
    assert hard.commit("<c><e nc:operation='delete'><name>x</name></e></c>") == "/hard:lamp/watts"


def test_a_leafref_inside_a_union(tmp_path: Path) -> None:
    union = 'leaf other { type union { type leafref { path "../../e/name"; } type uint8; } }'
    hard = Hard(tmp_path, f"container c {{ list e {{ {NAMED} {union} }} }}")
    assert hard.commit(f"<c>{entry('a')}{entry('b', '<other>a</other>')}{entry('c', '<other>7</other>')}</c>") is None
    assert hard.commit("<c><e nc:operation='delete'><name>a</name></e></c>") == "/hard:c/e[name='b']/other"
    assert hard.commit(f"<c>{entry('d', '<other>a</other>')}</c>") is None


def test_a_choice_of_entry_by_a_leaf_outside_of_entries(tmp_path: Path) -> None:
    port = 'leaf port { type leafref { path "../e[name = current()/../host]/id"; } }'
    hard = Hard(
        tmp_path, f"container c {{ leaf host {{ type string; }} {port} list e {{ {NAMED} leaf id {{ type int8; }} }} }}"
    )
    assert (
        hard.commit(f"<c><host>a</host><port>1</port>{entry('a', '<id>1</id>')}{entry('b', '<id>2</id>')}</c>") is None
    )
    assert hard.commit(f"<c>{entry('a', '<id>3</id>')}</c>") == "/hard:c/port"
    assert hard.commit("<c><host>b</host></c>") == "/hard:c/port"
    assert hard.commit("<c><host>b</host><port>2</port></c>") is None


def test_a_container_with_presence_above_entries_is_remembered(tmp_path: Path) -> None:
    hard = Hard(tmp_path, f'container c {{ presence "p"; list e {{ {NAMED} }} }}')
    shown = hard.shards.document
    assert hard.commit("<c/>") is None
    assert shown(hard.running.shards()) == b'<c xmlns="urn:hard"/>'
    assert hard.commit(f"<c>{entry('a')}</c>") is None
    assert hard.commit("<c><e nc:operation='delete'><name>a</name></e></c>") is None
    assert shown(hard.running.shards()) == b'<c xmlns="urn:hard"/>'


@pytest.mark.parametrize("constraint", ["min-elements 2;", "max-elements 2;", "unique other;"])
def test_limits_of_a_list_of_shards(tmp_path: Path, constraint: str) -> None:
    hard = Hard(
        tmp_path, f'container c {{ presence "p"; }} list e {{ {NAMED} {constraint} leaf other {{ type string; }} }}'
    )
    hard.commit(entry("a", "<other>1</other>") + entry("b", "<other>2</other>"))
    hard.commit(entry("c", "<other>2</other>"))
    hard.commit(entry("d", "<other>3</other>"))
    for name in "abcd":
        hard.commit(f"<e nc:operation='remove'><name>{name}</name></e>")


def test_an_instance_identifier_may_mean_anything(tmp_path: Path) -> None:
    hard = Hard(tmp_path, f"container c {{ list e {{ {NAMED} leaf to {{ type instance-identifier; }} }} }}")
    to = "<to xmlns:h='urn:hard'>/h:c/h:e[h:name='a']</to>"
    assert hard.commit(f"<c>{entry('a')}{entry('b', to)}</c>") is None
    assert hard.commit("<c><e nc:operation='delete'><name>a</name></e></c>") == "/hard:c/e[name='b']/to"
