"""<get> on two real elements: what kernel and FRR do is what it says, with the configuration left alone."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nesrv.frr.daemons import Home
from nesrv.rpc import operational
from tests.frr.engine import made_home, sh
from tests.state import element
from tests.state.element import NAMESPACES, Pe, texts, until

FAMILIES = ("IPV4_UNICAST", "L2VPN_EVPN")
INSTANCES = (
    f'<network-instances xmlns="{NAMESPACES["ni"]}"><network-instance>{{}}</network-instance></network-instances>'
)
MAIN = INSTANCES.format("<name>main</name>")
TENANT = INSTANCES.format("<name>a tenant</name>")
STATES = INSTANCES.format(
    "<name/><protocols><protocol><bgp><neighbors><neighbor><state><session-state/></state></neighbor></neighbors></bgp>"
    "</protocol></protocols>"
)
INTERFACES = f'<interfaces xmlns="{NAMESPACES["if"]}"/>'
SESSION = ".//ni:neighbor[ni:neighbor-address='{}']/ni:state/ni:session-state"
INSTALLED = ".//ni:afi-safi[1]/ni:state/ni:prefixes/ni:installed"
"""Of the first family, IPV4_UNICAST."""
Body = Callable[[Pe, Pe], Awaitable[None]]


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[tuple[Home, Home]]:
    for above in (tmp_path, *tmp_path.parents[:2]):
        above.chmod(0o755)
    with made_home(tmp_path, ()) as first, made_home(tmp_path, ()) as second:
        for home in (first, second):
            sh("ip", "netns", "add", f"{home.element}t")
        try:
            element.join(first, second)
            yield first, second
        finally:
            for home in (first, second):
                sh("ip", "netns", "del", f"{home.element}t")


def pe(number: int, asn: int, peer: int, tenants: str) -> str:
    """One of the two, with VNI 100 in the L3VRF ``a tenant``."""
    session = element.neighbor(f"192.168.7.{3 - number}", peer, FAMILIES, "<description>beyond eth1</description>")
    host = element.leg(tenants, "h1", f"10.{number}.0.1/24")
    return element.config(
        (
            element.interface("lo", [f"10.0.0.{number}/32"]),
            element.interface("eth1", [f"192.168.7.{number}/24"]),
            element.interface("t1", [f"10.{number}.0.254/24"], host),
        ),
        (
            element.instance(
                "main",
                "DEFAULT_INSTANCE",
                f"10.0.0.{number}",
                element.bound("lo", "eth1"),
                element.VTEP,
                element.speaker(asn, FAMILIES, session),
            ),
            element.instance(
                "a tenant",
                "L3VRF",
                f"10.0.0.{number}",
                element.bound("t1"),
                element.vni(100),
                element.speaker(asn, FAMILIES[:1], element.neighbor(f"10.{number}.0.1", 64600, FAMILIES[:1])),
            ),
        ),
    )


def on(homes: tuple[Home, Home], tmp_path: Path, body: Body) -> None:
    """``body`` with both elements configured; the second one's session is not yet."""

    async def whole() -> None:
        states = [tmp_path / "first", tmp_path / "second"]
        for state in states:
            state.mkdir()
        async with element.running(homes[0], states[0]) as first, element.running(homes[1], states[1]) as second:
            await first.commit(pe(1, 64514, 64515, f"{homes[0].element}t"))
            await body(first, second)

    asyncio.run(whole())


def has(path: str, *values: str) -> Callable[[Any], bool]:
    return lambda data: texts(data, path) == list(values)


async def meet(first: Pe, second: Pe) -> Any:
    """What the first says once the second is there."""
    await second.commit(pe(2, 64515, 64514, f"{second.home.element}t"))
    found = await until(lambda: first.get(MAIN), has(SESSION.format("192.168.7.2"), "ESTABLISHED"))
    assert texts(found, SESSION.format("192.168.7.2")) == ["ESTABLISHED"]
    return found


def inside(home: Home, name: str, *words: str) -> None:
    sh("nsenter", f"--net={home.vrf_namespaces / name}", *words)


def test_a_session_comes_and_goes(homes: tuple[Home, Home], tmp_path: Path) -> None:
    async def body(first: Pe, second: Pe) -> None:
        alone = await first.get(MAIN)
        assert texts(alone, SESSION.format("192.168.7.2"))[0] in {"IDLE", "CONNECT", "ACTIVE"}
        assert not texts(alone, ".//ni:last-established")
        running = first.element.pipeline.running
        await meet(first, second)
        full = await until(lambda: first.get(MAIN), has(INSTALLED, "1"))
        assert texts(full, INSTALLED) == ["1"]
        said = json.loads(await first.frr.show("bgpd", "show bgp vrf default neighbors json"))["192.168.7.2"]
        assert texts(full, ".//ni:established-transitions") == [str(said["connectionsEstablished"])]
        assert texts(full, ".//ni:negotiated-hold-time") == ["9"]
        assert texts(full, ".//ni:neighbor/ni:state/ni:peer-as") == ["64515"]
        assert texts(full, ".//ni:neighbor/ni:state/ni:description") == ["beyond eth1"]
        assert texts(full, ".//ni:neighbor/ni:transport/ni:state/ni:local-address") == ["192.168.7.1"]
        assert len(texts(full, ".//ni:last-established")[0]) == 19
        sh("ip", "-n", homes[1].element, "link", "set", "eth1", "down")
        gone = await until(lambda: first.get(MAIN), lambda data: not texts(data, ".//ni:last-established"))
        assert texts(gone, SESSION.format("192.168.7.2"))[0] != "ESTABLISHED"
        assert not texts(gone, ".//ni:negotiated-hold-time")
        assert first.element.pipeline.running is running

    on(homes, tmp_path, body)


