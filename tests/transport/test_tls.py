"""TLS: whose certificate opens, what the client is then called, and what a handshake can cost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import subprocess
from datetime import timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from nesrv.settings import Limits
from nesrv.transport.users import User
from tests.transport.certificates import DAY, NOW, Authority, Issued
from tests.transport.element import USER, Element, until
from tests.transport.secured import Secured, Site, secured, site, tls_session

# Certificates


def test_a_client_with_a_certificate_of_the_authority_comes_in_and_is_known() -> None:
    async def scenario() -> None:
        async with secured() as place, tls_session(place) as client:
            peer = place.element.peers[1]
            assert (peer.user, peer.source_host, peer.transport) == (USER, "127.0.0.1", "netconf-tls")
            assert peer.groups == ("SYSTEM_ROLE_ADMIN",)
            assert (await client.request("<ok/>", 5)).get("message-id") == "5"

    asyncio.run(scenario())


def stranger(place: Site) -> Issued:
    return Authority("clients").issue(USER)


def expired(place: Site) -> Issued:
    return place.authority.issue(USER, end=NOW - DAY)


def for_servers(place: Site) -> Issued:
    return place.authority.issue(USER, usage=ExtendedKeyUsageOID.SERVER_AUTH)


@pytest.mark.parametrize("make", [stranger, expired, for_servers])
def test_a_certificate_that_does_not_verify_is_refused(make: object, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with secured() as place:
            assert callable(make)
            assert await place.is_refused(make(place.site))
            await until(lambda: "turned away: its certificate: " in caplog.text)

    asyncio.run(scenario())


def test_a_client_without_a_certificate_is_refused() -> None:
    async def scenario() -> None:
        async with secured() as place:
            assert await place.is_refused(None)
            assert b"alert certificate required" in await shown(place, "-ign_eof", certificate=False)
            assert b"alert handshake failure" in await shown(place, "-tls1_2", "-ign_eof", certificate=False)

    asyncio.run(scenario())


async def shown(place: Secured, *options: str, certificate: bool = True) -> bytes:
    """What openssl's client says, and what the server says to it."""
    cert, key = place.site.admin.write(place.site.folder, "other")
    own = ("-cert", str(cert), "-key", str(key)) if certificate else ()
    process = await asyncio.create_subprocess_exec(
        *("openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{place.listener.port}"),
        *own,
        *options,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return (await process.communicate(b""))[0]


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_tls_1_2_and_1_3_are_spoken(version: str) -> None:
    async def scenario() -> None:
        async with secured(limits=Limits(hello_seconds=0.2)) as place:
            assert b"<hello " in await shown(place, version, "-ign_eof")

    asyncio.run(scenario())


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_older_versions_are_refused_whatever_the_client_lowers(version: str) -> None:
    async def scenario() -> None:
        async with secured() as place:
            said = await shown(place, version, "-cipher", "ALL:@SECLEVEL=0")
            assert b"alert protocol version" in said
            assert place.element.last_id == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("cipher", ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "PSK-AES128-GCM-SHA256", "NULL"])
def test_ciphers_without_forward_secrecy_or_authentication_are_refused(cipher: str) -> None:
    async def scenario() -> None:
        async with secured() as place:
            said = await shown(place, "-tls1_2", "-psk", "00", "-cipher", f"{cipher}:@SECLEVEL=0")
            assert b"<hello " not in said
            assert place.element.last_id == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_no_session_of_tls_is_resumed(version: ssl.TLSVersion) -> None:
    """Whose certificate was revoked since would come in."""

    def connected(place: Secured, context: ssl.SSLContext, session: ssl.SSLSession | None) -> ssl.SSLSession | None:
        with (
            socket.create_connection(("127.0.0.1", place.listener.port)) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as client,
        ):
            assert client.recv(6) == b"<hello"
            assert not client.session_reused
            return client.session

    async def scenario() -> None:
        async with secured() as place:
            context = place.site.client_context(place.site.admin)
            context.minimum_version = context.maximum_version = version
            loop = asyncio.get_running_loop()
            first = await loop.run_in_executor(None, connected, place, context, None)
            await loop.run_in_executor(None, connected, place, context, first)

    asyncio.run(scenario())


def test_a_chain_with_an_authority_in_between_is_followed() -> None:
    async def scenario() -> None:
        async with secured() as place:
            between = Authority("between", place.site.authority)
            client = between.issue(USER)
            assert await place.is_refused(client)
            connected = await place.connect(client, between)
            await connected.greet()

    asyncio.run(scenario())


def test_the_authorities_behind_the_servers_certificate_are_sent_with_it() -> None:
    async def scenario() -> None:
        with site() as files:
            between = Authority("between", files.authority)
            between.server(x509.IPAddress(ip_address("127.0.0.1"))).write(files.folder, "server", between)
            async with secured(files) as place, tls_session(place):
                pass

    asyncio.run(scenario())


# Revocation


def test_a_revoked_certificate_is_refused_and_another_is_not() -> None:
    async def scenario() -> None:
        with site(above='crl = "ca.crl"\n') as files:
            revoked = files.authority.issue(USER)
            (files.folder / "ca.crl").write_bytes(files.authority.revoke([revoked]))
            async with secured(files) as place:
                assert await place.is_refused(revoked)
                async with tls_session(place):
                    pass

    asyncio.run(scenario())


