"""nesrv's own model under access control: a user of the datastore with a role, and what nobody gets by default."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from lxml import etree

from tests.rpc.client import edit, session
from tests.serving import PASSWORD, Serving

SYSTEM = "http://openconfig.net/yang/system"
ROLE = '<role xmlns:t="http://openconfig.net/yang/aaa-types">{}</role>'


def user(name: str, role: str) -> str:
    return (
        f'<system xmlns="{SYSTEM}"><aaa><authentication><users><user><username>{name}</username><config>'
        f"<username>{name}</username><password>{PASSWORD}</password>{ROLE.format(role)}</config></user></users>"
        "</authentication></aaa></system>"
    )


NACM = (
    '<nacm xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-acm"><write-default>permit</write-default>'
    "<rule-list><name>l</name><group>auditors</group><rule><name>r</name>"
    f'<path xmlns:s="{SYSTEM}">/s:system/s:aaa</path><access-operations>read</access-operations>'
    "<action>permit</action></rule></rule-list></nacm>"
)
GET = "<get-config><source><running/></source></get-config>"


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with Serving() as served:
        yield served


def test_users_of_the_datastore_have_the_rights_of_their_role(server: Serving) -> None:
    async def run() -> None:
        async with session(server) as admin:
            await admin.edit(user("op", "operators") + user("aud", "auditors") + NACM)
            await admin.commit()
            async with session(server, "op") as operator, session(server, "aud") as auditor:
                # Passwords are for those whom a rule lets read them, and users for those whom one lets write them.
                assert PASSWORD not in await operator.text(GET)
                assert PASSWORD in await auditor.text(GET)
                assert "auditors" in await operator.text(GET)
                for client in (operator, auditor):
                    refusal = await client.refused(edit(user("op", "t:SYSTEM_ROLE_ADMIN")))
                    assert refusal.tag == "access-denied"
                    assert refusal.path.endswith("oc-sys:user[oc-sys:username='op']/oc-sys:config/oc-sys:role")
                await operator.edit(f'<system xmlns="{SYSTEM}"><config><hostname>h</hostname></config></system>')
                await operator.commit()

    asyncio.run(run())


def test_the_plan_shows_only_what_may_be_read(server: Serving) -> None:
    plan = '<plan xmlns="urn:nesrv:element"/>'

    async def run() -> None:
        async with session(server) as admin:
            await admin.edit(user("op", "operators"))
            await admin.edit(
                '<nacm xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-acm"><rule-list><name>a</name>'
                '<group>operators</group><rule><name>r</name><path xmlns:s="http://openconfig.net/yang/system">'
                "/s:system/s:aaa</path><access-operations>read</access-operations><action>deny</action></rule>"
                "</rule-list></nacm>"
            )
            await admin.commit()
            async with session(server, "op") as operator:
                await admin.edit(user("third", "operators"))
                assert "third" in etree.tostring(await admin.rpc(plan), encoding="unicode")
                await operator.ok(plan)
            await admin.ok("<discard-changes/>")

    asyncio.run(run())
