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
