"""Names from certificates: the order of entries, fingerprints, and what gives no name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from ipaddress import ip_address

import pytest
from cryptography import x509

from nesrv.settings import SettingsError
from nesrv.transport.cert_to_name import CertToName, Fingerprint, name_of
from nesrv.transport.tables import Table
from tests.transport.certificates import Authority, Issued

ROOT = Authority("root")
BETWEEN = Authority("between", ROOT)
CLIENT = BETWEEN.issue("common", alternatives=[x509.DNSName("dns.example")])
CHAIN = [one.der for one in (CLIENT, BETWEEN, ROOT)]


def entry(map_type: str, fingerprint: str | None = None, name: str = "") -> CertToName:
    return CertToName(map_type, None if fingerprint is None else Fingerprint.parse(fingerprint), name)


def called(client: Issued, *entries: CertToName) -> str | None:
    return name_of(entries, [client.der])


def test_the_first_entry_that_gives_a_name_decides() -> None:
    one, other = entry("common-name"), entry("san-dns-name")
    assert called(CLIENT, one, other) == "common"
    assert called(CLIENT, other, one) == "dns.example"


def test_an_entry_that_fits_and_gives_no_name_leaves_it_to_the_next() -> None:
    entries = (entry("san-rfc822-name", CLIENT.fingerprint), entry("san-ip-address"), entry("specified", name="last"))
    assert called(CLIENT, *entries) == "last"


@pytest.mark.parametrize("fits", [CLIENT, BETWEEN, ROOT])
def test_a_fingerprint_is_that_of_the_certificate_or_of_an_authority_above_it(fits: Issued) -> None:
    assert name_of([entry("specified", fits.fingerprint, "x")], CHAIN) == "x"


def test_an_entry_with_the_fingerprint_of_another_certificate_is_passed_over() -> None:
    other = Authority("root").issue("common")
    entries = [entry("specified", other.fingerprint, "wrong"), entry("specified", CLIENT.fingerprint, "right")]
    assert name_of(entries, CHAIN) == "right"
    assert name_of(entries[:1], CHAIN) is None


@pytest.mark.parametrize(("octet", "algorithm"), [(3, "sha224"), (4, "sha256"), (5, "sha384"), (6, "sha512")])
def test_a_fingerprint_says_its_algorithm(octet: int, algorithm: str) -> None:
    digest = hashlib.new(algorithm, CLIENT.der).digest()
    assert Fingerprint.parse(bytes([octet, *digest]).hex(":")).is_of(CLIENT.der)
    assert Fingerprint.parse(bytes([octet, *digest]).hex(":").upper()).is_of(CLIENT.der)
    assert not Fingerprint.parse(bytes([octet, *digest]).hex(":")).is_of(ROOT.der)


@pytest.mark.parametrize(
    "text",
    ["", "04", "04:zz", "04:" + "ab:" * 30 + "ab", "02:" + "ab:" * 19 + "ab", "sha256", "00:" + "ab:" * 31 + "ab"],
)
def test_what_is_no_fingerprint_is_refused_with_how_to_make_one(text: str) -> None:
    with pytest.raises(SettingsError, match="fingerprint"):
        CertToName.read(Table({"map-type": "common-name", "fingerprint": text}, "file"))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "map-type is missing; write one of specified, san-rfc822-name"),
        ({"map-type": "dn"}, "'dn' is no map-type"),
        ({"map-type": "specified"}, "name is missing"),
        ({"map-type": "san-any", "name": "x"}, "'name' is not known here"),
        ({"map-type": 5}, "write map-type as"),
    ],
)
def test_an_entry_that_says_too_little_or_too_much_is_refused(values: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        CertToName.read(Table(values, "file"))


@pytest.mark.parametrize(
    ("names", "map_type", "expected"),
    [
        ([x509.RFC822Name("A.B@EXAMPLE.Net"), x509.RFC822Name("c@d")], "san-rfc822-name", "A.B@example.net"),
        ([x509.DNSName("A.Example"), x509.DNSName("b")], "san-dns-name", "a.example"),
        ([x509.IPAddress(ip_address("192.0.2.1"))], "san-ip-address", "192.0.2.1"),
        ([x509.IPAddress(ip_address("2001:DB8::A"))], "san-ip-address", "20010db800000000000000000000000a"),
        (
            [x509.UniformResourceIdentifier("urn:x"), x509.DNSName("x"), x509.RFC822Name("a@b")],
            "san-any",
            "x",
        ),
        ([x509.RFC822Name("a@b"), x509.DNSName("x")], "san-any", "a@b"),
        ([x509.IPAddress(ip_address("192.0.2.1")), x509.DNSName("x")], "san-any", "192.0.2.1"),
        ([x509.DNSName("x")], "san-rfc822-name", None),
        ([], "san-any", None),
        ([x509.DNSName("")], "san-dns-name", None),
    ],
)
def test_alternative_names(names: Sequence[x509.GeneralName], map_type: str, expected: str | None) -> None:
    assert called(ROOT.issue("common", alternatives=names), entry(map_type)) == expected


def test_common_names() -> None:
    assert called(ROOT.issue("Zoë"), entry("common-name")) == "Zoë"
    assert called(ROOT.issue(), entry("common-name")) is None
    assert called(ROOT.issue("one", "two"), entry("common-name")) is None, "nobody can say which one is meant"
