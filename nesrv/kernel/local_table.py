"""Where a namespace with VRF devices looks up its own addresses: behind the VRFs, not before them.

By default the kernel asks the table ``local`` first for every packet, so that a tenant in a VRF reaches the
underlay's own addresses.  Behind the rule of the VRFs (1000, l3mdev) it is asked for the underlay's packets only.
"""

from __future__ import annotations

import errno
from pathlib import Path
from socket import AF_INET, AF_INET6

from nesrv.kernel import requests
from nesrv.kernel.sockets import Refused, RouteSocket

FIRST, RTPROT_KERNEL = 0, 2
BEHIND_VRFS, OUR_PROTOCOL = 32765, 110
"""Priority of the rule that nesrv makes, and the protocol that marks it as nesrv's."""


def put_behind_vrfs(namespace: Path) -> None:
    """Leaves a namespace alone whose rule somebody else has moved.  Raises Refused."""
    socket = RouteSocket(namespace)
    try:
        for family in (AF_INET, AF_INET6):
            new = _made(socket, family)
            first_is_gone = _refused(socket, requests.delete_local_rule(family, FIRST, RTPROT_KERNEL), errno.ENOENT)
            if new and first_is_gone:
                socket.do(requests.delete_local_rule(family, BEHIND_VRFS, OUR_PROTOCOL))
    finally:
        socket.close()


def put_first(namespace: Path) -> None:
    """Undoes put_behind_vrfs; the table is never out of reach.  Raises Refused."""
    socket = RouteSocket(namespace)
    try:
        for family in (AF_INET, AF_INET6):
            if not _made(socket, family):
                _refused(socket, requests.make_local_rule(family, FIRST, RTPROT_KERNEL), errno.EEXIST)
            socket.do(requests.delete_local_rule(family, BEHIND_VRFS, OUR_PROTOCOL))
    finally:
        socket.close()


def _made(socket: RouteSocket, family: int) -> bool:
    """Makes nesrv's rule; False if it was there."""
    return not _refused(socket, requests.make_local_rule(family, BEHIND_VRFS, OUR_PROTOCOL), errno.EEXIST)


def _refused(socket: RouteSocket, request: bytes, code: int) -> bool:
    """Whether the kernel refuses the request with this error; raises Refused for any other."""
    try:
        socket.do(request)
    except Refused as refused:
        if refused.code != code:
            raise
        return True
    return False
