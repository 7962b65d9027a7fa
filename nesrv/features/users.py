"""Who may log in.

OpenConfig: /system/aaa/authentication/users/user.
"""

from __future__ import annotations

import re
import struct
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features.feature import Export, Lookup

ADMIN = "SYSTEM_ROLE_ADMIN"
CRYPT = re.compile(r"\$[56]\$(?:rounds=[0-9]+\$)?[^$\n]{0,16}\$[./0-9A-Za-z]{43,86}")
"""SHA-crypt; the table of users looks closer."""


@dataclass(frozen=True, slots=True)
class User:
    """``password``: plain or a crypt(3) hash, None for none; ``ssh_keys``: lines of authorized_keys; ``role``
    is ``SYSTEM_ROLE_ADMIN`` or the name of a group."""

    name: str
    password: str | None = field(repr=False)
    ssh_keys: tuple[str, ...]
    role: str
    path: str = field(compare=False)
    domain: ClassVar[str] = "users"
    rank: ClassVar[tuple[int, ...]] = (40,)

    @property
    def key(self) -> tuple[str, ...]:
        return ("user", self.name)


class Users:
    name = "users"
    point = "/openconfig-system:system/aaa/authentication/users/user"
    claims = frozenset({"config/password", "config/password-hashed", "config/ssh-key", "config/role"})

    def exports(self, entry: Node) -> Iterator[Export]:
        return iter(())

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        name, password = entry.text("username"), _password(entry)
        if not name or any(not character.isprintable() or character.isspace() for character in name):
            raise errors.InvalidValue(
                "A username has neither spaces nor control characters, and is not empty.",
                entry.path_of("config/username"),
                "nesrv-username",
            )
        keys = tuple(row.strip() for row in (entry.leaf("config/ssh-key") or "").splitlines() if row.strip())
        if not all(map(_is_key, keys)):
            raise errors.InvalidValue(
                f"The ssh-key of {name} is not a public key as OpenSSH writes it: ssh-ed25519 AAAA…",
                entry.path_of("config/ssh-key"),
                "nesrv-ssh-key",
            )
        yield User(name, password, keys, _role(entry.text("config/role")), entry.path)


def _password(entry: Node) -> str | None:
    """Plain or hashed, whichever is there; raises InvalidValue."""
    plain, hashed = entry.leaf("config/password"), entry.leaf("config/password-hashed")
    leaf = "config/password" if hashed is None else "config/password-hashed"
    if plain is not None and hashed is not None:
        why = "A user has a password or a password-hashed; leave one of them out."
    elif plain == "":
        why = "An empty password is none; leave it out."
    elif hashed is not None and CRYPT.fullmatch(hashed) is None:
        why = "This is no hash that nesrv can check; 'openssl passwd -6' prints one, which begins with $6$."
    else:
        return plain if hashed is None else hashed
    raise errors.InvalidValue(why, entry.path_of(leaf), "nesrv-password")


def _role(configured: str) -> str:
    """An identity of the model without its prefix, which is the client's own; other names as they are."""
    local = configured.rpartition(":")[2]
    return local if local == ADMIN else configured


def _is_key(row: str) -> bool:
    """Whether the row is ``TYPE BASE64 [comment]`` and the encoded key is of that type (RFC 4253, section 6.6)."""
    words = row.split()
    if len(words) < 2:
        return False
    try:
        blob = b64decode(words[1], validate=True)
        (length,) = struct.unpack_from(">I", blob)
    except (Base64Error, ValueError, struct.error):
        return False
    return blob[4 : 4 + length] == words[0].encode() and len(blob) > 4 + length
