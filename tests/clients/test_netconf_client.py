"""netconf-client, which takes replies in their order and not by their message-id."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from netconf_client.connect import connect_ssh
from netconf_client.error import RpcError
from netconf_client.ncclient import Manager

from tests.clients import harbour
from tests.serving import PASSWORD, USER, Serving


def connect(server: Serving, **login: Any) -> Any:
    session = connect_ssh(host=server.host, port=server.port, username=USER, general_timeout=30, **login)
    return Manager(session, timeout=30)


def wrapped(config: str) -> str:
    return config.replace("<config>", f'<config xmlns="{harbour.BASE}">', 1)


def subtree(name: str) -> str:
    return f'<filter type="subtree">{harbour.subtree(name)}</filter>'


@pytest.mark.parametrize("login", ["password", "key"])
def test_visit(server: Serving, key: Path, login: str) -> None:
    name = f"quay-{login}"
    given = {"password": PASSWORD} if login == "password" else {"key_filename": str(key)}
    with connect(server, **given) as client:
        assert b"depth" not in client.get_config(source="running", filter=subtree(name)).data_xml
        client.edit_config(wrapped(harbour.config(name, 23)), target="candidate")
        client.commit()
        found = client.get_config(source="running", filter=subtree(name)).data_ele
        assert found.findtext(f".//{{{harbour.NS}}}depth") == "23"
        assert found.findtext(f".//{{{harbour.NS}}}remark") == harbour.REMARK
        client.close_session()


def test_error_is_seen(server: Serving) -> None:
    with connect(server, password=PASSWORD) as client, pytest.raises(RpcError) as caught:
        client.edit_config(wrapped(harbour.config("wrong", 70_000)), target="candidate")
    assert caught.value.tag == "invalid-value"


def test_requests_are_answered_in_their_order(server: Serving) -> None:
    """All sent before the first answer is looked at."""
    with connect(server, password=PASSWORD) as client:
        asked = [
            client.session.send_rpc(
                f'<rpc message-id="{index}" xmlns="{harbour.BASE}"><get-config><source><running/></source>'
                f"{subtree('none')}</get-config></rpc>".encode()
            )
            for index in range(30)
        ]
        answers = [future.result(30)[1].get("message-id") for future in asked]
    assert answers == [str(index) for index in range(30)]
