"""Addresses as operators write them."""

from __future__ import annotations

import pytest

from nesrv.settings import SettingsError, parse_listen


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8300", ("127.0.0.1", 8300)),
        ("[::1]:8300", ("::1", 8300)),
        ("[::1]", ("::1", 830)),
        ("router.example", ("router.example", 830)),
        (":830", ("", 830)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
    ],
)
def test_an_address_is_host_and_port(text: str, address: tuple[str, int]) -> None:
    assert parse_listen(text) == address


@pytest.mark.parametrize("text", ["::1", "::1:830", "host:", "host:ssh", "host:70000", "host:-1", "host:¹"])
def test_what_is_no_address_is_refused_with_one_that_is(text: str) -> None:
    with pytest.raises(SettingsError, match="830"):
        parse_listen(text)
