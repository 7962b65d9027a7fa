"""get-data and edit-data (RFC 8526): the operations of the NMDA, for every datastore that RFC 8342 knows and this
element has."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from lxml import etree

from nesrv import errors
from nesrv.datastore.defaults import MODES
from nesrv.datastore.incoming import NETCONF
from nesrv.datastore.tree import Node
from nesrv.datastore.xpath.evaluate import Evaluator
from nesrv.rpc.configure import edit_config, prefixes
from nesrv.rpc.element import Element
from nesrv.rpc.filters import Selection
from nesrv.rpc.monitoring import readable
from nesrv.rpc.operation import Answer, Call, Data, Operation, Operations
from nesrv.rpc.origins import Operational, mark
from nesrv.rpc.params import Params
from nesrv.rpc.patterns import compile_subtree
from nesrv.rpc.reply import UNBOUNDED, Limits, Reply
from nesrv.rpc.retrieve import Operational as Readers
from nesrv.rpc.views import Configuration
from nesrv.rpc.wanted import Wanted
from nesrv.rpc.xpath import nodes_of, reached

NMDA = "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"
_OF_OPERATIONAL = ("with-origin", "origin-filter", "negated-origin-filter")
_EXCLUSIVE = (("subtree-filter", "xpath-filter"), ("origin-filter", "negated-origin-filter"))


def operation(read: Readers) -> Operation:
    """<get-data> over these sources of state."""

    async def get_data(call: Call) -> Answer:
        element, params = call.element, call.params
        name = _datastore(call, readable(element.schema))
        exclude_each_other(params)
        if name != "operational":
            for of_operational in _OF_OPERATIONAL:
                if params.element(of_operational) is not None:
                    raise invalid(f"<{of_operational}> is for the datastore operational only.", of_operational)
        mode = params.choice("with-defaults", MODES, "report-all" if name == "operational" else "explicit")
        view = await view_of(call, read, name, mode, _asks_origin(params))
        limits = Limits(
            _levels(params), _accepts(call, view), mark("ietf-origin:intended") if _asks_origin(params) else ""
        )
        return Data(await asyncio.to_thread(chosen_of, call, view, limits), NMDA)

    return get_data


def exclude_each_other(params: Params) -> None:
    """Raises invalid-value for two filters of which only one may be given."""
    for first, second in _EXCLUSIVE:
        if params.element(first) is not None and params.element(second) is not None:
            raise invalid(f"<{first}> and <{second}> exclude each other.", second)


async def view_of(
    call: Call, read: Readers, name: str, mode: str, with_origin: bool = False
) -> Configuration | Operational:
    """What the session may read of a datastore; ``with_origin`` marks what is in operational."""
    element = call.element
    if name == "operational":
        found = await read(element, call.session, _wanted(element, call.params))
        return Operational(element.shards, found.running, found.state, mode, with_origin)
    held = "running" if name == "intended" else name
    return Configuration(element.shards, element.guards.visible(call.session, held, element.snapshot(held)), mode)


def chosen_of(call: Call, view: Configuration | Operational, limits: Limits) -> list[bytes]:
    """What <subtree-filter> or <xpath-filter> chooses."""
    element, params = call.element, call.params
    selection = Selection(element.shards, view)
    subtree, xpath = params.element("subtree-filter"), params.element("xpath-filter")
    if subtree is not None and limits.are_none:
        return list(selection.subtree(compile_subtree(subtree)))
    namespaces = prefixes(xpath) if xpath is not None else {}
    evaluator = Evaluator(element.shards, view, namespaces)
    if subtree is not None:
        chosen = selection.chosen(evaluator.forest, compile_subtree(subtree))
    elif xpath is not None:
        chosen = nodes_of(evaluator, (xpath.text or "").strip(), namespaces, "xpath-filter")
    else:
        chosen = [evaluator.forest.root]
    return list(Reply(element.shards, view, evaluator.forest, chosen, limits).fragments())


def _wanted(element: Element, params: Params) -> Wanted:
    subtree, xpath = params.element("subtree-filter"), params.element("xpath-filter")
    if subtree is not None:
        return Wanted(element.shards, compile_subtree(subtree))
    return Wanted(element.shards, reached(xpath.text or "", prefixes(xpath)) if xpath is not None else None)


def _asks_origin(params: Params) -> bool:
    return params.element("with-origin") is not None


def _datastore(call: Call, known: Sequence[str]) -> str:
    """The name of the datastore; raises missing-element, invalid-value."""
    name = identity(call, call.params.need("datastore"), "datastore", "ietf-datastores")
    if name not in known:
        raise invalid(
            f"<{call.params.operation}> cannot be used on {name} here; it can on {', '.join(known)}.", "datastore"
        )
    return name


def identity(call: Call, element: Any, parameter: str, module: str) -> str:
    """The local name of an identity of ``module``; raises invalid-value."""
    text = (element.text or "").strip()
    prefix, _, name = text.rpartition(":")
    namespace = call.element.schema.modules[module].namespace
    if name and element.nsmap.get(prefix or None) == namespace and f"{module}:{name}" in call.element.schema.identities:
        return name
    raise invalid(
        f'<{parameter}> is "{text}": that is no identity of {module} with a prefix declared for it.', parameter
    )


def _levels(params: Params) -> int:
    text = params.text("max-depth") or "unbounded"
    if text == "unbounded":
        return UNBOUNDED
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) < UNBOUNDED):
        raise invalid(f'<max-depth> is "{text}"; it takes 1 to {UNBOUNDED - 1}, or unbounded.', "max-depth")
    return int(text)


def _accepts(call: Call, view: Configuration | Operational) -> Callable[[Node], bool] | None:
    """What config-filter and the filters by origin leave; None: everything."""
    wanted = call.params.choice("config-filter", ("true", "false"), "")
    by_origin = _by_origin(call, view)
    if not wanted and by_origin is None:
        return None

    def accepts(node: Node) -> bool:
        if wanted and node.schema.config is not (wanted == "true"):
            return False
        return by_origin is None or not node.schema.config or by_origin(node)

    return accepts


def _by_origin(call: Call, view: Configuration | Operational) -> Callable[[Node], bool] | None:
    for parameter in ("origin-filter", "negated-origin-filter"):
        elements = call.params.many(parameter)
        if elements and isinstance(view, Operational):
            known = call.element.schema.identities
            names = [f"ietf-origin:{identity(call, element, parameter, 'ietf-origin')}" for element in elements]
            named = frozenset(names).union(*(known[name] for name in names))
            return _in_origins(view, named, parameter == "origin-filter")
    return None


def _in_origins(view: Operational, named: frozenset[str], inside: bool) -> Callable[[Node], bool]:
    return lambda node: (view.origin(node) in named) is inside


def invalid(words: str, parameter: str) -> errors.RpcError:
    return errors.InvalidValue(words, info=(("bad-element", parameter),), type="protocol")


async def edit_data(call: Call) -> Answer:
    """edit-config under another name (RFC 8526 §3.1.2): the same rules, and the same guards."""
    target, config = _datastore(call, call.element.datastores), call.params.need("config")
    # Rewritten where it stands: prefixes in values may be declared around it.
    request, datastore = config.getparent(), call.params.need("datastore")
    holder = etree.Element(f"{{{NETCONF}}}target")
    etree.SubElement(holder, f"{{{NETCONF}}}{target}")
    request.replace(datastore, holder)
    for element in (request, config, call.params.element("default-operation")):
        if element is not None:
            name = "edit-config" if element is request else etree.QName(element).localname
            element.tag = f"{{{NETCONF}}}{name}"
    try:
        rpc = call.element.schema.rpcs[f"{{{NETCONF}}}edit-config"]
        return await edit_config(Call(call.element, call.session, Params(request, rpc)))
    except errors.OperationNotSupported as error:
        raise invalid(error.message.replace("edit-config", "edit-data"), "datastore") from error


def operations(read: Readers) -> Operations:
    return {f"{{{NMDA}}}get-data": operation(read), f"{{{NMDA}}}edit-data": edit_data}
