"""What an operation gets and what it may answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from nesrv.rpc.element import Element, SessionState
from nesrv.rpc.params import Params


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way: whose it is and what it asks for."""

    element: Element
    session: SessionState
    params: Params


@dataclass(frozen=True, slots=True)
class Ok:
    """``<ok/>``."""


@dataclass(frozen=True, slots=True)
class Data:
    """``<data>`` around ``fragments``, in the namespace of the operation's module."""

    fragments: Iterable[bytes]
    namespace: str


@dataclass(frozen=True, slots=True)
class Output:
    """The output of an RPC of a YANG module, as XML."""

    fragments: Iterable[bytes]


Answer = Ok | Data | Output
Operation = Callable[[Call], Awaitable[Answer]]
Operations = Mapping[str, Operation]
"""By XML tag of the operation."""
