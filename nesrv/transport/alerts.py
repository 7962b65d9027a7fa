"""TLS that tells the client why its handshake failed.

asyncio closes the connection while the alert that OpenSSL has written still waits to be sent.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any


class AlertingContext(ssl.SSLContext):
    """For one connection; ``send`` gets the alert."""

    send: Callable[[bytes], None] | None = None
    outgoing: ssl.MemoryBIO

    def __init__(self, protocol: int) -> None:
        self.sslobject_class = _Alerting

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *rest: Any, **more: Any) -> ssl.SSLObject:
        self.outgoing = outgoing
        return super().wrap_bio(incoming, outgoing, *rest, **more)


class _Alerting(ssl.SSLObject):
    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError:
            context = self.context
            if isinstance(context, AlertingContext) and context.send is not None:
                context.send(context.outgoing.read())
            raise