def test_a_vni_follows_its_device(homes: tuple[Home, Home], tmp_path: Path) -> None:
    async def body(first: Pe, second: Pe) -> None:
        vrf = texts(await first.get(TENANT), ".//ne:kernel-name")[0]
        await meet(first, second)
        await until(lambda: first.get(MAIN), has(".//ni:l3-vrf-name", "a tenant"))
        for state, verdict in (("down", "DOWN"), ("up", "UP")):
            for pe in (first, second):
                inside(pe.home, vrf, "ip", "link", "set", "vx100", state)
            found = await until(lambda: first.get(MAIN), has(".//ni:vni-state", verdict))
            assert texts(found, ".//ni:endpoint-vni/ni:vni") == ["100"]
            assert texts(found, ".//ni:vni-state") == [verdict]
            assert texts(found, ".//ni:l3-vrf-name") == ["a tenant"]
        found = await until(lambda: first.get(MAIN), has(".//ni:endpoint-peer/ni:peer-address", "10.0.0.2"))
        assert texts(found, ".//ni:endpoint-peer/ni:peer-address") == ["10.0.0.2"]
        assert texts(found, ".//ni:control-plane-vnis") == ["100"]
        target = ".//ni:import-export-policy/ni:state/ni:export-route-target"
        tenant = await until(lambda: first.get(TENANT), has(target, "64514:100"))
        assert texts(tenant, ".//ni:evpn-instance/ni:vxlan/ni:state/ni:vni") == ["100"]
        assert texts(tenant, target) == ["64514:100"]

    on(homes, tmp_path, body)


def test_interfaces_are_the_kernels(homes: tuple[Home, Home], tmp_path: Path) -> None:
    async def body(first: Pe, second: Pe) -> None:
        leg = ".//if:interface[if:name='t1']"
        data = await first.get(INTERFACES)
        assert texts(data, f"{leg}/if:state/if:mtu") == ["1450"]
        assert texts(data, f"{leg}/ne:leg/ne:state/ne:host-address") == ["10.1.0.1/24"]
        vrf = texts(await first.get(TENANT), ".//ne:kernel-name")[0]
        inside(homes[0], vrf, "ip", "link", "set", "t1", "mtu", "1300")
        inside(homes[0], vrf, "ip", "addr", "add", "203.0.113.7/32", "dev", "t1")
        inside(homes[0], vrf, "ip", "link", "set", "t1", "down")
        data = await first.get(INTERFACES)
        assert texts(data, f"{leg}/if:state/if:mtu") == ["1300"]
        assert texts(data, f"{leg}/if:state/if:admin-status") == ["DOWN"]
        assert texts(data, f"{leg}/if:state/if:enabled") == ["false"]
        assert "203.0.113.7" in texts(data, f"{leg}//ip:ipv4/ip:addresses/ip:address/ip:state/ip:ip")
        assert texts(data, ".//if:interface[if:name='eth1']/if:state/if:oper-status") == ["UP"]
        inside(homes[0], vrf, "ip", "link", "del", "t1")
        data = await first.get(INTERFACES)
        assert texts(data, f"{leg}/if:state/if:oper-status") == ["NOT_PRESENT"]
        assert not texts(data, f"{leg}/if:state/if:mtu")
        assert not texts(data, f"{leg}/ne:leg/ne:state/ne:host-interface")

    on(homes, tmp_path, body)


def test_frr_is_asked_for_what_the_filter_reaches(
    homes: tuple[Home, Home], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(first: Pe, second: Pe) -> None:
        asked: list[str] = []
        show = first.frr.show

        async def noted(daemon: str, command: str) -> str:
            asked.append(command)
            return await show(daemon, command)

        monkeypatch.setattr(first.frr, "show", noted)
        vrf = texts(await first.get(INSTANCES.format("<name>a tenant</name><state/>")), ".//ne:kernel-name")[0]
        await first.get(INTERFACES)
        assert asked == []
        await first.get(TENANT)
        assert asked == [f"show bgp vrf {vrf} neighbors json", "show bgp l2vpn evpn vni 100 json"]
        asked.clear()
        data = await first.get(STATES)
        assert sorted(asked) == sorted(f"show bgp vrf {name} neighbors json" for name in ("default", vrf))
        assert len(texts(data, ".//ni:session-state")) == 2
        monkeypatch.setattr(operational, "FEW", 1)
        asked.clear()
        assert texts(await first.get(STATES), ".//ni:session-state") == texts(data, ".//ni:session-state")
        assert asked == ["show bgp vrf all neighbors json"]

    on(homes, tmp_path, body)


def test_without_an_answer_from_frr_the_rest_is_told(
    homes: tuple[Home, Home], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(first: Pe, second: Pe) -> None:
        await first.frr.stop()
        with caplog.at_level(logging.WARNING, operational.__name__):
            data = await first.get()
        assert "no state from FRR" in caplog.text
        assert not texts(data, ".//ni:session-state")
        assert not texts(data, ".//ni:neighbor/ni:state/ni:peer-as")
        assert not texts(data, ".//ni:vni-state")
        assert texts(data, ".//ni:network-instance[ni:name='a tenant']/ni:state/ne:kernel-name")
        assert texts(data, ".//if:interface[if:name='t1']/if:state/if:admin-status") == ["UP"]
        await first.frr.start()

    on(homes, tmp_path, body)


def test_nothing_behind_nothing_told() -> None:
    assert operational.readers(None, None) == ()
