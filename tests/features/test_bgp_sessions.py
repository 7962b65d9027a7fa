"""BGP sessions between the element's FRR and others, configured by OpenConfig at this end."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from nesrv.frr.daemons import Home
from nesrv.frr.writer import Frr
from tests.features import peering
from tests.features.documents import LO, V4, V6, bound, box, default, document, entry, families, leaves, nic, protocols
from tests.features.element import Element
from tests.features.peering import comes_up, commit, is_up, other, shows
from tests.frr.engine import eventually, on_frr, sh

AS = 64514
PREFIX = "203.0.113.0/24"
FAR = "198.51.100.1"
PLAIN = f"""
router bgp {{asn}}
 bgp router-id 192.0.2.{{number}}
 no bgp ebgp-requires-policy
 no bgp network import-check
 {{neighbors}}
 address-family ipv4 unicast
  network {PREFIX}
"""


def speaker(neighbors: str = "", groups: str = "", links: str = "", dynamic: str = "", inner: str = "") -> str:
    """The whole configuration of an element in AS 64514."""
    listens = f"<dynamic-neighbor-prefixes>{dynamic}</dynamic-neighbor-prefixes>"
    made = (
        f"<bgp><global><config>{leaves(as_=AS)}</config>{inner}{families((V4, V6))}{listens}</global>"
        f"<neighbors>{neighbors}</neighbors><peer-groups>{groups}</peer-groups>"
        f"<nesrv-bgp:unnumbered-neighbors>{links}</nesrv-bgp:unnumbered-neighbors></bgp>"
    )
    protocol = entry("protocol", "name", "bgp", made, identifier="oc-pol-types:BGP")
    keyed = protocol.replace("<protocol>", "<protocol><identifier>oc-pol-types:BGP</identifier>", 1)
    return document([LO, nic("eth1"), nic("eth2")], [default(bound("lo"), protocols(keyed), router_id="192.0.2.1")])


def neighbor(address: str = FAR, inner: str = "", **config: object) -> str:
    return entry("neighbor", "neighbor-address", address, box("timers", connect_retry=1) + inner, **config)


def group(name: str, inner: str = families((V4,)), **config: object) -> str:
    return entry("peer-group", "peer-group-name", name, inner, **config)


def family(**unicast: str) -> str:
    """IPv4 unicast with further containers."""
    inner = f"<ipv4-unicast>{unicast['inner']}</ipv4-unicast>"
    made = entry("afi-safi", "afi-safi-name", f"oc-bgp-types:{V4}", inner, enabled=True)
    return f"<afi-safis>{made}</afi-safis>"


def unnumbered(interface: str, *names: str, **config: object) -> str:
    """A neighbour by interface."""
    key = leaves("nesrv-bgp:", interface=interface)
    made = families(names).replace("</", "</nesrv-bgp:").replace("<", "<nesrv-bgp:").replace("<nesrv-bgp:/", "</")
    made = made.replace("</nesrv-bgp:nesrv-bgp:", "</nesrv-bgp:")
    settings = f"<nesrv-bgp:config>{key}{leaves('nesrv-bgp:', **config)}</nesrv-bgp:config>"
    return f"<nesrv-bgp:unnumbered-neighbor>{key}{settings}{made}</nesrv-bgp:unnumbered-neighbor>"


def plain(asn: int, *neighbors: str, number: int = 77) -> str:
    return PLAIN.format(asn=asn, number=number, neighbors="\n ".join(f"neighbor {line}" for line in neighbors))


def facing(asn: int = AS, *more: str) -> list[str]:
    """What the other end says of the element."""
    return [f"198.51.100.0 remote-as {asn}", "198.51.100.0 timers connect 1", *more]


def on_link(home: Home, body: Callable[[Frr, Element, peering.Other], Awaitable[None]]) -> None:
    async def whole(frr: Frr) -> None:
        with other(home, "eth1", "198.51.100.0/31", f"{FAR}/31") as far:
            await body(frr, Element(), far)

    on_frr(home, whole)


def test_an_unnumbered_neighbour_brings_ipv4_routes_over_ipv6(home: Home) -> None:
    async def body(frr: Frr) -> None:
        with other(home, "eth1") as far:
            far.configure(plain(64515, f"eth0 interface v6only remote-as {AS}", "eth0 timers connect 1"))
            quick = group("quick", box("timers", connect_retry=1), peer_type="EXTERNAL")
            await commit(frr, Element(), speaker(groups=quick, links=unnumbered("eth1", V4, V6, peer_group="quick")))
            assert await comes_up(frr, "eth1")

            async def installed() -> bool:
                found = json.loads(await frr.show("zebra", "show ip route json")).get(PREFIX, [{}])[0]
                hops = found.get("nexthops", [{}])
                return hops[0].get("afi") == "ipv6" and bool(hops[0].get("fib"))

            assert await eventually(installed)
            # The kernel has it by a next hop of FRR's making, whose neighbour entry has the other end's MAC address.
            assert f"{PREFIX} via 169.254.0.1 dev eth1 proto bgp" in sh("ip", "-n", home.element, "route", "show")
            assert "169.254.0.1 lladdr" in sh("ip", "-n", home.element, "neighbor", "show", "dev", "eth1")

    on_frr(home, body)


def test_a_change_of_the_group_changes_its_members_and_resets_nobody(home: Home) -> None:
    async def body(frr: Frr, element: Element, far: peering.Other) -> None:
        far.configure(plain(64515, *facing(AS, "198.51.100.0 password s3cret")))

        def wanted(hold: int) -> str:
            inherited = box("timers", hold_time=hold) + families((V4,))
            return speaker(
                neighbor(peer_group="spines", inner="") + neighbor("198.51.100.9", families((V4,)), peer_as=1),
                group("spines", inherited, peer_as=64515, auth_password="s3cret"),
            )

        await commit(frr, element, wanted(60))
        assert await comes_up(frr, FAR)
        assert await commit(frr, element, wanted(45)) == [f"change neighbor {FAR} timers 15 45"]
        found = await peering.neighbor(frr, FAR)
        assert (found["bgpState"], found["connectionsEstablished"]) == ("Established", 1)
        assert found["bgpTimerConfiguredHoldTimeMsecs"] == 45000

    on_link(home, body)


def test_a_listen_range_takes_a_neighbour_that_nobody_named(home: Home) -> None:
    async def body(frr: Frr, element: Element, far: peering.Other) -> None:
        far.configure(plain(64515, *facing(AS, "198.51.100.0 password s3cret")))
        listens = entry("dynamic-neighbor-prefix", "prefix", "198.51.100.0/24", peer_group="hosts")
        hosts = group("hosts", peer_type="EXTERNAL", auth_password="s3cret")
        await commit(frr, element, speaker(groups=hosts, dynamic=listens))
        assert await comes_up(frr, FAR)
        assert (await peering.neighbor(frr, FAR))["peerGroup"] == "hosts"
        await commit(frr, element, speaker(groups=hosts))

        async def gone() -> bool:
            return not await is_up(frr, FAR)

        assert await eventually(gone)

    on_link(home, body)


def test_a_password_has_to_match(home: Home) -> None:
    async def body(frr: Frr, element: Element, far: peering.Other) -> None:
        far.configure(plain(64515, *facing(AS, "198.51.100.0 password right")))

        def wanted(password: str) -> str:
            return speaker(neighbor(inner=families((V4,)), peer_as=64515, auth_password=password))

        await commit(frr, element, wanted("wrong"))

        async def tried() -> bool:
            return far.shown("show bgp neighbors 198.51.100.0 json")["198.51.100.0"]["connectionsDropped"] == 0 and (
                (await peering.neighbor(frr, FAR))["bgpState"] in ("Connect", "Active")
            )

        assert await eventually(tried)
        assert not await is_up(frr, FAR)
        await commit(frr, element, wanted("right"))
        assert await comes_up(frr, FAR)

    on_link(home, body)


def test_clients_of_a_reflector_hear_of_each_other(home: Home) -> None:
    async def body(frr: Frr, element: Element, far: peering.Other) -> None:
        with other(home, "eth2", "198.51.100.2/31", "198.51.100.3/31") as second:
            far.configure(plain(AS, *facing()))
            second.configure(plain(AS, "198.51.100.2 remote-as 64514", "198.51.100.2 timers connect 1", number=78))
            second.ask("configure terminal", f"router bgp {AS}", "address-family ipv4 unicast", f"no network {PREFIX}")
            clients = group(
                "clients",
                box("route-reflector", route_reflector_client=True, route_reflector_cluster_id=7) + families((V4,)),
                peer_type="INTERNAL",
            )
            both = neighbor(peer_group="clients") + neighbor("198.51.100.3", peer_group="clients")
            await commit(frr, element, speaker(both, clients))
            assert await shows(second, PREFIX)
            (path,) = second.shown(f"show bgp ipv4 unicast {PREFIX} json")["paths"]
            assert path["clusterList"]["list"] == ["0.0.0.7"]
            assert path["originatorId"] == "192.0.2.77"

    on_link(home, body)


def test_a_prefix_limit_ends_the_session_or_warns(home: Home) -> None:
    async def body(frr: Frr, element: Element, far: peering.Other) -> None:
        far.configure(plain(64515, *facing()))
        far.ask("configure terminal", "router bgp 64515", "address-family ipv4 unicast", "network 203.0.112.0/24")

        def wanted(warn: bool) -> str:
            limit = box("prefix-limit-received", max_prefixes=1, prevent_teardown=warn)
            return speaker(neighbor(inner=family(inner=limit), peer_as=64515))

        await commit(frr, element, wanted(True))
        assert await comes_up(frr, FAR)

        async def both() -> bool:
            found = (await peering.neighbor(frr, FAR))["addressFamilyInfo"]["ipv4Unicast"]
            return bool(found["acceptedPrefixCounter"] == 2)

        assert await eventually(both)
        assert await commit(frr, element, wanted(False)) == [
            f"change address-family ipv4 unicast / neighbor {FAR} maximum-prefix 1 force"
        ]

        async def ended() -> bool:
            return (await peering.neighbor(frr, FAR)).get("prefixLimitExceeded", False) or not await is_up(frr, FAR)

        assert await eventually(ended)

    on_link(home, body)


def test_a_default_route_is_sent_on_demand(home: Home) -> None:
    async def body(frr: Frr, element: Element, far: peering.Other) -> None:
        far.configure(plain(64515, *facing()))
        asked = family(inner=f"<config>{leaves(send_default_route=True)}</config>")
        await commit(frr, element, speaker(neighbor(inner=asked, peer_as=64515)))
        assert await shows(far, "0.0.0.0/0")
        await commit(frr, element, speaker(neighbor(inner=families((V4,)), peer_as=64515)))

        async def withdrawn() -> bool:
            return not far.has_route("0.0.0.0/0")

        assert await eventually(withdrawn)

    on_link(home, body)


def test_both_ends_agree_on_graceful_restart(home: Home) -> None:
    async def body(frr: Frr, element: Element, far: peering.Other) -> None:
        far.configure(plain(64515, *facing()))
        restarts = box("graceful-restart", enabled=True, restart_time=90)
        await commit(frr, element, speaker(neighbor(inner=families((V4,)), peer_as=64515), inner=restarts))
        assert await comes_up(frr, FAR)
        found = json.loads(far.ask("show bgp neighbors 198.51.100.0 json"))["198.51.100.0"]
        assert found["gracefulRestartInfo"]["remoteGrMode"] == "Restart"
        assert found["gracefulRestartInfo"]["timers"]["receivedRestartTimer"] == 90

    on_link(home, body)
