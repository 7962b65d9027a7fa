"""ncclient with each of its device handlers: a whole visit to the server."""

from __future__ import annotations

import pkgutil
from pathlib import Path
from typing import Any

import ncclient.devices
import pytest
from lxml import etree
from ncclient import manager
from ncclient.operations import RPCError

from tests.clients import harbour
from tests.serving import PASSWORD, USER, Serving

HANDLERS = sorted(module.name for module in pkgutil.iter_modules(ncclient.devices.__path__))


def connect(server: Serving, **more: Any) -> Any:
    """A manager that logs in by password."""
    options = {"hostkey_verify": False, "look_for_keys": False, "allow_agent": False, "timeout": 30, **more}
    return manager.connect(host=server.host, port=server.port, username=USER, password=PASSWORD, **options)


def leaves(reply: Any) -> dict[str, str | None]:
    """Local name → text: some handlers take the namespaces out of what they hand on, some the parsed tree."""
    text = getattr(reply, "data_xml", None) or getattr(reply, "xml", None) or str(reply)
    tree = etree.fromstring(text.encode())
    return {etree.QName(node).localname: node.text for node in tree.iter() if len(node) == 0}


def test_no_handler_is_forgotten() -> None:
    assert {"default", "junos", "nexus", "sros", "iosxr", "huawei", "h3c", "alu", "csr"} <= set(HANDLERS)


@pytest.mark.filterwarnings("ignore:CsrDeviceHandler:DeprecationWarning")
@pytest.mark.parametrize("handler", HANDLERS)
def test_handler(server: Serving, handler: str) -> None:
    name = f"pier-{handler}"
    with connect(server, device_params={"name": handler}) as client:
        assert "depth" not in leaves(client.get_config(source="running", filter=("subtree", harbour.subtree(name))))
        client.edit_config(target="candidate", config=harbour.config(name, 42))
        client.commit()
        found = leaves(client.get_config(source="running", filter=("subtree", harbour.subtree(name))))
        assert (found["name"], found["depth"], found["remark"]) == (name, "42", harbour.REMARK)
        assert leaves(client.get(filter=("subtree", harbour.subtree(name))))["depth"] == "42"


@pytest.mark.filterwarnings("ignore:CsrDeviceHandler:DeprecationWarning")
@pytest.mark.parametrize("handler", HANDLERS)
def test_handler_sees_the_error(server: Serving, handler: str) -> None:
    with connect(server, device_params={"name": handler}) as client:
        with pytest.raises(RPCError) as caught:
            client.edit_config(target="candidate", config=harbour.config("wrong", 70_000))
        assert caught.value.tag == "invalid-value"
        assert "depth" in caught.value.path
        assert caught.value.message


@pytest.mark.parametrize("handler", ["default", "junos"])
def test_login_by_key(server: Serving, handler: str, key: Path) -> None:
    with manager.connect(
        host=server.host,
        port=server.port,
        username=USER,
        key_filename=str(key),
        hostkey_verify=False,
        look_for_keys=False,
        allow_agent=False,
        device_params={"name": handler},
    ) as client:
        assert client.get_config(source="running", filter=("subtree", harbour.subtree("none"))) is not None
