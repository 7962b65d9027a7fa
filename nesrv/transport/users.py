"""Who may log in: the users file, and user tables that other parts of the server lay on top of it.

A table with an administrator who can log in hides what lies below it, so that the users of the
first start end with the first configured administrator, and nobody can lock everybody out.

The file is TOML::

    [[user]]
    name = "admin"
    password = "$6$…"              # as openssl passwd -6 prints it ($5$ too), or plain text
    authorized_keys = ["ssh-ed25519 AAAA… admin@laptop"]
    role = "SYSTEM_ROLE_ADMIN"     # if left out; another name is that of a group of access control
"""

from __future__ import annotations

import logging
import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from nesrv.features.users import ADMIN
from nesrv.settings import SettingsError
from nesrv.transport import passwords

logger = logging.getLogger(__name__)

EXAMPLE = '[[user]]\nname = "admin"\npassword = "…"  # better: what "openssl passwd -6" prints\n'
_FILE = "file"
_FIELDS = frozenset({"name", "password", "authorized_keys", "role"})


@dataclass(frozen=True, slots=True)
class User:
    """``password`` is plain or a crypt(3) hash (``$5$``, ``$6$``), None for none; keys as in authorized_keys;
    ``role`` is ``SYSTEM_ROLE_ADMIN`` or the name of a group."""

    name: str
    password: str | None = field(default=None, repr=False)
    authorized_keys: tuple[str, ...] = ()
    role: str = ADMIN


@dataclass(frozen=True, slots=True)
class _Account:
    password: str | None = field(repr=False)
    keys: tuple[asyncssh.SSHKey, ...]
    role: str

    @property
    def is_ruling(self) -> bool:
        """An administrator who can log in."""
        return self.role == ADMIN and (self.password is not None or bool(self.keys))


class UserStore:
    """Users by source; of two sources that know a name, the one set up later decides.

    ``banner`` is shown before the login, "" for none.
    """

    def __init__(self, users: Iterable[User] = ()) -> None:
        self.banner = ""
        self._sources: dict[str, Mapping[str, _Account]] = {}
        self.replace_source(_FILE, users)

    @classmethod
    def load(cls, path: Path) -> UserStore:
        """The users of the file at ``path``; raises SettingsError, also if there are none."""
        return cls(_read(path))

    def replace_source(self, source: str, users: Iterable[User]) -> None:
        """Put ``users`` in the place of all that ``source`` had; raises SettingsError, and then keeps those."""
        self._sources[source] = {user.name: _account(user, source) for user in users}

    def check_password(self, name: str, password: str) -> bool:
        """Takes milliseconds of CPU, whether the user exists or not; safe in a thread."""
        account = self._account(name)
        if account is None or account.password is None:
            passwords.verify(passwords.UNKNOWN_USER, password)
            return False
        return passwords.verify(account.password, password)

    def keys(self, name: str) -> tuple[asyncssh.SSHKey, ...]:
        """The public keys with which ``name`` may log in."""
        account = self._account(name)
        return () if account is None else account.keys

    def groups(self, name: str) -> tuple[str, ...]:
        """What access control goes by: the role of ``name``, nothing for who may not log in."""
        account = self._account(name)
        return () if account is None else (account.role,)

    def _account(self, name: str) -> _Account | None:
        for accounts in reversed(self._sources.values()):
            if name in accounts:
                return accounts[name]
            if any(account.is_ruling for account in accounts.values()):
                return None
        return None


def _account(user: User, source: str) -> _Account:
    who = f"user {user.name!r} ({source})"
    if user.password is not None and user.password.startswith("$") and not passwords.is_hash(user.password):
        raise SettingsError(
            f"{who}: the password looks like a hash of a kind that is not known; "
            'write what "openssl passwd -6" prints, which begins with $6$'
        )
    if user.password == "":
        raise SettingsError(f"{who}: an empty password is none; leave the line out and use authorized_keys")
    return _Account(user.password, tuple(_key(line, who) for line in user.authorized_keys), user.role)


def _key(line: str, who: str) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_public_key(line)
    except asyncssh.KeyImportError as error:
        raise SettingsError(
            f"{who}: {line[:40]!r} is no public key ({error}); write it as in a .pub file: ssh-ed25519 AAAA…"
        ) from None


def _read(path: Path) -> list[User]:
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
            mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        raise SettingsError(f"there is no users file {path}; nobody could log in. Write into it:\n{EXAMPLE}") from None
    except (OSError, ValueError) as error:
        raise SettingsError(f"the users file {path} cannot be read: {error}") from None
    if mode & 0o077:
        logger.warning("others can read the users file %s: chmod 600 %s", path, path)
    entries = content.pop("user", [])
    if content or not isinstance(entries, list):
        raise SettingsError(f"{path}: only [[user]] is known there, as in:\n{EXAMPLE}")
    users = [_user(entry, path) for entry in entries]
    if not users:
        raise SettingsError(f"{path} has no user; nobody could log in. Write into it:\n{EXAMPLE}")
    if len({user.name for user in users}) < len(users):
        raise SettingsError(f"{path}: two users have the same name")
    return users


def _user(entry: object, path: Path) -> User:
    """Raises SettingsError naming what the entry lacks."""
    if not isinstance(entry, dict):
        raise SettingsError(f"{path}: a user is written as in:\n{EXAMPLE}")
    if unknown := sorted(set(entry) - _FIELDS):
        raise SettingsError(f"{path}: {unknown[0]!r} is not known in [[user]]; known are {', '.join(sorted(_FIELDS))}")
    name, password, keys = entry.get("name"), entry.get("password"), entry.get("authorized_keys", [])
    if not isinstance(name, str) or not name:
        raise SettingsError(f'{path}: a [[user]] has no name; add the line name = "…"')
    if not (password is None or isinstance(password, str)):
        raise SettingsError(f"{path}: the password of {name!r} must stand in quotes")
    if not (isinstance(keys, list) and all(isinstance(key, str) for key in keys)):
        raise SettingsError(f'{path}: write the keys of {name!r} as authorized_keys = ["ssh-ed25519 AAAA…"]')
    if password is None and not keys:
        raise SettingsError(f'{path}: {name!r} cannot log in; add a line password = "…" or authorized_keys = ["…"]')
    role = entry.get("role", ADMIN)
    if not isinstance(role, str) or not role:
        raise SettingsError(f'{path}: write the role of {name!r} as role = "…", or leave it out for {ADMIN}')
    return User(name, password, tuple(keys), role)
