"""Password hashes of crypt(3): SHA-crypt, ``$5$`` (SHA-256) and ``$6$`` (SHA-512).

Python 3.13 has no ``crypt`` module.  The scheme is Ulrich Drepper's "Unix crypt using
SHA-256 and SHA-512"; ``openssl passwd -6`` and ``mkpasswd -m sha512crypt`` write it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Any

MAX_PASSWORD_BYTES = 1024
MIN_ROUNDS, DEFAULT_ROUNDS, MAX_ROUNDS = 1000, 5000, 1_000_000

_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_HASH = re.compile(r"\$([56])\$(?:rounds=([1-9][0-9]{0,8})\$)?([^$\n]{0,16})\$([./0-9A-Za-z]+)")
_DIGESTS: dict[str, tuple[Callable[[bytes], Any], int]] = {"5": (hashlib.sha256, 43), "6": (hashlib.sha512, 86)}

UNKNOWN_USER = "$6$unknown.user.$" + "." * 86
"""Checked for a name that nobody has, so that the answer takes as long as for one that exists."""


def is_hash(stored: str) -> bool:
    """Whether ``stored`` is a hash that ``verify`` understands."""
    match = _HASH.fullmatch(stored)
    return match is not None and len(match[4]) == _DIGESTS[match[1]][1] and _rounds(match) <= MAX_ROUNDS


def verify(stored: str, password: str) -> bool:
    """Whether ``password`` is what ``stored`` says, plain or hashed; takes milliseconds of CPU if hashed."""
    secret = password.encode("utf-8", "surrogateescape")
    if len(secret) > MAX_PASSWORD_BYTES:
        return False
    match = _HASH.fullmatch(stored)
    if match is None:
        return hmac.compare_digest(stored.encode("utf-8"), secret)
    computed = _sha_crypt(_DIGESTS[match[1]][0], secret, match[3].encode("utf-8"), _rounds(match))
    return hmac.compare_digest(match[4], computed)


def _rounds(match: re.Match[str]) -> int:
    return max(MIN_ROUNDS, int(match[2])) if match[2] else DEFAULT_ROUNDS


def _sha_crypt(digest: Callable[[bytes], Any], secret: bytes, salt: bytes, rounds: int) -> str:
    def summed(data: bytes) -> bytes:
        result: bytes = digest(data).digest()
        return result

    def stretched(block: bytes, length: int) -> bytes:
        return (block * (length // len(block) + 1))[:length]

    alternate = summed(secret + salt + secret)
    start = secret + salt + stretched(alternate, len(secret))
    bits = len(secret)
    while bits:
        start += alternate if bits & 1 else secret
        bits >>= 1
    current = summed(start)
    p = stretched(summed(secret * len(secret)), len(secret))
    s = stretched(summed(salt * (16 + current[0])), len(salt))
    for turn in range(rounds):
        odd = turn & 1
        middle = (s if turn % 3 else b"") + (p if turn % 7 else b"")
        current = summed((p if odd else current) + middle + (current if odd else p))
    return _encode(current)


def _encode(digest: bytes) -> str:
    """The scheme's own base 64: bytes in threes, each third of the digest giving one."""
    third = len(digest) // 3
    turn = -1 if len(digest) == 32 else 1
    order, triple = [], (0, third, 2 * third)
    for _ in range(third):
        order.append(triple)
        a, b, c = (index + 1 for index in triple)
        triple = (c, a, b) if turn < 0 else (b, c, a)
    written = [_base64(digest[a] << 16 | digest[b] << 8 | digest[c], 4) for a, b, c in order]
    last = _base64(digest[31] << 8 | digest[30], 3) if turn < 0 else _base64(digest[63], 2)
    return "".join(written) + last


def _base64(value: int, count: int) -> str:
    return "".join(_ALPHABET[value >> 6 * place & 63] for place in range(count))
