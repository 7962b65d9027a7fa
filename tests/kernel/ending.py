"""A process that ends in the middle of what it does."""

from __future__ import annotations

from typing import Any


class Ended(BaseException):
    """The process ends here."""


def ending_at(position: int) -> Any:
    """Lets ``position`` calls of the methods that it guards pass, then ends the process."""
    left = [position]

    def guard(method: Any) -> Any:
        def wrapped(*arguments: Any) -> None:
            if left[0] == 0:
                raise Ended
            left[0] -= 1
            method(*arguments)

        return wrapped

    return guard
