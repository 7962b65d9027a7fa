"""The file of --tls: what it must say, and what the files that it names must hold."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from nesrv.settings import Settings, SettingsError
from nesrv.transport.credentials import Credentials
from nesrv.transport.doors import Doors
from nesrv.transport.users import UserStore
from tests.transport.certificates import DAY, NOW, Authority
from tests.transport.secured import COMMON_NAME, Site


def change(old: str, new: str) -> Callable[[Site], None]:
    def changed(files: Site) -> None:
        path = files.folder / "tls.toml"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return changed


def put(name: str, text: bytes) -> Callable[[Site], None]:
    def written(files: Site) -> None:
        (files.folder / name).write_bytes(text)

    return written


def other_key(files: Site) -> None:
    files.authority.issue("x").write(files.folder, "x")[1].rename(files.folder / "server.key")


def encrypted_key(files: Site) -> None:
    secret = BestAvailableEncryption(b"secret")
    text = files.authority.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret)
    (files.folder / "server.key").write_bytes(text)


def list_with_a_certificate(files: Site) -> None:
    stranger = Authority("clients")
    (files.folder / "ca.crl").write_bytes(files.authority.revoke([]) + stranger.pem)
    change('ca = "ca.pem"', 'ca = "ca.pem"\ncrl = "ca.crl"')(files)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (change('listen = "127.0.0.1:0"', 'listen = "::1"'), "listen ::1: write an IPv6 address in brackets"),
        (change('listen = "127.0.0.1:0"', "listen = 6513"), "write listen as listen ="),
        (change('cert = "server.pem"\n', ""), "cert is missing; add a line cert ="),
        (change("server.pem", "nowhere.pem"), "nowhere.pem or .*: No such file"),
        (change('ca = "ca.pem"', "ca = []"), "no client would be trusted"),
        (change('ca = "ca.pem"', "ca = [5]"), "write ca as"),
        (change("ca.pem", "nowhere.pem"), "nowhere.pem: No such file"),
        (change('ca = "ca.pem"', 'ca = "ca.pem"\ncrl = "nowhere.crl"'), "nowhere.crl: No such file"),
        (change('ca = "ca.pem"', 'ca = "ca.pem"\ncerts = "x"'), "'certs' is not known here; known are listen, cert"),
        (change(COMMON_NAME, ""), "no client would have a name"),
        (change("common-name", "uncommon-name"), r"\[\[cert-to-name\]\] 1: 'uncommon-name' is no map-type"),
        (put("server.pem", b"hello"), "server.pem and .*server.key do not hold what is needed, in PEM"),
        (put("ca.pem", b"hello"), "ca.pem does not hold what is needed, in PEM"),
        (other_key, "do not hold what is needed, in PEM: KEY_VALUES_MISMATCH"),
        (encrypted_key, "server.key do not hold what is needed"),
        (list_with_a_certificate, "ca.crl holds something else than revocation lists"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, spoil: Callable[[Site], None], told: str) -> None:
    files = Site(tmp_path)
    path = files.settings()
    Credentials.load(path)
    spoil(files)
    with pytest.raises(SettingsError, match=told):
        Credentials.load(path)


def test_files_are_found_beside_the_settings_and_anywhere_else(tmp_path: Path) -> None:
    files = Site(tmp_path)
    path = files.settings()
    change('"ca.pem"', f'["{tmp_path / "ca.pem"}"]')(files)
    found = Credentials.load(path)
    assert (found.cert, found.ca) == (tmp_path / "server.pem", (tmp_path / "ca.pem",))


def test_the_port_is_that_of_netconf_over_tls_unless_given(tmp_path: Path) -> None:
    assert Credentials.load(Site(tmp_path).settings("[::1]")).listen == ("::1", 6513)


def test_a_key_that_others_can_read_and_an_expired_certificate_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    files = Site(tmp_path)
    Credentials.load(files.settings())
    assert caplog.text == ""
    files.authority.issue("server", end=NOW - DAY).write(tmp_path, "server")[1].chmod(0o644)
    Credentials.load(files.settings())
    assert "others can read the private key" in caplog.text
    assert "server.pem expired on" in caplog.text


# With call home


def doors(folder: Path, tls: Path | None, call_home: str | None) -> Doors:
    path = None if call_home is None else folder / "home.toml"
    if path is not None:
        path.write_text(f'[[call-home]]\nname = "nms"\nendpoints = "nms"\ntransport = "{call_home}"\n')
    return Doors(Settings(("", 0), folder, folder / "users", tls=tls, call_home=path), UserStore())


def test_calls_over_tls_need_certificates_and_certificates_need_a_use(tmp_path: Path) -> None:
    files = Site(tmp_path)
    for call_home in (None, "ssh"):
        doors(tmp_path, None, call_home)
    for call_home in (None, "ssh", "tls"):
        doors(tmp_path, files.settings(), call_home)
    with pytest.raises(SettingsError, match="'nms' is called over TLS, which needs --tls"):
        doors(tmp_path, None, "tls")
    doors(tmp_path, files.settings(listen=""), "tls")
    for call_home in (None, "ssh"):
        with pytest.raises(SettingsError, match="nobody would be served over TLS; add a line listen"):
            doors(tmp_path, files.settings(listen=""), call_home)
