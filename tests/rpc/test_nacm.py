"""RFC 8341 over the wire: a real server, an administrator, and users whose rules count."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lxml import etree

from tests.rpc.acm import GUARDED, NACM, item, nacm, path, rule, serving, top, with_users
from tests.rpc.client import Client, Refusal, edit
from tests.serving import Serving

GET = "<get-config><source><running/></source></get-config>"
WRITABLE = "<write-default>permit</write-default>"
KILL = "<kill-session><session-id>4000000</session-id></kill-session>"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Serving]:
    with serving() as server:
        yield server


async def configure(admin: Client, *documents: str) -> None:
    for document in documents:
        await admin.edit(document)
    await admin.commit()


async def xpath(client: Client, select: str, more: str = "") -> str:
    return await client.text(
        f'<get-config><source><running/></source><filter type="xpath" xmlns:k="urn:nesrv:test:kinds" {more}'
        f'select="{select}"/></get-config>'
    )


async def subtree(client: Client, inner: str) -> str:
    return await client.text(f"<get-config><source><running/></source><filter>{inner}</filter></get-config>")


def denied(refusal: Refusal, path: str = "", kind: str = "application") -> None:
    assert (refusal.tag, refusal.type, refusal.path, refusal.info) == ("access-denied", kind, path, ())


# Out of the box


def test_an_administrator_may_do_everything(guarded: Serving) -> None:
    async def body(admin: Client) -> None:
        await configure(admin, nacm(rule("deny"), "*", "<exec-default>deny</exec-default>"), top(item("a")))
        assert "rule-list" in await admin.config()
        assert (await admin.refused(KILL)).tag == "invalid-value"
        await configure(admin, nacm(leaves="<enable-external-groups>false</enable-external-groups>"))
        await configure(admin, top(item("b")))

    with_users(guarded, "", body)


def test_others_read_and_may_not_write(guarded: Serving) -> None:
    async def body(admin: Client, ann: Client) -> None:
        await configure(admin, top(item("a")))
        assert await ann.config() == top(item("a"))
        denied(await ann.refused(edit(top(item("b")))), "/k:top/k:item[k:name='b']")
        denied(await ann.refused(KILL), kind="protocol")
        denied(
            await ann.refused("<delete-config><target><candidate/></target></delete-config>"),
            kind="protocol",
        )
        assert await admin.config("candidate") == top(item("a"))
        await ann.ok("<discard-changes/>")
        await ann.ok("<validate><source><running/></source></validate>")
        # Nothing differs, so no right is needed (RFC 8341, section 3.2.7).
        await ann.edit(top(item("a")))
        await ann.commit()

    with_users(guarded, "ann", body)


def test_the_rules_themselves_are_hidden_and_fixed(guarded: Serving) -> None:
    async def body(admin: Client, ann: Client) -> None:
        await configure(admin, nacm(leaves=WRITABLE, groups="<group><name>g</name><user-name>z</user-name></group>"))
        assert await ann.config() == ""
        assert await subtree(ann, f'<nacm xmlns="{NACM}"/>') == ""
        assert await ann.text(f'<get><filter><nacm xmlns="{NACM}"/></filter></get>') == ""
        denied(await ann.refused(edit(nacm(leaves="<enable-nacm>false</enable-nacm>"))), "/nacm:nacm/nacm:enable-nacm")
        denied(
            await ann.refused(edit(nacm(groups="<group><name>h</name></group>"))),
            "/nacm:nacm/nacm:groups/nacm:group[nacm:name='h']",
        )

    with_users(guarded, "ann", body)


def test_without_enforcement_everyone_may_do_everything(guarded: Serving) -> None:
    async def body(admin: Client, ann: Client) -> None:
        await configure(admin, nacm(rule("deny"), "*", "<enable-nacm>false</enable-nacm>"))
        assert "enable-nacm" in await ann.config()
        await configure(ann, top(item("a")))
        assert (await ann.refused(KILL)).tag == "invalid-value"

    with_users(guarded, "ann", body)


# Groups


@pytest.mark.parametrize("group", ["tenants", "listed", "*"])
def test_rules_are_found_by_group(guarded: Serving, group: str) -> None:
    groups = "<group><name>listed</name><user-name>ted</user-name></group>"

    async def body(admin: Client, ted: Client) -> None:
        await configure(admin, nacm(rule("permit"), group, groups=groups))
        await configure(ted, top(item("a")))
        await configure(admin, nacm(rule("deny", path("/k:top"), name="x"), "other"))
        await configure(ted, top(item("b")))

    with_users(guarded, "ted", body)


@pytest.mark.parametrize(("group", "listed"), [("tenants", ""), ("*", ""), ("g", "ted"), ("*", "ted")])
def test_external_groups_may_be_turned_off(guarded: Serving, group: str, listed: str) -> None:
    leaves = "<enable-external-groups>false</enable-external-groups>"
    groups = f"<group><name>g</name><user-name>{listed or 'z'}</user-name></group>"

    async def body(admin: Client, ted: Client) -> None:
        await configure(admin, nacm(rule("permit"), group, leaves, groups))
        if listed:
            await ted.edit(top(item("a")))
        else:
            denied(await ted.refused(edit(top(item("a")))), "/k:top/k:item[k:name='a']")

    with_users(guarded, "ted", body)


def test_whoever_joins_a_group_has_its_rules_at_once(guarded: Serving) -> None:
    async def body(admin: Client, ted: Client) -> None:
        await configure(admin, nacm(rule("permit"), "g", groups="<group><name>g</name></group>"), top(item("a")))
        assert (await ted.refused(edit(top(item("b"))))).tag == "access-denied"
        await configure(admin, nacm(groups="<group><name>g</name><user-name>ted</user-name></group>"))
        await ted.edit(top(item("b")))
        await ted.ok("<discard-changes/>")
        await configure(admin, f'<nacm xmlns="{NACM}" xmlns:x="urn:ietf:params:xml:ns:netconf:base:1.0">'
                        '<rule-list x:operation="delete"><name>l</name></rule-list></nacm>')  # fmt: skip
        assert (await ted.refused(edit(top(item("b"))))).tag == "access-denied"

    with_users(guarded, "ted", body)


def test_rules_of_a_candidate_do_not_count(guarded: Serving) -> None:
    async def body(admin: Client, ted: Client) -> None:
        await admin.edit(nacm(rule("permit")))
        assert (await ted.refused(edit(top(item("b"))))).tag == "access-denied"

    with_users(guarded, "ted", body)


# Operations


@pytest.mark.parametrize(
    ("rules", "runs"),
    [
        (rule("deny", "<rpc-name>get-config</rpc-name>"), False),
        (rule("deny", "<rpc-name>get</rpc-name>"), True),
        (rule("deny", "<rpc-name>*</rpc-name>"), False),
        (rule("deny", "<rpc-name>get-config</rpc-name>", "exec"), False),
        (rule("deny", "<rpc-name>get-config</rpc-name>", "read create"), True),
        (rule("deny", module="ietf-netconf"), False),
        (rule("deny", module="ietf-netconf-monitoring"), True),
        (rule("deny", path("/k:top")), True),
        (rule("deny", "<notification-name>get-config</notification-name>"), True),
        (rule("permit", "<rpc-name>get-config</rpc-name>", name="p") + rule("deny", operations="exec"), True),
    ],
)
def test_rules_for_operations(guarded: Serving, rules: str, runs: bool) -> None:
    async def body(admin: Client, ted: Client) -> None:
        await configure(admin, nacm(rules))
        if runs:
            await ted.data(GET)
        else:
            denied(await ted.refused(GET), kind="protocol")

    with_users(guarded, "ted", body)


def test_exec_default(guarded: Serving) -> None:
    async def body(admin: Client, ted: Client) -> None:
        await configure(
            admin, nacm(rule("permit", "<rpc-name>get-config</rpc-name>"), leaves="<exec-default>deny</exec-default>")
        )
        await ted.data(GET)
        denied(await ted.refused("<get/>"), kind="protocol")
        await ted.ok("<close-session/>")

    with_users(guarded, "ted", body)


def test_what_is_denied_by_default_is_permitted_by_rule(guarded: Serving) -> None:
    explode = f'<explode xmlns="{GUARDED}"/>'

    async def body(admin: Client, ted: Client, ann: Client) -> None:
        denied(await ann.refused(explode), kind="protocol")
        assert (await admin.refused(explode)).tag == "operation-not-supported"
        await configure(admin, nacm(rule("permit", operations="exec delete")), top(item("a")))
        assert (await ted.refused(explode)).tag == "operation-not-supported"
        assert (await ted.refused(KILL)).tag == "invalid-value"
        await ted.ok("<delete-config><target><candidate/></target></delete-config>")

    with_users(guarded, "ted ann", body)


# Changes


PERMIT_RED = rule("permit", path("/k:top/k:item[k:name='red']"))


@pytest.mark.parametrize(
    ("rules", "change", "at"),
    [
        (PERMIT_RED, item("red", "<size>2</size>"), None),
        (PERMIT_RED, item("blue", "<size>2</size>"), "/k:top/k:item[k:name='blue']/k:size"),
        (PERMIT_RED, item("green"), "/k:top/k:item[k:name='green']"),
        (PERMIT_RED, '<item nc:operation="delete"><name>red</name></item>', None),
        (PERMIT_RED, '<item nc:operation="remove"><name>blue</name></item>', "/k:top/k:item[k:name='blue']"),
        (PERMIT_RED, "<note>n</note>", "/k:top/k:note"),
        (rule("permit", operations="create"), item("blue", "<friend>red</friend>"), None),
        (rule("permit", operations="create"), item("blue", "<size>2</size>"), "/k:top/k:item[k:name='blue']/k:size"),
        (rule("permit", operations="update"), item("blue", "<size>2</size>"), None),
        (rule("permit", operations="update"), item("blue", "<flag/>"), "/k:top/k:item[k:name='blue']/k:flag"),
        (
            rule("permit", operations="create update"),
            '<item><name>blue</name><size nc:operation="delete"/></item>',
            "/k:top/k:item[k:name='blue']/k:size",
        ),
        # The other case of a choice goes as a side effect, which takes no right.
        (rule("permit", operations="create"), item("blue", "<r1>x</r1>"), None),
        (rule("permit", operations="delete"), '<item nc:operation="replace"><name>blue</name></item>', None),
        # A leaf of another module inside.
        (rule("permit", module="guarded"), item("blue", f'<more xmlns="{GUARDED}">m</more>'), None),
        (rule("permit", module="guarded"), item("blue", "<size>2</size>"), "/k:top/k:item[k:name='blue']/k:size"),
        (
            rule("deny", path("/k:top/k:item/k:size"), name="d") + rule("permit"),
            item("blue", "<size>2</size>"),
            "/k:top/k:item[k:name='blue']/k:size",
        ),
        (rule("permit", path("/k:top/k:tag[.='7']")), "<tag>7</tag>", None),
        (rule("permit", path("/k:top/k:tag[.='7']")), "<tag>8</tag>", "/k:top/k:tag[.='8']"),
        (
            rule("permit", path("/k:top/k:deeper/k:item[k:a='1'][k:b='k:round']")),
            "<deeper><item><a>1</a><b>k:round</b><v>v</v></item></deeper>",
            None,
        ),
        (
            rule("permit", path("/k:top/k:deeper/k:item[k:a='1'][k:b='k:round']")),
            "<deeper><item><a>1</a><b>k:square</b></item></deeper>",
            "/k:top/k:deeper/k:item[k:a='1'][k:b='kinds:square']",
        ),
    ],
)  # fmt: skip
def test_changes_take_the_rights_that_they_need(guarded: Serving, rules: str, change: str, at: str | None) -> None:
    before = top(item("red", "<size>1</size>") + item("blue", "<size>1</size><l1>x</l1>"))
    after = (
        f'<top xmlns="urn:nesrv:test:kinds" xmlns:k="urn:nesrv:test:kinds" '
        f'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0">{change}</top>'
    )

    async def body(admin: Client, ted: Client) -> None:
        await configure(admin, before, nacm(rules))
        if at is None:
            await ted.edit(after)
            await ted.commit()
            return
        for option in ("set", "test-only"):
            refusal = await ted.refused(edit(after, f"<test-option>{option}</test-option>"))
            denied(refusal, at)
        # What another one has prepared is not for this user to commit.
        await admin.edit(after)
        denied(await ted.refused("<commit/>"), at)

    with_users(guarded, "ted", body)


def test_the_order_that_users_give_is_theirs_to_keep(guarded: Serving) -> None:
    parts = "".join(f"<part><id>{name}</id><weight>1</weight></part>" for name in "ab")
    moved = (
        '<item><name>i</name><part xmlns:y="urn:ietf:params:xml:ns:yang:1" y:insert="first">'
        "<id>b</id><weight>1</weight></part></item>"
    )

    async def body(admin: Client, ted: Client) -> None:
        await configure(admin, top(item("i", parts)), nacm(rule("permit", operations="create delete")))
        assert (await ted.refused(edit(top(moved)))).path.startswith("/k:top/k:item[k:name='i']/k:part[k:id=")
        await configure(admin, nacm(rule("permit", operations="update", name="u")))
        await ted.edit(top(moved))

    with_users(guarded, "ted", body)


def test_copy_config_takes_rights_for_what_differs(guarded: Serving) -> None:
    copy = "<copy-config><target><candidate/></target><source>{}</source></copy-config>"

    async def body(admin: Client, ted: Client) -> None:
        rules = rule("permit", path("/k:top/k:item[k:name='red']")) + rule("permit", path("/n:nacm"), "read")
        await configure(admin, top(item("red", "<size>1</size>") + item("blue")), nacm(rules))
        config = "".join(etree.tostring(child, encoding="unicode") for child in await ted.data(GET))
        await ted.ok(copy.format(f"<config>{config.replace('<size>1', '<size>2')}</config>"))
        assert "<size>2</size>" in await admin.config("candidate")
        wrong = config.replace("<item><name>blue</name></item>", "")
        denied(await ted.refused(copy.format(f"<config>{wrong}</config>")), "/k:top/k:item[k:name='blue']")
        await ted.ok(copy.format("<running/>"))
        assert await admin.config("candidate") == await admin.config()

    with_users(guarded, "ted", body)


def test_what_is_not_readable_is_not_copied(guarded: Serving) -> None:
    rules = rule("deny", path("/k:top/k:item[k:name='blue']"), "read") + rule("permit")

    async def body(admin: Client, ted: Client) -> None:
        await configure(admin, top(item("red") + item("blue")), nacm(rules))
        await ted.ok("<copy-config><target><candidate/></target><source><running/></source></copy-config>")
        assert item("blue") not in await admin.config("candidate")

    with_users(guarded, "ted", body)


# Reading


DENY_BLUE = rule("deny", path("/k:top/k:item[k:name='blue']"), "read")


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        (DENY_BLUE, "<note>n</note>" + item("red", "<size>1</size>")),
        (rule("deny", path("/k:top/k:item/k:size")), "<note>n</note>" + item("red") + item("blue")),
        (rule("deny", path("/k:top/k:item")), "<note>n</note>"),
        (rule("deny", path("/k:top/k:note")), item("red", "<size>1</size>") + item("blue", "<size>2</size>")),
        (rule("deny", path("/k:top")), None),
        (rule("deny", path("/")), None),
        (rule("deny"), None),
        (rule("deny", module="kinds", operations="read"), None),
        (rule("deny", path("/k:top/k:item/k:name")), "<note>n</note>"),
        # Who may not read a node may not read what is below it, whatever the rules say of that.
        (rule("permit", path("/k:top/k:item[k:name='red']"), name="p") + rule("deny", operations="read"), None),
        (
            rule("permit", path("/k:top/k:item[k:name='red']"), name="p")
            + rule("deny", path("/k:top/k:item"), name="d")
            + rule("permit", path("/k:top")),
            "<note>n</note>" + item("red", "<size>1</size>"),
        ),
    ],
)  # fmt: skip
def test_what_may_not_be_read_is_left_out(guarded: Serving, rules: str, left: str | None) -> None:
    whole = top("<note>n</note>" + item("red", "<size>1</size>") + item("blue", "<size>2</size>"))
    seen = top(left) if left is not None else ""

    async def body(admin: Client, ted: Client) -> None:
        await configure(admin, whole, nacm(rules + rule("permit", "<rpc-name>*</rpc-name>", name="e")))
        allowed = "access-denied" if "<path" not in rules and "read<" not in rules else ""
        if allowed:
            assert (await ted.refused(GET)).tag == allowed
            return
        assert await ted.config() == seen
        assert await ted.config("candidate") == seen
        assert await xpath(ted, "/k:top") == seen
        assert await subtree(ted, '<top xmlns="urn:nesrv:test:kinds"/>') == seen
        got = await ted.data('<get><filter><top xmlns="urn:nesrv:test:kinds"/></filter></get>')
        assert len(got) == bool(seen)

    with_users(guarded, "ted", body)


def test_filters_match_only_what_may_be_read(guarded: Serving) -> None:
    async def body(admin: Client, ted: Client) -> None:
        await configure(admin, top(item("red", "<size>1</size>")), nacm(rule("deny", path("/k:top/k:item/k:size"))))
        assert await xpath(ted, "/k:top/k:item[k:size='1']") == ""
        assert await xpath(ted, "/k:top[.//text()='1']") == ""
        matched = '<top xmlns="urn:nesrv:test:kinds"><item><name/><size>1</size></item></top>'
        assert await subtree(ted, matched) == ""
        assert "red" in await xpath(ted, "/k:top/k:item[not(k:size)]")

    with_users(guarded, "ted", body)


def test_statements_of_modules_count_where_no_rule_does(guarded: Serving) -> None:
    vault = f'<vault xmlns="{GUARDED}"><open>o</open><secret>s</secret><fixed>f</fixed></vault>'

    async def body(admin: Client, ted: Client, ann: Client) -> None:
        await configure(admin, vault, nacm(rule("permit", path("/g:vault")), leaves=WRITABLE))
        assert await ted.config() == vault
        assert await ann.config() == vault.replace("<secret>s</secret>", "")
        denied(await ann.refused(edit(vault.replace("<fixed>f", "<fixed>g"))), "/g:vault/g:fixed")
        await ann.edit(vault.replace("<open>o", "<open>p"))
        await ted.edit(vault.replace("<fixed>f", "<fixed>g").replace("<secret>s", "<secret>t"))

    with_users(guarded, "ted ann", body)


def test_state_is_filtered_like_configuration(guarded: Serving) -> None:
    monitoring = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
    deny = (
        f'<path xmlns:m="{monitoring}">/m:netconf-state/m:sessions/m:session/m:source-host</path>',
        f'<path xmlns:m="{monitoring}">/m:netconf-state/m:statistics</path>',
    )
    get = f'<get><filter><netconf-state xmlns="{monitoring}"><sessions/><statistics/></netconf-state></filter></get>'

    async def body(admin: Client, ted: Client) -> None:
        await configure(admin, nacm("".join(rule("deny", one) for one in deny)))
        assert "source-host" in await admin.text(get)
        found = await ted.text(get)
        assert "source-host" not in found and "statistics" not in found and "<username" in found.replace("m:", "")
        chosen = get.replace(
            "<sessions/><statistics/>", "<sessions><session><source-host>127.0.0.1</source-host></session></sessions>"
        )
        assert await ted.text(chosen) == ""

    with_users(guarded, "ted", body)  # fmt: skip


def test_views_follow_what_is_committed(guarded: Serving) -> None:
    """The view of a datastore is remembered: it must follow each change, of data and of rules."""

    async def body(admin: Client, ted: Client) -> None:
        await configure(admin, nacm(DENY_BLUE))
        for number in range(3):
            await configure(admin, top(item(f"n{number}") + item("blue", f"<size>{number}</size>")))
            names = [f"n{one}" for one in range(number + 1)]
            assert await ted.config() == top("".join(map(item, names)))
            assert await ted.config("candidate") == await ted.config()
        await admin.edit('<top xmlns="urn:nesrv:test:kinds" xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0">'
                         '<item nc:operation="delete"><name>n1</name></item></top>')  # fmt: skip
        assert await ted.config("candidate") == top(item("n0") + item("n2"))
        assert "n1" in await ted.config()
        await admin.commit()
        assert "n1" not in await ted.config()
        await configure(admin, nacm(leaves="<enable-nacm>false</enable-nacm>"))
        assert "blue" in await ted.config()

    with_users(guarded, "ted", body)


# Errors


def test_errors_do_not_tell_what_is_hidden(guarded: Serving) -> None:
    rules = rule("deny", path("/k:top/k:item[k:name='blue']")) + rule("permit")
    create = top(
        '<item nc:operation="create" xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"><name>{}</name></item>'
    )
    delete = create.replace("create", "delete")

    async def body(admin: Client, ted: Client) -> None:
        await configure(admin, nacm(rules))
        missing = [await ted.refused(edit(one.format("blue"))) for one in (create, delete)]
        await configure(admin, top(item("blue", "<size>77</size>")))
        there = [await ted.refused(edit(one.format("blue"))) for one in (create, delete)]
        assert missing == there
        denied(there[0], "/k:top/k:item[k:name='blue']")
        denied(there[1], "/k:top")
        # A leafref of the hidden entry, dangling by another's doing: its owner learns why, others do not.
        await admin.edit(top(item("blue", "<friend>nowhere</friend>")))
        assert "nowhere" in (await admin.refused("<validate><source><candidate/></source></validate>")).message
        told = await ted.refused("<validate><source><candidate/></source></validate>")
        assert "blue" not in str((told, told.message)) and "nowhere" not in str((told, told.message))
        assert told.path == "/k:top"

    with_users(guarded, "ted", body)


def test_errors_do_not_repeat_values_that_are_hidden(guarded: Serving) -> None:
    """The error is about an entry of the user's own, and its words are about one that is hidden."""
    rules = rule("deny", path("/k:top/k:item/k:port[k:id='77']"), "read") + rule("permit")
    port = "<port><id>{}</id><label>same</label></port>"

    async def body(admin: Client, ted: Client) -> None:
        await configure(admin, nacm(rules), top(item("red", port.format(77))))
        await ted.edit(top(item("red", port.format(78))))
        validate = "<validate><source><candidate/></source></validate>"
        assert "77" in (await admin.refused(validate)).message
        told = await ted.refused(validate)
        assert "77" not in str(told) + told.message
        assert told.message.startswith("Parts of the configuration")

    with_users(guarded, "ted", body)


