"""Authorities, certificates and revocation lists, made for one test."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)
NOW = datetime.now(UTC)


def _name(*common_names: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text) for text in common_names])


@dataclass(frozen=True)
class Issued:
    certificate: x509.Certificate
    private: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        return "04:" + hashlib.sha256(self.der).digest().hex(":").upper()

    def write(self, folder: Path, name: str, *more: Issued) -> tuple[Path, Path]:
        """The certificate, with ``more`` behind it, and the key, as files."""
        cert, key = folder / f"{name}.pem", folder / f"{name}.key"
        cert.write_bytes(self.pem + b"".join(one.pem for one in more))
        key.touch(mode=0o600)
        key.write_bytes(self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return cert, key


class Authority(Issued):
    """Signs certificates; a root of its own unless ``above`` signs it."""

    def __init__(self, name: str, above: Authority | None = None) -> None:
        private = ec.generate_private_key(ec.SECP256R1())
        issuer, signer = (_name(name), private) if above is None else (above.certificate.subject, above.private)
        builder = _builder(_name(name), issuer, private, NOW + 10 * DAY)
        builder = builder.add_extension(x509.BasicConstraints(True, None), True)
        super().__init__(builder.sign(signer, hashes.SHA256()), private)

    def issue(
        self,
        *common_names: str,
        alternatives: Sequence[x509.GeneralName] = (),
        end: datetime = NOW + DAY,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH,
    ) -> Issued:
        private = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(*common_names), self.certificate.subject, private, end)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), False)
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), False)
        return Issued(builder.sign(self.private, hashes.SHA256()), private)

    def server(self, *hosts: x509.GeneralName) -> Issued:
        return self.issue("server", alternatives=hosts, usage=ExtendedKeyUsageOID.SERVER_AUTH)

    def revoke(self, revoked: Iterable[Issued], end: datetime = NOW + DAY) -> bytes:
        """The list of revoked certificates, in PEM."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(NOW - 2 * DAY).next_update(end)
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number).revocation_date(NOW)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.private, hashes.SHA256()).public_bytes(Encoding.PEM)


def _builder(
    subject: x509.Name, issuer: x509.Name, private: ec.EllipticCurvePrivateKey, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 2 * DAY)
        .not_valid_after(end)
    )
