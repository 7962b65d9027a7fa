"""The two ways to have a VRF: a VRF device with a table of its own, or a network namespace."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from pathlib import Path
from socket import AF_INET, AF_INET6
from typing import Protocol

from nesrv.kernel import local_table, namespaces, requests, sysctls
from nesrv.kernel.facts import UNDERLAY, Place
from nesrv.kernel.layout import OUR_GROUP, UNREACHABLE_METRIC, BackendName, Layout, alias, table_for
from nesrv.kernel.reader import Reader, ours
from nesrv.kernel.sockets import Refused, RouteSocket
from nesrv.kernel.spaces import Space, Spaces

logger = logging.getLogger(__name__)


class VrfBackend(Protocol):
    """``make`` and ``remove`` raise Refused and leave nothing half done."""

    def prepare(self) -> None: ...

    def make(self, name: str) -> None: ...

    def remove(self, name: str) -> None: ...

    def clear(self) -> None: ...


class NamespaceVrfs:
    """A namespace per L3VRF, bound at RUN/netns/NAME."""

    def __init__(self, layout: Layout, spaces: Spaces, reader: Reader) -> None:
        self._layout, self._spaces, self._reader = layout, spaces, reader

    def prepare(self) -> None:
        namespaces.mount_directory(self._layout.vrf_directory)
        with namespaces.inside(self._layout.namespace(UNDERLAY)):
            namespaces.write_sysctls(sysctls.ROUTING)
        _loopback_up(self._spaces, self._spaces.underlay)

    def make(self, name: str) -> None:
        path = self._layout.vrf_directory / name
        try:
            namespaces.make(path, sysctls.VRF)
        except OSError as error:
            raise Refused(error.errno or errno.EINVAL, error.strerror or str(error)) from None
        try:
            _loopback_up(self._spaces, self._spaces.at(Place("vrf", name)))
            self._reader.add_vrf(name)
        except Refused:
            namespaces.remove(path)
            raise

    def remove(self, name: str) -> None:
        path = self._layout.vrf_directory / name
        with contextlib.suppress(Refused):
            self._spaces.forget(self._spaces.at(Place("vrf", name)))
        try:
            namespaces.remove(path)
        except OSError as error:
            raise Refused(error.errno or errno.EINVAL, error.strerror or str(error)) from None
        self._reader.drop_vrf(name)

    def clear(self) -> None:
        namespaces.unmount_directory(self._layout.vrf_directory)
        for directory in (self._layout.vrf_directory, self._layout.run):
            with contextlib.suppress(OSError):
                directory.rmdir()


class DeviceVrfs:
    """A VRF device per L3VRF in the element's namespace; whoever finds no route in its table is refused there."""

    def __init__(self, layout: Layout, spaces: Spaces, reader: Reader) -> None:
        self._layout, self._spaces, self._reader = layout, spaces, reader

    def prepare(self) -> None:
        with namespaces.inside(self._layout.namespace(UNDERLAY)):
            namespaces.write_sysctls(sysctls.ROUTING)
        local_table.put_behind_vrfs(self._layout.namespace(UNDERLAY))
        _loopback_up(self._spaces, self._spaces.underlay)

    def make(self, name: str) -> None:
        space = self._spaces.underlay
        socket = self._spaces.socket(space)
        table = table_for(name, self._reader.tables.values())
        socket.do(requests.make_link(name, requests.vrf(table), ("IFLA_GROUP", OUR_GROUP)))
        try:
            for family in (AF_INET, AF_INET6):
                socket.do(requests.make_unreachable_default(family, table, UNREACHABLE_METRIC))
            socket.do(requests.change_link(name, ("IFLA_IFALIAS", alias()), up=True))
        except Refused:
            self._take_down(socket, name, table)
            raise

    def remove(self, name: str) -> None:
        link = self._spaces.underlay.link(name)
        if link is None:
            return
        if not ours(link) or link.kind != "vrf":
            raise Refused(errno.EPERM, f"{name} was not made by nesrv")
        self._take_down(self._spaces.socket(self._spaces.underlay), name, link.table)

    @staticmethod
    def _take_down(socket: RouteSocket, name: str, table: int) -> None:
        for family in (AF_INET, AF_INET6):
            with contextlib.suppress(Refused):
                socket.do(requests.delete_unreachable_default(family, table, UNREACHABLE_METRIC))
        socket.do(requests.delete_named(name))

    def clear(self) -> None:
        local_table.put_first(self._layout.namespace(UNDERLAY))
        with contextlib.suppress(OSError):
            self._layout.run.rmdir()


def _loopback_up(spaces: Spaces, space: Space) -> None:
    """A new namespace has its loopback down, and with it every address of its own out of reach."""
    spaces.socket(space).do(requests.LOOPBACK_UP)


def backend_for(layout: Layout, spaces: Spaces, reader: Reader) -> VrfBackend:
    return NamespaceVrfs(layout, spaces, reader) if layout.kind == "netns" else DeviceVrfs(layout, spaces, reader)


def detect(netns: Path | None) -> BackendName:
    """Tries to make a VRF device in the namespace (None: the process's own), and removes it again."""
    name = f"nesrv{os.getpid() % 10_000_000}"
    socket = RouteSocket(netns or namespaces.OWN_NAMESPACE)
    try:
        socket.do(requests.make_link(name, requests.vrf(table_for(name, ()))))
        socket.do(requests.delete_named(name))
    except Refused as refused:
        logger.info("no VRF devices here (%s): a network namespace for each VRF", refused.words)
        return "netns"
    finally:
        socket.close()
    return "device"
