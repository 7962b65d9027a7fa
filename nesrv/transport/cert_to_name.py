"""The user's name from a client's certificate (RFC 7589, section 7; RFC 7407, ietf-x509-cert-to-name).

The entries are asked in their order.  One without a fingerprint goes for every certificate that was verified.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address

from cryptography import x509
from cryptography.x509.oid import NameOID

from nesrv.settings import SettingsError
from nesrv.transport.tables import Table

HASHES = {3: "sha224", 4: "sha256", 5: "sha384", 6: "sha512"}
"""The first octet of a fingerprint (tls-fingerprint).  1 and 2, MD5 and SHA-1, are too weak to name anybody."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    hash: str
    digest: bytes

    @classmethod
    def parse(cls, text: str) -> Fingerprint:
        """``04:AB:…``; raises ValueError."""
        try:
            algorithm, *rest = bytes.fromhex(text.replace(":", ""))
        except ValueError:
            raise ValueError("it is not written in pairs of hexadecimal digits") from None
        name = HASHES.get(algorithm)
        if name is None or len(rest) != hashlib.new(name).digest_size:
            raise ValueError("its first pair, 03 to 06 for SHA-224 to SHA-512, does not go with the rest")
        return cls(name, bytes(rest))

    def is_of(self, certificate: bytes) -> bool:
        """Whether it is that of ``certificate``, in DER."""
        return hashlib.new(self.hash, certificate).digest() == self.digest


@dataclass(frozen=True, slots=True)
class CertToName:
    """``name`` is that of map type ``specified``, empty for the others."""

    map_type: str
    fingerprint: Fingerprint | None = None
    name: str = ""

    @classmethod
    def read(cls, table: Table) -> CertToName:
        """Raises SettingsError."""
        map_type, text = table.choice("map-type", tuple(MAP_TYPES)), table.optional("fingerprint")
        name = table.text("name") if map_type == SPECIFIED else ""
        table.finish()
        try:
            return cls(map_type, None if text is None else Fingerprint.parse(text), name)
        except ValueError as error:
            raise SettingsError(
                f"{table.where}: the fingerprint is of no kind that is known: {error}; write 04: and what "
                '"openssl x509 -noout -fingerprint -sha256" prints behind its ='
            ) from None

    def name_of(self, chain: Sequence[bytes], certificate: x509.Certificate) -> str | None:
        if self.fingerprint is not None and not any(map(self.fingerprint.is_of, chain)):
            return None
        return MAP_TYPES[self.map_type](self, certificate) or None


def name_of(entries: Iterable[CertToName], chain: Sequence[bytes]) -> str | None:
    """The name that the first fitting entry gives; ``chain`` is as it was verified, in DER, the client's own first.

    Raises ValueError for a certificate that cannot be read.
    """
    certificate = x509.load_der_x509_certificate(chain[0])
    names = (entry.name_of(chain, certificate) for entry in entries)
    return next((name for name in names if name is not None), None)


def _email(name: x509.RFC822Name) -> str:
    """The part after the @ in small letters, the one before as it is."""
    local, at, host = name.value.rpartition("@")
    return f"{local}{at}{host.lower()}"


def _domain(name: x509.DNSName) -> str:
    return name.value.lower()


def _address(name: x509.IPAddress) -> str:
    """IPv4 with dots, IPv6 as 32 hexadecimal digits."""
    return name.value.packed.hex() if isinstance(name.value, IPv6Address) else str(name.value)


_TEXTS: dict[type[x509.GeneralName], Callable[..., str]] = {
    x509.RFC822Name: _email,
    x509.DNSName: _domain,
    x509.IPAddress: _address,
}


def _alternative(*kinds: type[x509.GeneralName]) -> Callable[[CertToName, x509.Certificate], str | None]:
    """The first subjectAltName that is of one of the ``kinds``."""

    def first(_: CertToName, certificate: x509.Certificate) -> str | None:
        try:
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return None
        return next((_TEXTS[type(name)](name) for name in names if isinstance(name, kinds)), None)

    return first


def _common_name(_: CertToName, certificate: x509.Certificate) -> str | None:
    """Of two nobody could say which one is meant."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if len(found) == 1 else None


SPECIFIED = "specified"
MAP_TYPES: dict[str, Callable[[CertToName, x509.Certificate], str | None]] = {
    SPECIFIED: lambda entry, _: entry.name,
    "san-rfc822-name": _alternative(x509.RFC822Name),
    "san-dns-name": _alternative(x509.DNSName),
    "san-ip-address": _alternative(x509.IPAddress),
    "san-any": _alternative(*_TEXTS),
    "common-name": _common_name,
}
