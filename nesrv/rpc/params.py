"""The parameters of an operation, held against the ``input`` that its YANG module gives it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lxml import etree

from nesrv import errors
from nesrv.datastore.incoming import NETCONF, local_name
from nesrv.schema.nodes import SchemaNode
from nesrv.schema.schema import Schema

DATASTORES = ("running", "candidate", "startup")
NMDA_DATASTORE = "{urn:ietf:params:xml:ns:yang:ietf-netconf-nmda}datastore"
"""Another way to name a datastore, for lock, unlock and validate (RFC 8526, section 3.2)."""


def datastores(schema: Schema) -> tuple[str, ...]:
    """Those that are served."""
    served = schema.modules["ietf-netconf"].features
    return tuple(name for name in DATASTORES if name != "startup" or name in served)


class Params:
    """Children of the operation's element by local name; an unknown one is refused at once."""

    def __init__(self, operation: Any, rpc: SchemaNode) -> None:
        self.operation = local_name(operation)
        known = rpc.by_name["input"].by_name if "input" in rpc.by_name else {}
        self._known = known
        self._found: dict[str, Any] = {}
        self._all: dict[str, list[Any]] = {}
        for child in operation:
            if not isinstance(child.tag, str):
                continue
            name = local_name(child)
            foreign = etree.QName(child).namespace
            if name in known and foreign not in (None, known[name].namespace):
                raise errors.UnknownNamespace(
                    f"<{name}> of <{self.operation}> is not in the namespace {foreign}.",
                    info=(("bad-element", name), ("bad-namespace", foreign)),
                    type="protocol",
                )
            several = name in known and known[name].kind in ("leaf-list", "list")
            if name not in known or (name in self._found and not several):
                raise errors.UnknownElement(
                    f"<{self.operation}> takes no {'second ' if name in known else ''}<{name}>.",
                    info=(("bad-element", name),),
                    type="protocol",
                )
            self._found[name] = child
            self._all.setdefault(name, []).append(child)

    def element(self, name: str) -> Any | None:
        return self._found.get(name)

    def many(self, name: str) -> list[Any]:
        """Every one of a parameter that may be given several times, in their order."""
        return self._all.get(name, [])

    def need(self, name: str) -> Any:
        found = self._found.get(name)
        if found is None:
            raise self.missing(name)
        return found

    def text(self, name: str) -> str | None:
        """The trimmed text of a parameter; None when it is absent."""
        found = self._found.get(name)
        return None if found is None else (found.text or "").strip()

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        """One of ``allowed``; raises invalid-value."""
        text = self.text(name)
        if text is None:
            return default
        if text not in allowed:
            raise errors.InvalidValue(
                f'<{name}> is "{text}"; it takes {", ".join(allowed)}.', info=(("bad-element", name),), type="protocol"
            )
        return text

    def datastore(self, name: str, known: Sequence[str] = DATASTORES) -> str:
        """The one of the ``known`` datastores that is named in ``<source>`` or ``<target>``; raises missing-element,
        invalid-value."""
        found = self.inner(name)
        chosen = local_name(found)
        if found.tag == NMDA_DATASTORE:
            chosen = (found.text or "").strip().rpartition(":")[2]
        if chosen not in known:
            raise errors.InvalidValue(
                f"<{name}> names <{chosen}>; this element has {', '.join(known)}.",
                info=(("bad-element", chosen),),
                type="protocol",
            )
        return chosen

    def inner(self, name: str) -> Any:
        """The one child of a parameter such as ``<source>``."""
        holder = self.need(name)
        children = [child for child in holder if isinstance(child.tag, str)]
        if len(children) != 1:
            raise errors.MissingElement(
                f"<{name}> must hold exactly one element.", info=(("bad-element", name),), type="protocol"
            )
        foreign = etree.QName(children[0]).namespace
        as_identity = children[0].tag == NMDA_DATASTORE and "datastore" in self._known[name].by_name
        if foreign not in (None, NETCONF) and not as_identity:
            inner = local_name(children[0])
            raise errors.UnknownNamespace(
                f"<{inner}> in <{name}> is not in the namespace {foreign}.",
                info=(("bad-element", inner), ("bad-namespace", foreign or "")),
                type="protocol",
            )
        return children[0]

    def missing(self, name: str) -> errors.RpcError:
        return errors.MissingElement(
            f"<{self.operation}> needs <{name}>.", info=(("bad-element", name),), type="protocol"
        )
