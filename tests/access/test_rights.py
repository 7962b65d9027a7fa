"""Random rules over random trees, held against the RFC read node by node (RFC 8341, section 3.4.5)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from nesrv.access.reading import Reader
from nesrv.access.rights import Rights
from nesrv.access.rules import NACM, configuration
from nesrv.access.writing import denied
from nesrv.datastore.edit import Editor
from nesrv.datastore.shards import Shards
from nesrv.datastore.snapshot import EMPTY, Snapshot
from nesrv.datastore.tree import Node
from nesrv.schema import paths, sensitive
from nesrv.schema.modules import module_set
from nesrv.schema.schema import load

MODULES = Path(__file__).parents[1] / "data" / "yang"
SHARDS = Shards(load(module_set([MODULES], with_model=False)))
EDITOR = Editor(SHARDS)
SENSITIVE = sensitive.find(SHARDS.schema)
DECLARED = " ".join(f'xmlns:{name}="{SHARDS.schema.modules[name].namespace}"' for name in ("kinds", "users", "guarded"))
GROUPS = frozenset({"g"})

names = st.sampled_from(["a", "b", "c"])


def some(name: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), values.map(lambda value: f"<{name}>{value}</{name}>"))


def entries(name: str, key: str, inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.dictionaries(names, inner, max_size=3).map(
        lambda found: "".join(f"<{name}><{key}>{k}</{key}>{found[k]}</{name}>" for k in sorted(found))
    )


def joined(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map("".join)


items = entries(
    "item",
    "name",
    joined(
        some("size", st.sampled_from(["1", "2"])),
        some("l1", names),
        some("r1", names),
        entries("part", "id", st.sampled_from(["<weight>1</weight>", "<weight>2</weight>"])),
        st.sampled_from(["", '<more xmlns="urn:nesrv:test:guarded">m</more>']),
    ).filter(lambda text: "<l1>" not in text or "<r1>" not in text),
)
tops = joined(some("note", names), st.sampled_from(["", "<tag>1</tag>", "<tag>1</tag><tag>2</tag>"]), items).map(
    lambda inner: f'<top xmlns="urn:nesrv:test:kinds">{inner}</top>'
)
company = joined(some("dept", st.sampled_from(["1", "2"])), some("id", st.just("1"))).map(
    lambda inner: f"<company-info>{inner}</company-info>"
)
people = entries("user", "name", joined(some("type", names), company)).map(
    lambda inner: f'<top xmlns="http://example.com/schema/1.2/config"><users>{inner}</users></top>'
)
vaults = joined(*(some(name, names) for name in ("open", "secret", "fixed"))).map(
    lambda inner: f'<vault xmlns="urn:nesrv:test:guarded">{inner}</vault>'
)
documents = joined(tops, people, vaults)

ITEM = ["/kinds:top/kinds:item" + keys for keys in ("", "[kinds:name='a']", "[kinds:name='b']")]
USER = ["/users:top/users:users/users:user" + keys for keys in ("", "[users:name='a']")]
PATHS = [
    "/",
    "/kinds:top",
    "/kinds:top/kinds:note",
    "/kinds:top/kinds:tag[.='1']",
    "/users:top",
    "/users:top/users:users",
    *ITEM,
    *USER,
    *(f"/guarded:vault{below}" for below in ("", "/guarded:open", "/guarded:secret", "/guarded:fixed")),
    *(
        one + below
        for one in ITEM
        for below in ("/kinds:name", "/kinds:size", "/kinds:part", "/kinds:part[kinds:id='a']", "/guarded:more")
    ),
    *(one + below for one in USER for below in ("/users:company-info", "/users:company-info/users:dept")),
]
rules = st.lists(
    st.tuples(
        st.sampled_from(["permit", "deny"]),
        st.sampled_from([None, None, None, *ITEM, *PATHS]),
        st.sampled_from(["*", "read", "create update", "delete", "read create"]),
        st.sampled_from(["*", "*", "*", "kinds", "guarded"]),
    ),
    min_size=1,
    max_size=5,
)
Rule = tuple[str, str | None, str, str]
defaults = st.tuples(st.sampled_from(["permit", "deny"]), st.sampled_from(["permit", "deny"]))


def nacm(wanted: list[Rule], default: tuple[str, str]) -> str:
    made = ""
    for number, (action, path, operations, module) in enumerate(wanted):
        where = f"<path {DECLARED}>{path}</path>" if path is not None else ""
        made += (
            f"<rule><name>{number}</name><module-name>{module}</module-name>{where}"
            f"<access-operations>{operations}</access-operations><action>{action}</action></rule>"
        )
    return (
        f'<nacm xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-acm"><read-default>{default[0]}</read-default>'
        f"<write-default>{default[1]}</write-default>"
        f"<rule-list><name>l</name><group>g</group>{made}</rule-list></nacm>"
    )


def snapshot(document: str) -> Snapshot:
    return EDITOR.edit(EMPTY, etree.fromstring(f"<config>{document}</config>"))


def rights(wanted: list[Rule], default: tuple[str, str]) -> Rights:
    rest = snapshot(nacm(wanted, default))[NACM]
    return Rights(configuration(SHARDS, rest), GROUPS, SENSITIVE, SHARDS)


# The oracle


def tree(config: Snapshot) -> list[Node]:
    """All of a datastore, as one forest."""
    document = etree.fromstring(b"<config>" + SHARDS.document(config.shards()) + b"</config>")
    return [SHARDS.reader.read(element, SHARDS.reader.top(element), None) for element in document]


def walk(nodes: Iterable[Node]) -> Iterable[Node]:
    for node in nodes:
        yield node
        yield from walk(node.children)


def allows(wanted: list[Rule], default: tuple[str, str], operation: str, node: Node) -> bool:
    steps = paths.split(node.path)
    for action, path, operations, module in wanted:
        if operations != "*" and operation not in operations.split():
            continue
        if module not in ("*", node.schema.module):
            continue
        if path not in (None, "/") and not leads(paths.split(path), steps):
            continue
        return action == "permit"
    kept = {"secret"} if operation == "read" else {"secret", "fixed"}
    return node.name not in kept and default[operation != "read"] == "permit"


def leads(rule: list[paths.PathStep], steps: list[paths.PathStep]) -> bool:
    return len(rule) <= len(steps) and all(
        (one.module, one.name) == (step.module, step.name) and set(one.predicates) <= set(step.predicates)
        for one, step in zip(rule, steps, strict=False)
    )


def is_frame(node: Node) -> bool:
    return node.schema.kind == "container" and not node.schema.presence


def kept(wanted: list[Rule], default: tuple[str, str], nodes: Iterable[Node]) -> list[str]:
    """Paths and values of what may be seen."""
    found: list[str] = []
    for node in nodes:
        if not allows(wanted, default, "read", node):
            continue
        below = kept(wanted, default, node.children)
        keys = [child for child in node.children if child.schema.is_key]
        if not all(allows(wanted, default, "read", key) for key in keys) or (is_frame(node) and not below):
            continue
        found += [f"{node.path}={node.value}", *below]
    return found


def listed(nodes: Iterable[Node]) -> list[str]:
    return sorted(f"{node.path}={node.value}" for node in walk(nodes))


@settings(max_examples=500, deadline=None)
@given(rules, defaults, documents, documents)
def test_a_reader_sees_what_may_be_seen_and_no_more(
    wanted: list[Rule], default: tuple[str, str], one: str, other: str
) -> None:
    reader = Reader(rights(wanted, default), SHARDS)
    # The second view is made of the first.
    before = snapshot(one)
    after = EDITOR.edit(before, etree.fromstring(f"<config>{other}</config>"))
    for config in (before, after, before):
        assert listed(tree(reader.visible("running", config))) == sorted(kept(wanted, default, tree(config)))


@settings(max_examples=200, deadline=None)
@given(rules, defaults, documents)
def test_state_is_seen_like_configuration(wanted: list[Rule], default: tuple[str, str], document: str) -> None:
    config = snapshot(document)
    state = {shard.path: list(SHARDS.nodes(shard)) for shard in config.shards()}
    seen = Reader(rights(wanted, default), SHARDS).state(state)
    found = {line for nodes in seen.values() for line in listed(nodes)}
    # Containers above shards come with what is in them.
    frames = {f"{schema.path}=None" for schema in SHARDS.schema.skeleton}
    assert found == set(kept(wanted, default, tree(config))) - frames


def flat(config: Snapshot) -> dict[str, Node]:
    return {node.path: node for node in walk(tree(config)) if not is_frame(node)}


def yields(node: Node, created: Iterable[Node]) -> bool:
    """Whether another case of its choice has come, or of the choice of a node above it."""
    chosen = dict(node.schema.cases)
    place = node.path.rpartition("/")[0]
    return any(
        one.path.rpartition("/")[0] == place and chosen.get(choice, case) != case
        for one in created
        for choice, case in one.schema.cases
    )


@settings(max_examples=500, deadline=None)
@given(rules, defaults, documents, documents)
def test_a_change_takes_the_rights_of_each_node_that_differs(
    wanted: list[Rule], default: tuple[str, str], one: str, other: str
) -> None:
    before, after = snapshot(one), snapshot(other)
    old, new = flat(before), flat(after)
    created = [node for path, node in new.items() if path not in old]
    needed = [("create", node) for node in created]
    needed += [("delete", node) for path, node in old.items() if path not in new and not yields(node, created)]
    needed += [("update", node) for path, node in new.items() if path in old and old[path].value != node.value]
    refused = {(operation, node.path) for operation, node in needed if not allows(wanted, default, operation, node)}
    found = denied(rights(wanted, default), SHARDS, before, after)
    if found is None:
        assert not refused
    else:
        assert (found.operation, found.path) in refused
