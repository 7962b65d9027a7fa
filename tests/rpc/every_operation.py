"""A request for every operation that a server with its default settings carries out, by XML tag."""

from __future__ import annotations

from dataclasses import dataclass

from tests.rpc.client import edit

NC = "urn:ietf:params:xml:ns:netconf:base:1.0"
NOTIFICATION = "urn:ietf:params:xml:ns:netconf:notification:1.0"
PARTIAL = "urn:ietf:params:xml:ns:netconf:partial-lock:1.0"
MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
SUBSCRIBED = "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"
PUSH = "urn:ietf:params:xml:ns:yang:ietf-yang-push"
COMPARE = "urn:ietf:params:xml:ns:yang:ietf-nmda-compare"
NMDA = "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda"
HISTORY = "urn:nesrv:history"
DATASTORES = 'xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores"'
KEPT = '<top xmlns="urn:nesrv:test:kinds"><note>kept</note></top>'
LOST = KEPT.replace("kept", "lost")
LOCK = "<lock><target><candidate/></target></lock>"
ESTABLISH = f'<establish-subscription xmlns="{SUBSCRIBED}"><stream>NETCONF</stream></establish-subscription>'


@dataclass(frozen=True)
class Request:
    """``operation`` goes through after ``before`` of the same session, or is refused at least for a reason."""

    operation: str
    before: tuple[str, ...] = ()


REQUESTS: dict[str, Request] = {
    f"{{{NC}}}get": Request("<get/>"),
    f"{{{NC}}}get-config": Request("<get-config><source><running/></source></get-config>"),
    f"{{{NC}}}edit-config": Request(edit(LOST)),
    f"{{{NC}}}copy-config": Request(
        f"<copy-config><target><candidate/></target><source><config>{LOST}</config></source></copy-config>"
    ),
    f"{{{NC}}}delete-config": Request("<delete-config><target><candidate/></target></delete-config>"),
    f"{{{NC}}}commit": Request("<commit><confirmed/></commit>", (edit(LOST),)),
    f"{{{NC}}}cancel-commit": Request("<cancel-commit/>", (edit(LOST), "<commit><confirmed/></commit>")),
    f"{{{NC}}}discard-changes": Request("<discard-changes/>", (edit(LOST),)),
    f"{{{NC}}}validate": Request("<validate><source><candidate/></source></validate>", (edit(LOST),)),
    f"{{{NC}}}lock": Request(LOCK),
    f"{{{NC}}}unlock": Request("<unlock><target><candidate/></target></unlock>", (LOCK, edit(LOST))),
    f"{{{NC}}}close-session": Request("<close-session/>", (LOCK, edit(LOST))),
    f"{{{NC}}}kill-session": Request("<kill-session><session-id>4294967295</session-id></kill-session>", (LOCK,)),
    f"{{{NOTIFICATION}}}create-subscription": Request(f'<create-subscription xmlns="{NOTIFICATION}"/>'),
    f"{{{PARTIAL}}}partial-lock": Request(
        f'<partial-lock xmlns="{PARTIAL}" xmlns:k="urn:nesrv:test:kinds"><select>/k:top</select></partial-lock>'
    ),
    f"{{{PARTIAL}}}partial-unlock": Request(
        f'<partial-unlock xmlns="{PARTIAL}"><lock-id>1</lock-id></partial-unlock>', (LOCK,)
    ),
    f"{{{MONITORING}}}get-schema": Request(
        f'<get-schema xmlns="{MONITORING}"><identifier>kinds</identifier></get-schema>'
    ),
    f"{{{SUBSCRIBED}}}establish-subscription": Request(ESTABLISH),
    f"{{{SUBSCRIBED}}}modify-subscription": Request(
        f'<modify-subscription xmlns="{SUBSCRIBED}"><id>1</id></modify-subscription>', (ESTABLISH,)
    ),
    f"{{{SUBSCRIBED}}}delete-subscription": Request(
        f'<delete-subscription xmlns="{SUBSCRIBED}"><id>1</id></delete-subscription>', (ESTABLISH,)
    ),
    f"{{{SUBSCRIBED}}}kill-subscription": Request(
        f'<kill-subscription xmlns="{SUBSCRIBED}"><id>1</id></kill-subscription>', (ESTABLISH,)
    ),
    f"{{{PUSH}}}resync-subscription": Request(
        f'<resync-subscription xmlns="{PUSH}"><id>1</id></resync-subscription>', (ESTABLISH,)
    ),
    f"{{{NMDA}}}get-data": Request(
        f'<get-data xmlns="{NMDA}"><datastore {DATASTORES}>ds:operational</datastore></get-data>'
    ),
    f"{{{COMPARE}}}compare": Request(
        f'<compare xmlns="{COMPARE}" {DATASTORES}><source>ds:running</source><target>ds:operational</target></compare>'
    ),
    f"{{{NMDA}}}edit-data": Request(
        f'<edit-data xmlns="{NMDA}"><datastore {DATASTORES}>ds:candidate</datastore><config>{LOST}</config></edit-data>'
    ),
    f"{{{HISTORY}}}list-commits": Request(f'<list-commits xmlns="{HISTORY}"/>'),
    f"{{{HISTORY}}}get-commit": Request(f'<get-commit xmlns="{HISTORY}"><id>1</id></get-commit>'),
    f"{{{HISTORY}}}rollback": Request(f'<rollback xmlns="{HISTORY}"><id>1</id></rollback>'),
}