def test_what_is_denied_is_counted(guarded: Serving) -> None:
    counters = f'<get><filter><nacm xmlns="{NACM}"/></filter></get>'

    async def body(admin: Client, ann: Client) -> None:
        async def count(name: str) -> int:
            return int((await admin.data(counters)).findtext(f".//{{{NACM}}}{name}") or -1)

        before = [await count(f"denied-{name}") for name in ("operations", "data-writes", "notifications")]
        await ann.refused(KILL)
        await ann.refused(edit(top(item("x"))))
        after = [await count(f"denied-{name}") for name in ("operations", "data-writes", "notifications")]
        assert after == [before[0] + 1, before[1] + 1, before[2]]

    with_users(guarded, "ann", body)


def test_a_rule_about_nothing_is_refused(guarded: Serving) -> None:
    async def body(admin: Client) -> None:
        refusal = await admin.refused(edit(nacm(rule("deny", path("/k:top/k:nonsense"), name="r"))))
        assert refusal.tag == "invalid-value"
        assert refusal.path == "/nacm:nacm/nacm:rule-list[nacm:name='l']/nacm:rule[nacm:name='r']/nacm:path"

    with_users(guarded, "", body)


def test_paths_of_rules_are_returned_as_they_are_meant(guarded: Serving) -> None:
    chosen = f'<nacm xmlns="{NACM}"><rule-list><name>l</name><rule><path/></rule></rule-list></nacm>'

    async def body(admin: Client) -> None:
        await configure(admin, nacm(rule("deny", path("/k:top/k:item[k:name='k:x']"))))
        data = await admin.data(f"<get-config><source><running/></source><filter>{chosen}</filter></get-config>")
        found = data.find(f".//{{{NACM}}}path")
        assert found is not None and found.text is not None
        prefix = found.text[1:].partition(":")[0]
        assert found.nsmap[prefix] == "urn:nesrv:test:kinds"
        assert found.text == f"/{prefix}:top/{prefix}:item[{prefix}:name='k:x']"

    with_users(guarded, "", body)
