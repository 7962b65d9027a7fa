"""What ``--tls FILE`` says: the server's certificate, whose clients are trusted, and what they are called.

The file is TOML; paths are relative to it::

    listen = "127.0.0.1:6513"      # left out: for clients that are called only
    cert = "server.pem"            # with the certificates between it and the root behind it
    key = "server.key"
    ca = ["clients-ca.pem"]        # trust anchors for the certificates of clients
    crl = ["clients-ca.crl"]       # optional; then one of each authority is needed

    [[cert-to-name]]               # asked in this order, as in ietf-x509-cert-to-name
    fingerprint = "04:AB:…"        # of the client's certificate or an authority of it; left out: any
    map-type = "san-rfc822-name"
"""

from __future__ import annotations

import logging
import re
import ssl
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from nesrv.settings import SettingsError, parse_address
from nesrv.transport.alerts import AlertingContext
from nesrv.transport.cert_to_name import CertToName
from nesrv.transport.tables import read

logger = logging.getLogger(__name__)

NETCONF_TLS_PORT = 6513
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: forward secrecy and authenticated encryption only (RFC 9325).  Those of TLS 1.3 are all so."""
_NO_LIST = re.compile(rb"-----BEGIN (?!X509 CRL-)")


@dataclass(frozen=True, slots=True)
class Credentials:
    """``listen`` is None when clients are called only."""

    listen: tuple[str, int] | None
    cert: Path
    key: Path
    ca: tuple[Path, ...]
    crl: tuple[Path, ...]
    entries: tuple[CertToName, ...]

    @classmethod
    def load(cls, path: Path) -> Credentials:
        """The file at ``path`` and those that it names; raises SettingsError."""
        table = read(path, "--tls")
        listen = table.optional("listen")
        found = cls(
            None if listen is None else parse_address(listen, NETCONF_TLS_PORT, f"{table.where}: listen"),
            path.parent / table.text("cert"),
            path.parent / table.text("key"),
            tuple(path.parent / name for name in table.texts("ca")),
            tuple(path.parent / name for name in table.texts("crl")),
            tuple(map(CertToName.read, table.tables("cert-to-name"))),
        )
        table.finish()
        if not found.ca:
            raise SettingsError(f'{table.where}: no client would be trusted; add a line ca = "clients-ca.pem"')
        if not found.entries:
            raise SettingsError(f"{table.where}: no client would have a name; add a table [[cert-to-name]]")
        found.context()
        found._look_closer()
        return found

    def context(self) -> AlertingContext:
        """For one connection: what the files hold now.  Raises SettingsError.

        A context that lives on would let clients resume sessions, for which neither certificates nor revocation
        lists are looked at again.
        """
        context = AlertingContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
        context.num_tickets = 0
        context.set_ciphers(CIPHERS)
        path = self.cert
        try:
            # A password, or OpenSSL would ask the terminal for that of an encrypted key.
            context.load_cert_chain(self.cert, self.key, password="")
            for path in self.ca:
                context.load_verify_locations(path)
            for path in self.crl:
                # OpenSSL would trust a certificate in it.
                if _NO_LIST.search(path.read_bytes()):
                    raise SettingsError(f"--tls: crl {path} holds something else than revocation lists (X509 CRL)")
                context.load_verify_locations(path)
        except ssl.SSLError as error:
            which = f"{self.cert} and {self.key} do" if path == self.cert else f"{path} does"
            raise SettingsError(f"--tls: {which} not hold what is needed, in PEM: {error.reason or error}") from None
        except OSError as error:
            which = f"{self.cert} or {self.key}" if path == self.cert else str(path)
            raise SettingsError(f"--tls: {which}: {error.strerror}") from None
        if self.crl:
            context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_CHAIN
        return context

    def _look_closer(self) -> None:
        """Warn of what works and should not stay."""
        if stat.S_IMODE(self.key.stat().st_mode) & 0o077:
            logger.warning("others can read the private key %s: chmod 600 %s", self.key, self.key)
        end = x509.load_pem_x509_certificate(self.cert.read_bytes()).not_valid_after_utc
        if end < datetime.now(UTC):
            logger.warning("the certificate %s expired on %s: clients will refuse it", self.cert, end.date())
