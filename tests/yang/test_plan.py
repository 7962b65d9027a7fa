"""The reply of the rpc ``plan`` can say what it has to."""

from __future__ import annotations

import libyang
import pytest
from libyang.data import DataType

STEP = """<step xmlns="urn:nesrv:element"><number>1</number><verb>create</verb><domain>frr</domain>
<path>/openconfig-network-instance:network-instances/network-instance[name='red']</path>
<command>vrf red</command><command>vni 100</command><command>exit</command><command>exit</command></step>"""


def reply(schema: libyang.Context, text: str) -> str:
    rpc = schema.parse_op_mem("xml", '<plan xmlns="urn:nesrv:element"/>', DataType.RPC_YANG)
    try:
        schema.parse_op_mem("xml", text, DataType.REPLY_YANG, parent=rpc)
        return str(rpc.print_mem("json"))
    finally:
        rpc.free()


def test_commands_keep_their_order_and_may_repeat(schema: libyang.Context) -> None:
    text = "".join(reply(schema, STEP).split())
    assert '"command":["vrfred","vni100","exit","exit"]' in text


@pytest.mark.parametrize(("old", "new"), [("create", "make"), (">frr<", ">bgpd<"), ("<number>1</number>", "")])
def test_no_such_step(schema: libyang.Context, old: str, new: str) -> None:
    with pytest.raises(libyang.LibyangError):
        reply(schema, STEP.replace(old, new))
