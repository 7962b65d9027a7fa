"""A server with users of several roles, and rules for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.rpc.client import Client, session
from tests.serving import PASSWORD, USERS, Serving

MODULES = Path(__file__).parents[1] / "data" / "yang"
NACM = "urn:ietf:params:xml:ns:yang:ietf-netconf-acm"
KINDS = "urn:nesrv:test:kinds"
GUARDED = "urn:nesrv:test:guarded"
ROLES = {"ann": "readers", "ted": "tenants", "tim": "tenants"}


def serving() -> Serving:
    rows = [f'[[user]]\nname = "{name}"\npassword = "{PASSWORD}"\nrole = "{role}"\n' for name, role in ROLES.items()]
    return Serving(yang=[MODULES], users=USERS + "".join(rows))


def with_users(server: Serving, names: str, body: Callable[..., Awaitable[None]]) -> None:
    """``body`` gets a session for each of the names, after the administrator's, who empties running first."""

    async def opened(clients: tuple[Client, ...], left: list[str]) -> None:
        if not left:
            await body(*clients)
            return
        async with session(server, left[0]) as client:
            await opened((*clients, client), left[1:])

    async def run() -> None:
        async with session(server) as admin:
            await admin.ok("<discard-changes/>")
            await admin.ok("<delete-config><target><candidate/></target></delete-config>")
            await admin.commit()
            await opened((admin,), names.split())

    asyncio.run(run())


def rule(action: str, what: str = "", operations: str = "*", module: str = "*", name: str = "") -> str:
    """``what`` is the element of the rule's type, such as <path>."""
    return (
        f"<rule><name>{name or abs(hash((action, what, operations, module)))}</name><module-name>{module}</module-name>"
        f"{what}<access-operations>{operations}</access-operations><action>{action}</action></rule>"
    )


def path(text: str) -> str:
    return f'<path xmlns:k="{KINDS}" xmlns:g="{GUARDED}" xmlns:n="{NACM}">{text}</path>'


def nacm(rules: str = "", group: str = "tenants", leaves: str = "", groups: str = "") -> str:
    """``/nacm`` with one rule-list."""
    listed = f"<rule-list><name>l</name><group>{group}</group>{rules}</rule-list>" if rules else ""
    held = f"<groups>{groups}</groups>" if groups else ""
    return f'<nacm xmlns="{NACM}">{leaves}{held}{listed}</nacm>'


def top(inner: str) -> str:
    return f'<top xmlns="{KINDS}">{inner}</top>'


def item(name: str, inner: str = "") -> str:
    return f"<item><name>{name}</name>{inner}</item>"
