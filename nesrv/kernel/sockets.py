"""Requests to rtnetlink, one namespace each, with the kernel's own words when it refuses.

The kernel works a request off inside ``send`` and has queued the answer when it returns:
waiting for each acknowledgement costs one system call and no round trip, so there is
nothing to pipeline and every request knows its answer at once.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from pyroute2.netlink import (
    NETLINK_ADD_MEMBERSHIP,
    NETLINK_EXT_ACK,
    NETLINK_GET_STRICT_CHK,
    NETLINK_LISTEN_ALL_NSID,
    NLM_F_ACK_TLVS,
    NLM_F_CAPPED,
    NLM_F_DUMP_INTR,
    NLMSG_DONE,
    NLMSG_ERROR,
    SOL_NETLINK,
)
from pyroute2.netlink.rtnl import RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_LINK, RTNLGRP_NSID

from nesrv.kernel import message as nl
from nesrv.kernel import requests
from nesrv.kernel.namespaces import route_socket

SO_RCVBUFFORCE = 33
NLMSGERR_ATTR_MSG = 1
STAMP = struct.Struct("=II")
"""Sequence number and port in a header."""
RECEIVE_BYTES = 1 << 16
ANSWER_SECONDS = 10
DUMP_ATTEMPTS = 8


class Refused(Exception):
    """The kernel said no: ``code`` is the errno, ``words`` what it said."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


class RouteSocket:
    """Sends one request at a time and returns with its answer."""

    def __init__(self, path: Path | str) -> None:
        self._socket = route_socket(path)
        self._socket.settimeout(ANSWER_SECONDS)
        self._socket.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self._socket.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        self._sequence = 0

    def close(self) -> None:
        self._socket.close()

    def do(self, request: bytes) -> None:
        """Raises Refused."""
        for _ in self._answers(request):
            pass

    def ask(self, request: bytes) -> bytes:
        """The body of the one message that answers; raises Refused."""
        answers = list(self._answers(request))
        return answers[0] if answers else b""

    def dump(self, request: bytes) -> list[bytes]:
        """All objects of a kind; asked again when they changed under the reading."""
        for _attempt in range(DUMP_ATTEMPTS):
            try:
                return list(self._answers(request))
            except InterruptedError:
                continue
        raise Refused(4, "the kernel's tables keep changing while they are read")

    def _answers(self, request: bytes) -> Iterator[bytes]:
        self._sequence += 1
        sequence = self._sequence
        self._socket.send(request[:8] + STAMP.pack(sequence, 0) + request[16:])
        interrupted = False
        while True:
            for answer, answer_flags, number, payload in nl.messages(self._socket.recv(RECEIVE_BYTES)):
                if number != sequence:
                    continue
                interrupted |= bool(answer_flags & NLM_F_DUMP_INTR)
                if answer in (NLMSG_ERROR, NLMSG_DONE):
                    _raise_error(answer_flags, payload)
                    if interrupted:
                        raise InterruptedError
                    return
                yield payload


def _raise_error(flags: int, payload: bytes) -> None:
    (code,) = struct.unpack_from("=i", payload)
    if code == 0:
        return
    words = ""
    if flags & NLM_F_ACK_TLVS:
        (length,) = struct.unpack_from("=I", payload, 4)
        offset = 20 if flags & NLM_F_CAPPED else 4 + ((length + 3) & ~3)
        words = (
            dict(nl.attributes(payload, offset)).get(NLMSGERR_ATTR_MSG, b"").rstrip(b"\0").decode("utf-8", "replace")
        )
    raise Refused(-code, f"{os.strerror(-code)} ({words})" if words else os.strerror(-code))


def namespace_number(socket_: RouteSocket, path: Path | str) -> int:
    """The number by which ``socket_``'s namespace knows the one at ``path``; given to it if it had none."""
    with open(path, "rb") as handle:
        number = _known_number(socket_, handle.fileno())
        if number < 0:
            try:
                socket_.do(requests.give_number(handle.fileno()))
            except Refused as refused:
                # The kernel numbers namespaces itself, too, whenever it tells one of a link in another.
                if refused.code != errno.EEXIST:
                    raise
            number = _known_number(socket_, handle.fileno())
        return number


def _known_number(socket_: RouteSocket, namespace: int) -> int:
    answer = socket_.ask(requests.get_number(namespace))
    return int(struct.unpack("=i", dict(nl.attributes(answer, 4))[nl.NETNSA_NSID])[0])


LINKS_AND_NAMESPACES = (RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_NSID)


def listening_socket(
    path: Path | str, receive_bytes: int, groups: Iterable[int] = LINKS_AND_NAMESPACES
) -> socket.socket:
    """A non-blocking socket that hears of links, addresses and namespaces, or what else ``groups`` (RTNLGRP_…) say,
    in every namespace that has a number."""
    listener = route_socket(path)
    listener.bind((0, 0))
    listener.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, receive_bytes)
    listener.setsockopt(SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1)
    for group in groups:
        listener.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)
    listener.setblocking(False)
    return listener
