"""Requests made from the data model of the module kinds: well-formed, and sometimes even right."""

from __future__ import annotations

from hypothesis import strategies as st
from lxml import etree

from tests.fuzz.corpus import ATTRIBUTES, NC, TEXTS, VALUES

KINDS = "urn:nesrv:test:kinds"
TREE: dict[str, tuple[str, ...]] = {
    "top": ("note", "limit", "order", "tag", "switch", "chosen", "deeper", "item", "user"),
    "switch": ("inside",),
    "deeper": ("text", "item"),
    "item": ("name", "size", "kind", "flag", "many", "l1", "r1", "part", "port", "friend", "a", "b", "v"),
    "part": ("id", "weight"),
    "port": ("id", "label"),
    "user": ("id", "item", "port"),
}
WORDS = ("a", "b", "1", "7", "round", "square", "x", *TEXTS)
STEPS = (
    "k:top",
    "k:item",
    "k:name",
    "k:part",
    "k:deeper",
    "k:note",
    "*",
    ".",
    "..",
    "zz",
    "k:zz",
    "nc:get",
    "text()",
    "@a",
)
PREDICATES = ("", "[k:name='a']", "[1]", "[last()]", "[k:zz]", "[count(.)>0]", "[.='a' or not(..)]", "[", "[current()]")
DATASTORES = ("candidate", "running", "startup", "url", "config")
WRITES = ("edit-config", "edit-config", "edit-config", "copy-config", "validate")


@st.composite
def _node(draw: st.DrawFn, name: str, filtering: bool, depth: int = 0) -> etree._Element:
    node = etree.Element(f"{{{KINDS}}}{name}", nsmap={None: KINDS, "k": KINDS, "nc": NC})
    if draw(st.integers(0, 5)) == 0:
        node.set(draw(st.sampled_from(ATTRIBUTES)), draw(st.sampled_from(VALUES)))
    if depth < 4 and name in TREE:
        children = draw(st.lists(st.sampled_from(TREE[name]), max_size=4))
        if name == "item" and not filtering and draw(st.integers(0, 4)):
            children = ["name", *(child for child in children if child != "name")]
        for child in children:
            node.append(draw(_node(child, filtering, depth + 1)))
    elif not filtering or draw(st.booleans()):
        node.text = draw(st.sampled_from(WORDS))
    return node


@st.composite
def _filter(draw: st.DrawFn) -> etree._Element:
    holder = etree.Element(f"{{{NC}}}filter", nsmap={"nc": NC, "k": KINDS})
    if draw(st.booleans()):
        holder.append(draw(_node("top", True)))
        return holder
    step = st.tuples(st.sampled_from(("/", "//")), st.sampled_from(STEPS), st.sampled_from(PREDICATES))
    steps = draw(st.lists(step, max_size=4))
    path = "".join("".join(parts) for parts in steps)
    shapes = ("%s", "%s|/k:top", "count(%s)", "-(%s)", "(%s)[1]", "%s = 'a'", "id('x')%s", "%s and", "deref(%s)/..")
    holder.set("type", "xpath")
    holder.set("select", draw(st.sampled_from(shapes)).replace("%s", path))
    return holder


@st.composite
def _change(draw: st.DrawFn) -> etree._Element:
    operation = draw(st.sampled_from(WRITES))
    root = etree.Element(f"{{{NC}}}{operation}", nsmap={"nc": NC})
    if operation != "validate":
        target = etree.SubElement(root, f"{{{NC}}}target")
        etree.SubElement(target, f"{{{NC}}}{draw(st.sampled_from(('candidate',) * 6 + DATASTORES))}")
    if operation == "edit-config":
        for option in ("default-operation", "test-option", "error-option"):
            if draw(st.integers(0, 4)) == 0:
                values = ("merge", "replace", "none", "set", "test-only", "test-then-set", "rollback-on-error", "zz")
                etree.SubElement(root, f"{{{NC}}}{option}").text = draw(st.sampled_from(values))
        holder = root
    else:
        holder = etree.SubElement(root, f"{{{NC}}}source")
    config = etree.SubElement(holder, f"{{{NC}}}config")
    for _ in range(draw(st.integers(0, 2))):
        config.append(draw(_node("top", False)))
    return root


@st.composite
def _question(draw: st.DrawFn) -> etree._Element:
    root = etree.Element(f"{{{NC}}}{draw(st.sampled_from(('get', 'get-config')))}", nsmap={"nc": NC})
    if root.tag.endswith("get-config"):
        source = etree.SubElement(root, f"{{{NC}}}source")
        etree.SubElement(source, f"{{{NC}}}{draw(st.sampled_from(DATASTORES))}")
    root.append(draw(_filter()))
    return root


@st.composite
def _plain(draw: st.DrawFn) -> etree._Element:
    """Locks, commits and the like."""
    operation = draw(st.sampled_from(("commit", "discard-changes", "lock", "unlock", "delete-config", "cancel-commit")))
    root = etree.Element(f"{{{NC}}}{operation}", nsmap={"nc": NC})
    if operation in ("lock", "unlock", "delete-config"):
        target = etree.SubElement(root, f"{{{NC}}}target")
        etree.SubElement(target, f"{{{NC}}}{draw(st.sampled_from(DATASTORES))}")
    return root


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    rpc = etree.Element(f"{{{NC}}}rpc", nsmap={"nc": NC})
    rpc.set("message-id", "1")
    rpc.append(draw(st.one_of(_change(), _change(), _question(), _question(), _plain())))
    return etree.tostring(rpc)
