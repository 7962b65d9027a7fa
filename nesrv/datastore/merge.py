"""The operations of edit-config (RFC 6241 §7.2, RFC 7950 §7) on one tree of nodes; pure."""

from __future__ import annotations

from nesrv import errors
from nesrv.datastore.incoming import EditNode
from nesrv.datastore.tree import Node
from nesrv.schema.nodes import SchemaNode

Ident = tuple[SchemaNode, tuple[str | None, ...]]

_TERMS = ("leaf", "leaf-list", "anyxml", "anydata")


def exists(node: Node | None) -> bool:
    """A container without presence is only as real as what it holds."""
    if node is None:
        return False
    if node.schema.kind == "container" and not node.schema.presence:
        return any(exists(child) for child in node.children)
    return True


def check(edit: EditNode, found: bool, operation: str) -> None:
    """Raise data-exists or data-missing where ``operation`` demands it."""
    if operation == "create" and found:
        raise errors.DataExists(f'"{edit.name}" exists already; create needs it not to.', edit.path)
    if operation == "delete" and not found:
        raise errors.DataMissing(f'"{edit.name}" does not exist, so it cannot be deleted.', edit.path)
    if operation == "none" and not found and not _implicit(edit.schema):
        raise errors.DataMissing(f'"{edit.name}" does not exist, and nothing asks to create it.', edit.path)


def _implicit(schema: SchemaNode) -> bool:
    return schema.kind == "container" and not schema.presence


def apply(target: Node | None, edit: EditNode, inherited: str) -> Node | None:
    """``target`` with ``edit`` applied (None: gone); ``inherited`` is the operation of the parent.

    Raises data-exists, data-missing, bad-attribute. ``target`` is changed in place.
    """
    operation = edit.operation or inherited
    check(edit, exists(target), operation)
    if operation in ("delete", "remove") or (edit.is_default and operation != "none"):
        return None
    if edit.schema.kind in _TERMS:
        return _term(target, edit, operation)
    if target is None or operation in ("replace", "create"):
        target = Node(edit.schema, None, target.parent if target is not None else edit.parent)
    below = "merge" if operation in ("replace", "create") else operation
    apply_children(target, edit.children, below)
    return target


def _term(target: Node | None, edit: EditNode, operation: str) -> Node | None:
    if operation == "none":
        return target
    made = target if target is not None else Node(edit.schema, None, edit.parent)
    made.value = edit.value
    return made


def apply_children(target: Node, edits: list[EditNode], inherited: str) -> None:
    """Apply each of ``edits`` to the children of ``target``."""
    index = {child.ident: child for child in target.children}
    for edit in edits:
        if edit.schema.is_key:
            if edit.ident not in index:
                index[edit.ident] = target.add(Node(edit.schema, edit.value))
            continue
        before = index.get(edit.ident)
        after = apply(before, edit, inherited)
        if after is None:
            if before is not None:
                target.children.remove(before)
                del index[edit.ident]
            continue
        if before is None:
            _leave_other_cases(target, edit.schema, index)
            target.add(after)
        elif after is not before:
            target.children[target.children.index(before)] = after
            after.parent = target
        index[edit.ident] = after
        if edit.insert is not None:
            _move(target, after, edit)


def _leave_other_cases(target: Node, schema: SchemaNode, index: dict[Ident, Node]) -> None:
    """A node of one case puts out those of the choice's other cases (RFC 7950 §7.9)."""
    if not schema.cases:
        return
    chosen = dict(schema.cases)
    for child in list(target.children):
        if any(choice in chosen and chosen[choice] != case for choice, case in child.schema.cases):
            target.children.remove(child)
            index.pop(child.ident, None)


def _move(target: Node, node: Node, edit: EditNode) -> None:
    """Put ``node`` where yang:insert says, among the entries of its own list (RFC 7950 §7.7.9, §7.8.6)."""
    assert edit.insert is not None
    where, anchor = edit.insert
    target.children.remove(node)
    places = [place for place, child in enumerate(target.children) if child.schema is node.schema]
    if where == "first":
        at = places[0] if places else len(target.children)
    elif where == "last":
        at = places[-1] + 1 if places else len(target.children)
    else:
        found = [place for place in places if target.children[place].ident[1] == anchor]
        if not found:
            raise errors.BadAttribute(
                f'There is no entry {anchor} of "{node.name}" to insert {where}.',
                edit.path,
                "missing-instance",
                info=(("bad-attribute", "key" if node.schema.kind == "list" else "value"), ("bad-element", node.name)),
            )
        at = found[0] + (where == "after")
    target.children.insert(at, node)
