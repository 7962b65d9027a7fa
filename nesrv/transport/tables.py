"""Settings files in TOML, read by name and type; what nobody asked for is refused by name."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from nesrv.settings import SettingsError


class Table:
    """One table; ``where`` begins the messages.  Everything raises SettingsError."""

    def __init__(self, values: dict[str, object], where: str) -> None:
        self.where = where
        self._values = dict(values)
        self._known: list[str] = []

    def _take(self, name: str) -> object:
        self._known.append(name)
        return self._values.pop(name, None)

    def optional(self, name: str) -> str | None:
        value = self._take(name)
        if value is not None and (not isinstance(value, str) or not value):
            raise SettingsError(f'{self.where}: write {name} as {name} = "…"')
        return value

    def text(self, name: str) -> str:
        value = self.optional(name)
        if value is None:
            raise SettingsError(f'{self.where}: {name} is missing; add a line {name} = "…"')
        return value

    def choice(self, name: str, choices: Sequence[str], default: str | None = None) -> str:
        value = self.optional(name) or default
        if value is None or value not in choices:
            why = f"{name} is missing" if value is None else f"{value!r} is no {name}"
            raise SettingsError(f"{self.where}: {why}; write one of {', '.join(choices)}")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A string or an array of strings; none if it is not there."""
        value = self._take(name)
        listed = [] if value is None else value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) and item for item in listed):
            raise SettingsError(f'{self.where}: write {name} as {name} = "…" or {name} = ["…", "…"]')
        return tuple(listed)

    def number(self, name: str, default: int, most: int = 32767) -> int:
        """A whole number from 1 to ``most``."""
        value = self._take(name)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise SettingsError(f"{self.where}: {name} must be a whole number from 1 to {most}")
        return value

    def tables(self, name: str) -> list[Table]:
        """The tables ``[[name]]``, in their order."""
        value = self._take(name)
        listed = [] if value is None else value
        if not (isinstance(listed, list) and all(isinstance(item, dict) for item in listed)):
            raise SettingsError(f"{self.where}: {name} is written as a table of its own: [[{name}]]")
        return [Table(item, f"{self.where}: [[{name}]] {number}") for number, item in enumerate(listed, 1)]

    def finish(self) -> None:
        """Everything was asked for."""
        for name in self._values:
            raise SettingsError(f"{self.where}: {name!r} is not known here; known are {', '.join(self._known)}")


def read(path: Path, option: str) -> Table:
    """The file that ``option`` names; raises SettingsError."""
    where = f"{option} {path}"
    try:
        with path.open("rb") as file:
            return Table(tomllib.load(file), where)
    except OSError as error:
        raise SettingsError(f"{where}: {error.strerror}") from None
    except ValueError as error:
        raise SettingsError(f"{where}: this is no TOML: {error}") from None
