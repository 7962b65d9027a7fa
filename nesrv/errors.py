"""The errors a NETCONF client can be told: one class per error-tag of RFC 6241, appendix A.

A room that refuses something raises one of these; only ``nesrv.wire.messages`` turns
it into XML.  ``path`` is an instance path in nesrv's own notation
(``/module:node/node[key='value']/other-module:leaf``, a module name wherever the module
changes), which the reply writer turns into an XPath with declared prefixes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass
class RpcError(Exception):
    """One ``<rpc-error>``; ``info`` holds (element name, text) pairs for ``<error-info>``."""

    message: str
    path: str | None = None
    app_tag: str | None = None
    info: tuple[tuple[str, str], ...] = ()
    type: str = "application"
    tag: ClassVar[str] = "operation-failed"
    severity: ClassVar[str] = "error"

    def __str__(self) -> str:
        return f"{self.tag}: {self.message}" + (f" ({self.path})" if self.path else "")


class InUse(RpcError):
    tag = "in-use"


class InvalidValue(RpcError):
    tag = "invalid-value"


class TooBig(RpcError):
    tag = "too-big"


class MissingAttribute(RpcError):
    """``info`` carries bad-attribute and bad-element."""

    tag = "missing-attribute"


class BadAttribute(RpcError):
    """``info`` carries bad-attribute and bad-element."""

    tag = "bad-attribute"


class UnknownAttribute(RpcError):
    """``info`` carries bad-attribute and bad-element."""

    tag = "unknown-attribute"


class MissingElement(RpcError):
    """``info`` carries bad-element."""

    tag = "missing-element"


class BadElement(RpcError):
    """``info`` carries bad-element."""

    tag = "bad-element"


class UnknownElement(RpcError):
    """``info`` carries bad-element."""

    tag = "unknown-element"


class UnknownNamespace(RpcError):
    """``info`` carries bad-element and bad-namespace."""

    tag = "unknown-namespace"


class AccessDenied(RpcError):
    tag = "access-denied"


class LockDenied(RpcError):
    """``info`` carries session-id (0: the lock is held by something that is no NETCONF session)."""

    tag = "lock-denied"


class ResourceDenied(RpcError):
    tag = "resource-denied"


class RollbackFailed(RpcError):
    tag = "rollback-failed"


class DataExists(RpcError):
    tag = "data-exists"


class DataMissing(RpcError):
    tag = "data-missing"


class OperationNotSupported(RpcError):
    tag = "operation-not-supported"


class OperationFailed(RpcError):
    tag = "operation-failed"


class MalformedMessage(RpcError):
    tag = "malformed-message"


class RpcErrors(Exception):
    """Several errors for one reply (a validation that found more than one thing)."""

    def __init__(self, errors: tuple[RpcError, ...]) -> None:
        super().__init__("; ".join(str(error) for error in errors))
        self.errors = errors
