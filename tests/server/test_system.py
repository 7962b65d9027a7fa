"""The element's own name and banner, and the users that rule from the first configured administrator on."""

from __future__ import annotations

import os
import signal

import pytest
from ncclient.transport.errors import AuthenticationError

from nesrv.features.users import ADMIN
from tests.server.configurations import BASE
from tests.server.element import Element, until

SYSTEM = "http://openconfig.net/yang/system"
NAMES = ("hostname pe1", "domainname example.net")


def config(inner: str) -> str:
    return f'<config xmlns="{BASE}"><system xmlns="{SYSTEM}">{inner}</system></config>'


def people(**roles: str) -> str:
    """Users whose password is their name."""
    made = "".join(
        f"<user><username>{name}</username><config><username>{name}</username><password>{name}</password>"
        f"<role>{role}</role></config></user>"
        for name, role in roles.items()
    )
    return f"<aaa><authentication><users>{made}</users></authentication></aaa>"


def names(element: Element) -> tuple[str, ...]:
    rows = element.vtysh("show running-config bgpd").splitlines()
    return tuple(row for row in rows if row.startswith(("hostname ", "domainname ")))


def test_the_name_is_frrs_and_survives_it() -> None:
    with Element() as element:
        assert element.starts() == ["0 steps, 0 refused"], "the machine's own name is nobody's business"
        inner = "<hostname>pe1</hostname><domain-name>example.net</domain-name><login-banner>Keep out.</login-banner>"
        element.commit_text(config(f"<config>{inner}</config>"))
        assert set(NAMES) <= set(names(element))
        shown = element.session.get(("subtree", f'<system xmlns="{SYSTEM}"><state/></system>')).data_xml
        assert f"<state>{inner}</state>" in shown
        pid = element.frr_pid("bgpd")
        os.kill(pid, signal.SIGKILL)
        until(lambda: element.frr_pid("bgpd") != pid and set(NAMES) <= set(names(element)), "bgpd has its name again")
        element.kill()
        element.start()
        assert element.starts()[-1] == "0 steps, 0 refused"
        element.commit_text(config(people(eve="x")))
        assert not set(NAMES) & set(names(element))


def test_the_first_configured_administrator_ends_the_users_file() -> None:
    with Element() as element:
        element.commit_text(config(people(bob="builders")))
        assert element.another_session().connected
        assert element.another_session("bob", "bob").connected
        element.commit_text(config(people(bob="builders", ann=ADMIN)))
        assert element.session.connected, "who is in stays in"
        with pytest.raises(AuthenticationError):
            element.another_session()
        ann = element.another_session("ann", "ann")
        element.session.close_session()
        element.kill()
        element.serving.start()
        with pytest.raises(AuthenticationError):
            element.another_session()
        del ann
        element.connect("ann", "ann")
        element.commit_text(config(people(bob="builders")))
        assert element.another_session().connected, "nobody is locked out"
