"""libyang's real words about real data, and the error that each becomes (RFC 7950, section 15)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from nesrv.errors import RpcError
from nesrv.schema.engine import Engine
from nesrv.schema.failures import Finding, data_path, to_error
from nesrv.schema.modules import module_set
from nesrv.schema.schema import load

MODULE = """module m { yang-version 1.1; namespace "urn:m"; prefix m;
  identity base; identity one { base base; }
  container c {
    leaf must-be { type string; mandatory true; }
    choice ch { mandatory true; leaf x { type string; } leaf y { type string; } }
    list l {
      key "a b"; leaf a { type string; } leaf b { type string; }
      leaf m { type string; mandatory true; }
      container in {
        choice cc { mandatory true; leaf q { type string; } case r { leaf r1 { type empty; } leaf r2 { type empty; } } }
        leaf-list ll { type string; min-elements 2; max-elements 3; }
      }
      list k { key z; min-elements 1; max-elements 2; unique "w"; leaf z { type int8; } leaf w { type string; } }
    }
    leaf bits { type bits { bit on; } } leaf bool { type boolean; } leaf bin { type binary { length 2..4; } }
    leaf enum { type enumeration { enum a; } } leaf dec { type decimal64 { fraction-digits 2; range "0..9"; } }
    leaf id { type identityref { base base; } } leaf none { type empty; }
    leaf pat { type string { pattern "a+" { error-message "Only a."; error-app-tag "only-a"; } length "1..3"; } }
    leaf un { type union { type int8; type boolean; } }
    leaf wh { when "../bool = 'true'"; type string; }
    leaf mu { type string; must "false()"; }
    leaf mu-words { type string; must "false()" { error-message "Never."; } }
    leaf mu-tag { type string; must "false()" { error-message "Never."; error-app-tag "never"; } }
    leaf ref { type leafref { path "../l/a"; } }
    leaf ii { type instance-identifier; }
    leaf state { config false; type string; }
  }
}"""

ENTRY = "<l><a>1</a><b>2</b><m>x</m><in><q>1</q><ll>1</ll><ll>2</ll></in><k><z>1</z></k></l>"
GOOD = "<must-be>x</must-be><x>1</x>" + ENTRY
L = "/m:c/l[a='1'][b='2']"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("yang")
    (folder / "m.yang").write_text(MODULE)
    return load(module_set([folder], with_model=False)).engine


@dataclass(frozen=True)
class Case:
    inner: str
    tag: str
    path: str
    app_tag: str | None = None
    info: tuple[tuple[str, str], ...] = ()


def bad(name: str) -> tuple[tuple[str, str], ...]:
    return (("bad-element", name),)


def without(part: str, instead: str = "") -> str:
    assert part in GOOD
    return GOOD.replace(part, instead, 1)


CASES = {
    "mandatory leaf": Case(without("<must-be>x</must-be>"), "data-missing", "/m:c/must-be"),
    "mandatory leaf in an entry": Case(without("<m>x</m>"), "data-missing", f"{L}/m"),
    "mandatory leaf in the second entry": Case(
        GOOD + ENTRY.replace("<a>1", "<a>7").replace("<m>x</m>", ""), "data-missing", "/m:c/l[a='7'][b='2']/m"
    ),
    "mandatory choice": Case(
        without("<x>1</x>"), "data-missing", "/m:c", "missing-choice", (("missing-choice", "ch"),)
    ),
    "mandatory choice in an entry": Case(
        without("<q>1</q>"), "data-missing", f"{L}/in", "missing-choice", (("missing-choice", "cc"),)
    ),
    "mandatory choice in a container that is not written": Case(
        without("<in><q>1</q><ll>1</ll><ll>2</ll></in>"),
        "data-missing",
        f"{L}/in",
        "missing-choice",
        (("missing-choice", "cc"),),
    ),
    "too few in a leaf-list": Case(without("<ll>2</ll>"), "operation-failed", f"{L}/in/ll", "too-few-elements"),
    "too few in a list": Case(without("<k><z>1</z></k>"), "operation-failed", f"{L}/k", "too-few-elements"),
    "too many in a leaf-list": Case(
        without("<ll>2</ll>", "<ll>2</ll><ll>3</ll><ll>4</ll>"),
        "operation-failed",
        f"{L}/in/ll[.='4']",
        "too-many-elements",
    ),
    "too many in a list": Case(
        without("<k>", "<k><z>2</z></k><k><z>3</z></k><k>"), "operation-failed", f"{L}/k[z='1']", "too-many-elements"
    ),
    "unique": Case(
        without("<k><z>1</z>", "<k><z>2</z><w>s</w></k><k><z>1</z><w>s</w>"),
        "operation-failed",
        f"{L}/k[z='1']",
        "data-not-unique",
        (("non-unique", f"{L}/k[z='2']"), ("non-unique", f"{L}/k[z='1']")),
    ),
    "leaf twice": Case(GOOD + "<must-be>y</must-be>", "bad-element", "/m:c/must-be", None, bad("must-be")),
    "two cases": Case(GOOD + "<y>1</y>", "bad-element", "/m:c", None, bad("x")),
    "when": Case(GOOD + "<wh>1</wh>", "unknown-element", "/m:c/wh", None, bad("wh")),
    "must": Case(GOOD + "<mu>1</mu>", "operation-failed", "/m:c/mu", "must-violation"),
    "must with words": Case(GOOD + "<mu-words>1</mu-words>", "operation-failed", "/m:c/mu-words", "must-violation"),
    "must with words and a tag": Case(GOOD + "<mu-tag>1</mu-tag>", "operation-failed", "/m:c/mu-tag", "never"),
    "leafref": Case(GOOD + "<ref>9</ref>", "data-missing", "/m:c/ref", "instance-required"),
    "instance-identifier": Case(
        GOOD + '<ii xmlns:m="urn:m">/m:c/m:bool</ii>', "data-missing", "/m:c/ii", "instance-required"
    ),
    "key": Case(GOOD + "<l><a>1</a></l>", "missing-element", "/m:c/l[a='1']/b", None, bad("b")),
    "state": Case(GOOD + "<state>s</state>", "unknown-element", "/m:c/state", None, bad("state")),
    "unknown": Case(GOOD + "<zz/>", "unknown-element", "/m:c", None, bad("zz")),
    "text in a container": Case("words", "bad-element", "", None, bad("c")),
    "element in a leaf": Case("<must-be><b/></must-be>", "unknown-element", "/m:c/must-be", None, bad("b")),
    "bits": Case(GOOD + "<bits>off</bits>", "invalid-value", "/m:c/bits"),
    "boolean": Case(GOOD + "<bool>yes</bool>", "invalid-value", "/m:c/bool"),
    "binary": Case(GOOD + "<bin>!</bin>", "invalid-value", "/m:c/bin"),
    "length": Case(GOOD + "<bin>QQ==</bin>", "invalid-value", "/m:c/bin"),
    "enumeration": Case(GOOD + "<enum>b</enum>", "invalid-value", "/m:c/enum"),
    "decimal": Case(GOOD + "<dec>1.234</dec>", "invalid-value", "/m:c/dec"),
    "range": Case(GOOD + "<dec>10</dec>", "invalid-value", "/m:c/dec"),
    "identity": Case(GOOD + "<id>two</id>", "invalid-value", "/m:c/id"),
    "empty": Case(GOOD + "<none>1</none>", "invalid-value", "/m:c/none"),
    "pattern with words": Case(GOOD + "<pat>b</pat>", "invalid-value", "/m:c/pat", "only-a"),
    "union": Case(GOOD + "<un>x</un>", "invalid-value", "/m:c/un"),
}  # fmt: skip


def test_the_good_configuration_is_good(engine: Engine) -> None:
    engine.validate(f'<c xmlns="urn:m">{GOOD}</c>'.encode())


@pytest.mark.parametrize("name", CASES)
def test_what_libyang_finds(engine: Engine, name: str) -> None:
    case = CASES[name]
    with pytest.raises(RpcError) as refusal:
        engine.validate(f'<c xmlns="urn:m">{case.inner}</c>'.encode())
    error = refusal.value
    assert (error.tag, error.path or "", error.app_tag, error.info) == (case.tag, case.path, case.app_tag, case.info)
    assert error.message


def test_an_unknown_namespace(engine: Engine) -> None:
    with pytest.raises(RpcError) as refusal:
        engine.validate(b'<c xmlns="urn:m"><x xmlns="urn:no"/></c>')
    assert refusal.value.tag == "unknown-namespace"
    assert ("bad-namespace", "urn:no") in refusal.value.info


def test_a_missing_container_holds_the_missing_leaf(engine: Engine) -> None:
    with pytest.raises(RpcError) as refusal:
        engine.validate(b"")
    assert (refusal.value.tag, refusal.value.path) == ("data-missing", "/m:c/must-be")


@pytest.mark.parametrize(
    ("where", "path"),
    [
        ('Data location "/m:a[k=\'x"y\']/b", line number 1.', "/m:a[k='x\"y']/b"),
        ('Schema location "/m:a/b".', "/m:a/b"),
        ('Schema location "/m:a/b", data location "/m:a[k=\'1\']".', "/m:a[k='1']"),
        ("Line number 7.", None),
        ("", None),
    ],
)
def test_locations(where: str, path: str | None) -> None:
    assert data_path(where) == path


def test_no_words_and_unknown_words() -> None:
    assert to_error([]).tag == "operation-failed"
    odd = to_error([Finding("Something new.", 'Data location "/m:a", line number 3.', None)])
    assert (odd.tag, odd.path, odd.message) == ("invalid-value", "/m:a", "Something new.")
