"""SHA-crypt, held against the vectors of its specification and against openssl."""

from __future__ import annotations

import subprocess

import pytest

from nesrv.transport import passwords

VECTORS = [
    (
        "Hello world!",
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
    ),
    ("Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
    ("Hello world!", "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA"),
]


@pytest.mark.parametrize(("password", "stored"), VECTORS)
def test_the_vectors_of_the_specification(password: str, stored: str) -> None:
    assert passwords.is_hash(stored)
    assert passwords.verify(stored, password)
    assert not passwords.verify(stored, password + "!")
    assert not passwords.verify(stored[:-1] + ("." if stored[-1] != "." else "/"), password)


@pytest.mark.parametrize("scheme", ["-5", "-6"])
@pytest.mark.parametrize("password", ["a", "påss wörd", "x" * 63, "x" * 64, "y" * 130])
def test_what_openssl_writes_is_understood(scheme: str, password: str) -> None:
    found = subprocess.run(["openssl", "passwd", scheme, "-stdin"], input=password, capture_output=True, text=True)
    stored = found.stdout.strip()
    assert passwords.is_hash(stored)
    assert passwords.verify(stored, password)
    assert not passwords.verify(stored, password[:-1])


def test_a_plain_password_is_compared_as_it_is() -> None:
    assert passwords.verify("påss", "påss")
    assert not passwords.verify("påss", "pass")
    assert not passwords.verify("", "x")


@pytest.mark.parametrize("stored", ["$1$abc$def", "$6$salt$short", "$2b$12$abc", "$6$rounds=999999999$s$" + "." * 86])
def test_other_schemes_are_not_taken_for_hashes(stored: str) -> None:
    assert not passwords.is_hash(stored)


def test_a_password_of_any_length_costs_no_more_than_a_bounded_one() -> None:
    assert not passwords.verify("z" * 2000, "z" * 2000)


def test_nobody_has_the_password_of_the_unknown_user() -> None:
    assert passwords.is_hash(passwords.UNKNOWN_USER)
    assert not passwords.verify(passwords.UNKNOWN_USER, "")
