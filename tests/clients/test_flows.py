"""What orchestrators send, in their order, through the clients that they are built on."""

from __future__ import annotations

import subprocess
from pathlib import Path

from lxml import etree

from tests.clients import harbour
from tests.clients.test_environments import NETCONF_PYTHON
from tests.clients.test_handlers import connect, leaves
from tests.serving import NONE, PASSWORD, USER, Serving

EMPTY = etree.Element(f"{{{harbour.BASE}}}filter", type="subtree")
VISIT = Path(__file__).with_name("nornir_visit.py")


def test_nornir_edits_running() -> None:
    with Serving(yang=[harbour.MODULES], options=(*NONE, "--writable-running")) as server:
        words = [str(NETCONF_PYTHON), str(VISIT), server.host, str(server.port), USER, PASSWORD, "nornir", "8"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        with connect(server) as client:
            found = client.get_config(source="running", filter=("subtree", harbour.subtree("nornir")))
            assert leaves(found)["depth"] == "8"


def test_nso_transaction(server: Serving) -> None:
    """Lock, edit, validate, commit with a time-out, confirm; what it gives up it discards."""
    with connect(server) as client:
        with client.locked("candidate"):
            client.edit_config(target="candidate", config=harbour.config("nso", 5))
            client.validate(source="candidate")
            client.commit(confirmed=True, timeout="60")
            client.commit()
        with client.locked("candidate"):
            client.edit_config(target="candidate", config=harbour.config("given-up", 5))
            client.discard_changes()
    with connect(server) as client:
        for name, depth in (("nso", "5"), ("given-up", None)):
            found = leaves(client.get_config(source="running", filter=("subtree", harbour.subtree(name))))
            assert found.get("depth") == depth


def test_opendaylight_mounts(server: Serving) -> None:
    """It takes the list of schemas, each schema in it, and keeps the session alive with an empty filter."""
    with connect(server) as client:
        listed = '<netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><schemas/></netconf-state>'
        schemas = list(client.get(filter=("subtree", listed)).data.iter("{*}schema"))
        assert len(schemas) > 10
        for schema in schemas:
            name = str(schema.findtext("{*}identifier"))
            text = client.get_schema(name, version=schema.findtext("{*}version"), format="yang").data
            assert f"module {name}" in text.replace('"', "")
        assert len(client.get_config(source="running", filter=EMPTY).data) == 0


def test_opendaylight_is_told_of_changes(server: Serving) -> None:
    """It looks the capabilities up twice, subscribes, and learns from a notification what another session did."""
    with connect(server) as client, connect(server) as other:
        listed = (
            '<netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><capabilities/></netconf-state>'
        )
        shown = {one.text for one in client.get(filter=("subtree", listed)).data.iter("{*}capability")}
        assert shown == set(client.server_capabilities)
        assert client.create_subscription(stream_name="NETCONF").ok
        other.edit_config(target="candidate", config=harbour.config("told", 5))
        other.commit()
        told = ""
        while "netconf-config-change" not in told:
            told = client.take_notification(timeout=60).notification_xml
        assert "berth" in told
        assert client.get_config(source="running", filter=("subtree", harbour.subtree("told"))).ok


def test_nso_reads_by_paths_without_prefixes_and_gives_up_by_closing(server: Serving) -> None:
    with connect(server) as client:
        client.edit_config(target="candidate", config=harbour.config("nso-read", 6))
        client.commit()
        found = client.get_config(source="running", filter=("xpath", "/harbour/berth[name='nso-read']"))
        assert leaves(found)["depth"] == "6"
        everything = client.get_config(
            source="running", filter=("subtree", harbour.subtree("nso-read")), with_defaults="report-all"
        )
        assert leaves(everything)["depth"] == "6"
        client.lock("candidate")
        client.edit_config(target="candidate", config=harbour.config("nso-read", 7))
    with connect(server) as client, client.locked("candidate"):
        found = client.get_config(source="candidate", filter=("subtree", harbour.subtree("nso-read")))
        assert leaves(found)["depth"] == "6"


def test_yang_suite_explores(server: Serving) -> None:
    """Everything that can be listed of the server, a schema by identifier and version, then all there is."""
    with connect(server) as client:
        top = '<netconf-state xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"/>'
        state = client.get(filter=("subtree", top)).data
        assert {"capabilities", "datastores", "schemas", "sessions", "statistics"} <= {
            etree.QName(one).localname for one in state[0]
        }
        version = next(
            one.findtext("{*}version") for one in state.iter("{*}schema") if one.findtext("{*}identifier") == "harbour"
        )
        assert "module harbour" in client.get_schema("harbour", version=version).data
        assert client.get().data.find("{*}netconf-state") is not None
