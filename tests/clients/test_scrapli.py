"""scrapli-netconf over the ssh program (in a terminal of its own) and over paramiko."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scrapli_netconf.driver import NetconfDriver

from tests.clients import harbour
from tests.serving import PASSWORD, USER, Serving

TRANSPORTS = ("system", "paramiko")
VERSIONS = ("1.0", "1.1")
PORTIONS, PORTION = 20, 150


def driver(server: Serving, key: Path, transport: str, version: str) -> Any:
    """Over paramiko it knows RSA keys only, hence the password there."""
    login: dict[str, Any] = {"auth_private_key": str(key)} if transport == "system" else {"auth_password": PASSWORD}
    return NetconfDriver(
        host=server.host,
        port=server.port,
        auth_username=USER,
        auth_strict_key=False,
        ssh_known_hosts_file="/dev/null",
        ssh_config_file="/dev/null",
        transport=transport,
        preferred_netconf_version=version,
        timeout_ops=30,
        **login,
    )


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("version", VERSIONS)
def test_visit(server: Serving, key: Path, transport: str, version: str) -> None:
    name = f"jetty-{transport}-{version}"
    with driver(server, key, transport, version) as client:
        before = client.get_config(source="running", filter_=harbour.subtree(name), filter_type="subtree")
        assert not before.failed
        assert "<depth>" not in before.result
        for reply in (client.edit_config(config=harbour.config(name, 11), target="candidate"), client.commit()):
            assert not reply.failed, reply.result
        after = client.get_config(source="running", filter_=harbour.subtree(name), filter_type="subtree")
        assert "<depth>11</depth>" in after.result
        remark = after.xml_result.find(f".//{{{harbour.NS}}}remark")
        assert remark.text == harbour.REMARK


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_error_is_seen(server: Serving, key: Path, transport: str) -> None:
    with driver(server, key, transport, "1.1") as client:
        reply = client.edit_config(config=harbour.config("wrong", 70_000), target="candidate")
        assert reply.failed
        assert "invalid-value" in reply.result


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_much_output(server: Serving, key: Path, transport: str) -> None:
    """More than any buffer on the way holds, in which nothing may be lost or doubled."""
    remark = "x" * 100
    with driver(server, key, transport, "1.1") as client:
        # Over paramiko scrapli takes one call of send() for the whole message, which it is only up to 32 kB.
        for portion in range(PORTIONS):
            names = (f"{transport}-{portion}-{index}" for index in range(PORTION))
            entries = "".join(f"<berth><name>{name}</name><remark>{remark}</remark></berth>" for name in names)
            config = f'<config><harbour xmlns="{harbour.NS}">{entries}</harbour></config>'
            assert not client.edit_config(config=config, target="candidate").failed
        found = client.get_config(source="candidate")
        assert found.result.count(f"<name>{transport}-") == PORTIONS * PORTION
        assert found.result.count(remark) >= PORTIONS * PORTION
        assert not client.discard().failed
