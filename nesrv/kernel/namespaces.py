"""Network namespaces by path: make, enter for a moment, remove (namespaces(7), ip-netns(8)).

Only the calling thread changes namespace, and only inside :func:`inside` and :func:`make`,
which run no other code of the event loop in between.
"""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

HOST_NAMESPACES = Path("/run/netns")
OWN_NAMESPACE = Path("/proc/thread-self/ns/net")
CLONE_NEWNET = 0x40000000
MS_BIND, MS_REC, MS_SHARED = 0x1000, 0x4000, 1 << 20
MNT_DETACH = 2
BOUND = ".bound"
"""Beside the VRFs' names: the mounts that these are links to.  zebra tries a name the moment it appears and again
only a second later, so a name may appear only once the namespace is behind it."""
DOTS_AND_SLASHES = str.maketrans("./", "/.")

_libc = ctypes.CDLL(None, use_errno=True)
Identity = tuple[int, int]
"""Device and inode number of a namespace: the same for every path that leads to it."""


def _call(name: str, *arguments: int | bytes | None) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def identity(path: Path | str) -> Identity:
    """Raises FileNotFoundError where there is no such namespace."""
    status = os.stat(path)
    return status.st_dev, status.st_ino


@contextmanager
def inside(path: Path | str) -> Iterator[None]:
    """Runs its body in the namespace; raises OSError where there is none."""
    home = os.open(OWN_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        target = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _call("setns", target, CLONE_NEWNET)
        finally:
            os.close(target)
        try:
            yield
        finally:
            _call("setns", home, CLONE_NEWNET)
    finally:
        os.close(home)


def route_socket(path: Path | str) -> socket.socket:
    """An rtnetlink socket of the namespace; it keeps the namespace alive while it is open."""
    with inside(path):
        return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)


def make(path: Path, sysctls: Mapping[str, str]) -> None:
    """Makes a namespace bound at ``path``, with ``sysctls`` set in it.

    Raises FileExistsError or another OSError, and leaves nothing behind then.
    """
    bound = _bound(path)
    bound.parent.mkdir(exist_ok=True)
    os.close(os.open(bound, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0))
    home = os.open(OWN_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call("unshare", CLONE_NEWNET)
        try:
            _call("mount", os.fsencode(OWN_NAMESPACE), os.fsencode(bound), b"none", MS_BIND, None)
            write_sysctls(sysctls)
        finally:
            _call("setns", home, CLONE_NEWNET)
        path.symlink_to(Path(BOUND) / path.name)
    except OSError:
        remove(path)
        raise
    finally:
        os.close(home)


def _bound(path: Path) -> Path:
    return path.parent / BOUND / path.name


def remove(path: Path) -> None:
    """Unbinds the namespace; it goes with its last user.  A path that is only a file is removed as well."""
    path.unlink(missing_ok=True)
    bound = _bound(path)
    _libc.umount2(os.fsencode(bound), MNT_DETACH)
    bound.unlink(missing_ok=True)


def write_sysctls(values: Mapping[str, str]) -> None:
    """In the current namespace, names as sysctl(8) takes them; one that this kernel has not is passed over."""
    for name, value in values.items():
        try:
            descriptor = os.open("/proc/sys/" + name.translate(DOTS_AND_SLASHES), os.O_WRONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            os.write(descriptor, value.encode())
        finally:
            os.close(descriptor)


def mount_directory(path: Path) -> None:
    """Makes ``path`` a shared tmpfs, so that namespaces bound in it appear in FRR's mount namespace too."""
    path.mkdir(parents=True, exist_ok=True)
    if os.path.ismount(path):
        return
    _call("mount", b"nesrv", os.fsencode(path), b"tmpfs", 0, b"mode=755,size=1m,nr_inodes=0")
    _call("mount", b"none", os.fsencode(path), None, MS_REC | MS_SHARED, None)


def unmount_directory(path: Path) -> None:
    _libc.umount2(os.fsencode(path), MNT_DETACH)
