"""Sequence numbers of a policy's statements: their order alone decides them, and an edit moves few; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

LAST = 65535
"""FRR's greatest sequence number: the entry of the default policy."""
UNITS = (10, 100, 1000, 10000)


def places(names: Sequence[str], widths: Sequence[int]) -> list[int] | None:
    """The first sequence number of each statement, which may have ``widths`` of them; None if there are too few.

    The name with the greatest hash gets the middle number, and each side is divided in the
    same way (a treap): one statement more or less moves two or three of its neighbours on
    average, mostly none.  Where the numbers do not suffice for that they are spread evenly.
    """
    for unit in UNITS:
        if all(width <= unit for width in widths):
            break
    else:
        return None
    room = LAST // unit - 1
    if len(names) > room:
        return None
    weights = [hashlib.blake2b(name.encode(), digest_size=8, person=b"statement").digest() for name in names]
    found: dict[int, int] = {}
    if not _divide(weights, 0, len(names), 1, room + 1, found):
        found = {index: 1 + index * room // len(names) for index in range(len(names))}
    return [found[index] * unit for index in range(len(names))]


def _divide(weights: Sequence[bytes], first: int, end: int, low: int, high: int, found: dict[int, int]) -> bool:
    """Places ``weights[first:end]`` into ``range(low, high)``; False where one side has too little room."""
    if first == end:
        return True
    middle = (low + high) // 2
    top = max(range(first, end), key=lambda index: weights[index])
    if top - first > middle - low or end - top > high - middle:
        return False
    found[top] = middle
    return _divide(weights, first, top, low, middle, found) and _divide(weights, top + 1, end, middle + 1, high, found)