def test_a_list_that_is_out_of_date_lets_nobody_in() -> None:
    async def scenario() -> None:
        with site(above='crl = "ca.crl"\n') as files:
            (files.folder / "ca.crl").write_bytes(files.authority.revoke([], NOW - timedelta(hours=1)))
            async with secured(files) as place:
                assert await place.is_refused(files.admin)

    asyncio.run(scenario())


def test_files_that_change_count_from_the_next_connection_on(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        with site(above='crl = "ca.crl"\n') as files:
            crl = files.folder / "ca.crl"
            crl.write_bytes(files.authority.revoke([]))
            async with secured(files) as place:
                async with tls_session(place) as earlier:
                    crl.write_bytes(files.authority.revoke([files.admin]))
                    assert await place.is_refused(files.admin)
                    await earlier.request("<ok/>")
                crl.unlink()
                assert await place.is_refused(files.admin)
                assert "ca.crl: No such file" in caplog.text
                crl.write_bytes(files.authority.revoke([]))
                async with tls_session(place):
                    pass

    asyncio.run(scenario())


# Names

ALTERNATIVES = (
    x509.UniformResourceIdentifier("urn:x"),
    x509.DNSName("NMS.Example.net"),
    x509.RFC822Name("Ann@Example.NET"),
    x509.IPAddress(ip_address("2001:db8::1")),
)


@pytest.mark.parametrize(
    ("entry", "user"),
    [
        ('map-type = "specified"\nname = "operator"', "operator"),
        ('map-type = "san-rfc822-name"', "Ann@example.net"),
        ('map-type = "san-dns-name"', "nms.example.net"),
        ('map-type = "san-ip-address"', "20010db8000000000000000000000001"),
        ('map-type = "san-any"', "nms.example.net"),
        ('map-type = "common-name"', "Zoë"),
    ],
)
def test_each_map_type_gives_the_user(entry: str, user: str) -> None:
    async def scenario() -> None:
        with site(f"[[cert-to-name]]\n{entry}\n") as files:
            client = files.authority.issue("Zoë", alternatives=ALTERNATIVES)
            async with secured(files) as place:
                place.users.replace_source("table", [User(user, None, role="builders")])
                async with tls_session(place, client=client):
                    peer = place.element.peers[1]
                    assert (peer.user, peer.groups) == (user, ("builders",))

    asyncio.run(scenario())


def test_a_certificate_without_a_name_is_turned_away_before_any_hello(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        with site('[[cert-to-name]]\nmap-type = "san-any"\n') as files:
            async with secured(files) as place:
                assert await place.is_refused(files.admin)
                assert "no [[cert-to-name]] entry gives its certificate a name" in caplog.text

    asyncio.run(scenario())


def test_a_name_that_is_no_user_is_turned_away_before_any_hello(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with secured() as place:
            assert await place.is_refused(place.site.authority.issue("nobody"))
            assert "its certificate names 'nobody', who is no user here" in caplog.text

    asyncio.run(scenario())


def test_what_an_unknown_client_says_with_its_handshake_is_not_heard() -> None:
    async def scenario() -> None:
        async with secured() as place:
            client = await place.connect(place.site.authority.issue("nobody"))
            client.write(b"<hello/>]]>]]>" * 1000)
            with contextlib.suppress(OSError):
                assert await client.rest() == b""
            assert place.element.last_id == 0

    asyncio.run(scenario())


# What a handshake can cost


async def plain(place: Secured) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", place.listener.port)


def test_a_handshake_that_stalls_is_ended_in_time(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def scenario() -> None:
        async with secured(limits=Limits(login_seconds=0.2)) as place:
            silent, first = await plain(place)
            half, second = await plain(place)
            second.write(b"\x16\x03\x01\x02\x00\x01\x00")
            for reader in (silent, half):
                with contextlib.suppress(ConnectionResetError):
                    assert await asyncio.wait_for(reader.read(), 10) == b""
            await until(lambda: caplog.text.count("left without TLS") == 2)
            first.close()
            second.close()

    asyncio.run(scenario())


def test_connections_without_a_handshake_keep_nobody_out() -> None:
    async def scenario() -> None:
        async with secured(limits=Limits(pending_logins=8)) as place:
            streams = [await plain(place) for _ in range(100)]
            async with tls_session(place) as client:
                await client.request("<ok/>")
            ended = 0
            for reader, writer in streams[:80]:
                with contextlib.suppress(ConnectionResetError):
                    assert await asyncio.wait_for(reader.read(), 10) == b""
                ended += 1
                writer.close()
            assert ended == 80
            for _, writer in streams[80:]:
                writer.close()

    asyncio.run(scenario())


def test_what_is_no_tls_ends_its_own_connection_only() -> None:
    async def scenario() -> None:
        async with secured() as place, tls_session(place) as client:
            for data in (b"<hello/>]]>]]>", b"SSH-2.0-x\r\n", b"GET / HTTP/1.0\r\n\r\n", b"\0" * 5000):
                reader, writer = await plain(place)
                writer.write(data)
                with contextlib.suppress(ConnectionResetError):
                    assert b"hello" not in await asyncio.wait_for(reader.read(), 10)
                writer.close()
            await client.request("<ok/>")

    asyncio.run(scenario())


def test_one_session_too_many_is_refused_and_the_next_has_room_again() -> None:
    async def scenario() -> None:
        async with secured(element=Element(most=1)) as place:
            async with tls_session(place) as client:
                assert await place.is_refused(place.site.admin)
                await client.request("<ok/>")
            await until(lambda: not place.element.peers)
            async with tls_session(place):
                pass

    asyncio.run(scenario())
