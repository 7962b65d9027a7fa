"""ncclient and netconf-client over TLS, and both called home, against a real server."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netconf_client.ncclient
import pytest
from lxml import etree
from ncclient import manager
from ncclient.transport.errors import SessionCloseError
from netconf_client.connect import CallhomeManager, connect_tls

from tests.clients import harbour
from tests.serving import NONE, PASSWORD, USER, Serving
from tests.transport.secured import Site

STATE = '<netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><sessions/></netconf-state>'
MONITORING = "{urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring}"
_PORT = re.compile(r"listening for NETCONF over TLS on 127\.0\.0\.1 port (\d+)")


@dataclass
class Place:
    """A server that listens for SSH and TLS and calls a manager over both, at the two ports."""

    server: Serving
    port: int
    site: Site
    home_ssh: int
    home_tls: int

    def files(self) -> dict[str, str]:
        return {"certfile": f"{self.site.folder / 'client.pem'}", "keyfile": f"{self.site.folder / 'client.key'}"}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    site = Site(tmp_path_factory.mktemp("tls"))
    site.admin.write(site.folder, "client")
    ssh, tls = free_port(), free_port()
    calls = site.folder / "home.toml"
    calls.write_text(
        "".join(
            f'[[call-home]]\nname = "{kind}"\ntransport = "{kind}"\nendpoints = "127.0.0.1:{port}"\npause = 1\n'
            for kind, port in (("ssh", ssh), ("tls", tls))
        )
    )
    options = (*NONE, "--tls", str(site.settings()), "--call-home", str(calls))
    with Serving(options=options, yang=[harbour.MODULES]) as server:
        found = _PORT.search(server.log())
        assert found is not None
        yield Place(server, int(found[1]), site, ssh, tls)


def over_ncclient(place: Place, port: int) -> Any:
    return manager.connect_tls(
        host="127.0.0.1",
        port=port,
        **place.files(),
        ca_certs=str(place.site.folder / "ca.pem"),
        protocol=ssl.PROTOCOL_TLS_CLIENT,
        server_hostname="127.0.0.1",
    )


def transports(reply: str) -> list[tuple[str | None, str | None]]:
    """Who has a session over what, of all that the monitoring shows."""
    sessions = etree.fromstring(reply.encode()).iter(f"{MONITORING}session")
    return [(one.findtext(f"{MONITORING}username"), one.findtext(f"{MONITORING}transport")) for one in sessions]


def test_ncclient(place: Place) -> None:
    with over_ncclient(place, place.port) as client:
        client.edit_config(harbour.config("quay-nc", 23), target="candidate")
        client.commit()
        found = client.get_config("running", ("subtree", harbour.subtree("quay-nc"))).data_xml
        assert ">23<" in found
        reply = client.get(("subtree", STATE)).data_xml
        assert [name and name.rpartition(":")[2] for user, name in transports(reply) if user == USER] == ["netconf-tls"]


def test_ncclient_reads_what_is_large(place: Place) -> None:
    config = "".join(harbour.berth(f"large-{n:04}", n % 100 + 1) for n in range(2000))
    config = config.replace(f'</harbour><harbour xmlns="{harbour.NS}">', "")
    with over_ncclient(place, place.port) as client:
        client.edit_config(f"<config>{config}</config>", target="candidate")
        assert client.get_config("candidate").data_xml.count(">large-") == 2000
        client.discard_changes()


def test_netconf_client(place: Place) -> None:
    ca = str(place.site.folder / "ca.pem")
    session = connect_tls(host="127.0.0.1", port=place.port, **place.files(), ca_certs=ca, general_timeout=30)
    with netconf_client.ncclient.Manager(session, timeout=30) as client:
        config = harbour.config("quay-ncc", 23).replace("<config>", f'<config xmlns="{harbour.BASE}">', 1)
        client.edit_config(config, target="candidate")
        client.commit()
        assert b">quay-ncc<" in client.get_config(source="running").data_xml
        client.close_session()


def test_ncclient_without_a_name_here_is_turned_away(place: Place) -> None:
    place.site.authority.issue("nobody").write(place.site.folder, "client")
    try:
        with pytest.raises((SessionCloseError, OSError)):
            over_ncclient(place, place.port)
    finally:
        place.site.admin.write(place.site.folder, "client")


# Neither manager can listen twice in a row at one port: the kernel keeps it for a while.


def test_ncclient_is_called_home_over_ssh(place: Place) -> None:
    client = manager.call_home(
        host="127.0.0.1",
        port=place.home_ssh,
        timeout=30,
        username=USER,
        password=PASSWORD,
        hostkey_verify=False,
        allow_agent=False,
        look_for_keys=False,
    )
    with client:
        assert client.connected
        client.get_config("running")


def test_netconf_client_is_called_home_over_tls(place: Place) -> None:
    with CallhomeManager("127.0.0.1", place.home_tls) as waiting:
        session = waiting.accept_one_tls(**place.files(), ca_certs=str(place.site.folder / "ca.pem"))
    with netconf_client.ncclient.Manager(session, timeout=30) as client:
        client.get_config(source="running")
        client.close_session()


def test_the_server_ends_with_calls_and_sessions_open(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.admin.write(site.folder, "client")
    port = free_port()
    calls = tmp_path / "home.toml"
    calls.write_text(f'[[call-home]]\nname = "nms"\nendpoints = "127.0.0.1:{port}"\n')
    with Serving(options=(*NONE, "--tls", str(site.settings()), "--call-home", str(calls))) as server:
        found = _PORT.search(server.log())
        assert found is not None
        client = over_ncclient(Place(server, int(found[1]), site, 0, 0), int(found[1]))
        assert server.stop() == 0
        assert not [line for line in server.log().splitlines() if " ERROR " in line or "Traceback" in line]
        client._session.close()
