"""Configurations in files that clients name by URL (RFC 6241 §8.8): one directory, plain names, nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lxml import etree

from nesrv import errors
from nesrv.datastore.incoming import NETCONF
from nesrv.settings import MAX_MESSAGE_BYTES

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,199}")
_PARSER = etree.XMLParser(
    resolve_entities=False, load_dtd=False, no_network=True, remove_comments=True, remove_pis=True, collect_ids=False
)


class Files:
    """The files of ``directory``, which is made where it is missing; raises ``OSError`` then where it cannot be."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.absolute()
        self._writing = asyncio.Lock()
        directory.mkdir(mode=0o700, exist_ok=True)
        with self._opened() as place:
            os.fchmod(place, 0o700)

    def name(self, url: str) -> str:
        """The file that ``url`` means: ``file:NAME``, ``file://NAME`` or ``file://`` with the whole path of a file in
        the directory; raises invalid-value for any other URL."""
        try:
            parts = urlsplit(url.strip())
        except ValueError:
            raise _refused(url, "this is no URL") from None
        if parts.scheme.lower() != "file":
            raise _refused(url, "only file URLs are served")
        if parts.query or parts.fragment:
            raise _refused(url, "a file URL has neither query nor fragment")
        host = "" if parts.netloc == "localhost" else parts.netloc
        path = unquote(host + parts.path, errors="replace")
        found = path.removeprefix(f"{self._directory}/")
        if not _NAME.fullmatch(found):
            raise _refused(url, f"write file:NAME, NAME being the plain name of a file in {self._directory}")
        return found

    async def read(self, url: str) -> Any:
        """The ``<config>`` in the file; raises invalid-value, data-missing, operation-failed, too-big."""
        name = self.name(url)
        with _told(name):
            text = await asyncio.to_thread(self._read, name)
        try:
            root = etree.fromstring(text, _PARSER)
        except etree.XMLSyntaxError as error:
            raise errors.OperationFailed(f"The file {name} is no XML document: {error}.") from error
        if root.getroottree().docinfo.internalDTD is not None:
            raise errors.OperationFailed(f"The file {name} has a DOCTYPE, which no configuration has.")
        if root.tag not in (f"{{{NETCONF}}}config", "config"):
            raise errors.OperationFailed(f"The file {name} does not hold one <config> of NETCONF.")
        return root

    async def write(self, url: str, fragments: Iterable[bytes]) -> None:
        """The file becomes ``fragments`` within ``<config>``, at once and synced, for its owner's eyes only; raises
        invalid-value, operation-failed."""
        name = self.name(url)
        content = b"".join((f'<config xmlns="{NETCONF}">'.encode(), *fragments, b"</config>\n"))
        async with self._writing:
            with _told(name):
                await asyncio.to_thread(self._write, name, content)

    async def delete(self, url: str) -> None:
        """Raises invalid-value, data-missing, operation-failed."""
        name = self.name(url)
        async with self._writing:
            with _told(name):
                await asyncio.to_thread(self._delete, name)

    # In a thread

    @contextmanager
    def _opened(self) -> Iterator[int]:
        place = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            yield place
        finally:
            os.close(place)

    def _read(self, name: str) -> bytes:
        with self._opened() as place:
            _check_plain(name, place)
            # Should it have become a FIFO since, opening it does not wait.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            with os.fdopen(os.open(name, flags, dir_fd=place), "rb") as file:
                _check_file(name, os.fstat(file.fileno()))
                text = file.read(MAX_MESSAGE_BYTES + 1)
        if len(text) > MAX_MESSAGE_BYTES:
            raise errors.TooBig(f"The file {name} is larger than {MAX_MESSAGE_BYTES} bytes.")
        return text

    def _write(self, name: str, content: bytes) -> None:
        new = f".{name}.new"
        with self._opened() as place:
            with contextlib.suppress(FileNotFoundError):
                _check_plain(name, place)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(new, dir_fd=place)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            try:
                with os.fdopen(os.open(new, flags, 0o600, dir_fd=place), "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(new, name, src_dir_fd=place, dst_dir_fd=place)
            except OSError:
                with contextlib.suppress(OSError):
                    os.unlink(new, dir_fd=place)
                raise
            os.fsync(place)

    def _delete(self, name: str) -> None:
        with self._opened() as place:
            _check_plain(name, place)
            os.unlink(name, dir_fd=place)
            os.fsync(place)


def _check_plain(name: str, place: int) -> None:
    _check_file(name, os.stat(name, dir_fd=place, follow_symlinks=False))


def _check_file(name: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise errors.InvalidValue(f"{name} is no plain file.", info=(("bad-element", "url"),), type="protocol")


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise errors.DataMissing(f"There is no file {name}.", type="protocol") from None
    except OSError as error:
        raise errors.OperationFailed(f"The file {name}: {error.strerror}. Nothing was changed.") from error


def _refused(url: str, why: str) -> errors.RpcError:
    return errors.InvalidValue(
        f"The URL {url.strip()[:200]} is refused: {why}.", info=(("bad-element", "url"),), type="protocol"
    )
