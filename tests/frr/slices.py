"""Lines in canonical form, as features write them, by kind."""

from __future__ import annotations

from nesrv.frr.text import FrrLine
from tests.frr.engine import AS, DEFAULT, EVPN, IPV4, IPV6, RED, lines

D = (DEFAULT,)
R = (RED,)

INSTANCE = (
    ((), DEFAULT),
    (D, "bgp router-id 10.0.0.1"),
    (D, "no bgp default ipv4-unicast"),
    (D, "no bgp ebgp-requires-policy"),
    (D, "no bgp network import-check"),
)
NEIGHBORS = (
    (D, "neighbor 192.0.2.1 remote-as 65001"),
    (D, "neighbor 192.0.2.1 description to the spine"),
    (D, "neighbor 192.0.2.1 password s3cret"),
    (D, "neighbor 192.0.2.1 timers 3 9"),
    (D, "neighbor 192.0.2.1 timers connect 5"),
    (D, "neighbor 192.0.2.1 ebgp-multihop 5"),
    (D, "neighbor 192.0.2.1 update-source 10.0.0.1"),
    (D, "neighbor 192.0.2.1 port 1179"),
    (D, "neighbor 192.0.2.1 passive"),
    (D, "neighbor 192.0.2.1 shutdown"),
    (D, "neighbor 192.0.2.1 bfd"),
    (D, "neighbor 192.0.2.1 local-as 65009 no-prepend replace-as"),
    (D, "neighbor 192.0.2.1 disable-connected-check"),
    (D, "neighbor 192.0.2.1 advertisement-interval 1"),
    (D, "neighbor 2001:db8::1 remote-as external"),
    (D, "neighbor 2001:db8::1 capability extended-nexthop"),
    (D, "neighbor 192.0.2.2 remote-as internal"),
    (D, "neighbor 192.0.2.2 update-source lo"),
    (D, "neighbor eth0 interface remote-as external"),
    (D, "neighbor eth1 interface v6only remote-as internal"),
)
GROUPS = (
    (D, "neighbor LEAVES peer-group"),
    (D, "neighbor LEAVES remote-as external"),
    (D, "neighbor LEAVES timers 1 3"),
    (D, "neighbor 192.0.2.9 peer-group LEAVES"),
    (D, "neighbor 192.0.2.9 description member"),
    (D, "bgp listen limit 50"),
    (D, "bgp listen range 10.9.0.0/16 peer-group LEAVES"),
)
RESTART = (
    (D, "bgp graceful-restart"),
    (D, "bgp graceful-restart stalepath-time 300"),
    (D, "bgp graceful-restart restart-time 100"),
    (D, "bgp bestpath as-path multipath-relax"),
    (D, "bgp cluster-id 10.0.0.9"),
)
FAMILIES = (
    ((*D, IPV4), "neighbor 192.0.2.1 activate"),
    ((*D, IPV4), "neighbor 192.0.2.1 soft-reconfiguration inbound"),
    ((*D, IPV4), "neighbor 192.0.2.1 allowas-in"),
    ((*D, IPV4), "neighbor 192.0.2.1 maximum-prefix 100"),
    ((*D, IPV4), "neighbor 192.0.2.2 activate"),
    ((*D, IPV4), "neighbor 192.0.2.2 allowas-in 2"),
    ((*D, IPV4), "neighbor 192.0.2.2 next-hop-self"),
    ((*D, IPV4), "neighbor 192.0.2.2 route-reflector-client"),
    ((*D, IPV4), "no neighbor 192.0.2.2 send-community"),
    ((*D, IPV4), "network 10.0.0.1/32"),
    ((*D, IPV4), "redistribute connected"),
    ((*D, IPV4), "maximum-paths 4"),
    ((*D, IPV4), "maximum-paths ibgp 8"),
    ((*D, IPV6), "neighbor 2001:db8::1 activate"),
    ((*D, IPV6), "network 2001:db8:1::/48"),
    ((*D, IPV6), "redistribute connected"),
)
EVPN_DEFAULT = (
    ((*D, EVPN), "neighbor 192.0.2.1 activate"),
    ((*D, EVPN), "neighbor 192.0.2.1 allowas-in"),
    ((*D, EVPN), "advertise-all-vni"),
    ((*D, EVPN), "vni 200"),
    ((*D, EVPN, "vni 200"), "rd 10.0.0.1:200"),
    ((*D, EVPN, "vni 200"), "route-target import 65000:200"),
    ((*D, EVPN, "vni 200"), "route-target export 65000:200"),
)
VRF = (
    (("vrf red",), "vni 100"),
    ((), RED),
    (R, "bgp router-id 10.0.0.2"),
    (R, "no bgp default ipv4-unicast"),
    (R, "no bgp ebgp-requires-policy"),
    (R, "neighbor 10.1.0.1 remote-as 64600"),
    (R, "neighbor 10.1.0.1 password tenant"),
    (R, "neighbor 10.1.0.1 timers 10 30"),
    ((*R, IPV4), "neighbor 10.1.0.1 activate"),
    ((*R, IPV4), "redistribute connected"),
    ((*R, IPV6), "redistribute connected"),
    ((*R, EVPN), "advertise ipv4 unicast"),
    ((*R, EVPN), "advertise ipv6 unicast"),
    ((*R, EVPN), "rd 10.0.0.1:100"),
    ((*R, EVPN), f"route-target import {AS}:1100"),
    ((*R, EVPN), "route-target import 10.0.0.1:7"),
    ((*R, EVPN), f"route-target export {AS}:1100"),
)
STATIC = (
    ((), "ip route 10.5.0.0/16 Null0"),
    ((), "ip route 10.6.0.0/16 192.0.2.99"),
    ((), "ip route 10.6.0.0/16 192.0.2.98 200"),
    ((), "ipv6 route 2001:db8:5::/48 2001:db8::9"),
    (("vrf red",), "ip route 10.8.0.0/16 10.1.0.9"),
    (("vrf red",), "ipv6 route 2001:db8:8::/48 Null0"),
)
POLICY = (
    ((), "ip prefix-list PL seq 5 permit 10.0.0.0/8 le 24"),
    ((), "ipv6 prefix-list PL6 seq 5 permit 2001:db8::/32 ge 33"),
    ((), "bgp community-list standard CL seq 5 permit 64514:1"),
    ((), "bgp as-path access-list AP seq 5 permit _65001_"),
    ((), "bgp extcommunity-list standard EL seq 5 permit rt 64514:1"),
    ((), "route-map RM permit 10"),
    (("route-map RM permit 10",), "match ip address prefix-list PL"),
    (("route-map RM permit 10",), "match community CL"),
    (("route-map RM permit 10",), "set local-preference 200"),
    (("route-map RM permit 10",), "set metric 5"),
    (("route-map RM permit 10",), "set community 64514:9 additive"),
    ((), "route-map RM deny 20"),
)
BFD = (
    (("bfd",), "profile fast"),
    (("bfd", "profile fast"), "detect-multiplier 4"),
    (("bfd", "profile fast"), "transmit-interval 150"),
    (("bfd", "profile fast"), "receive-interval 150"),
    (("bfd", "profile fast"), "passive-mode"),
)

KINDS: dict[str, list[FrrLine]] = {
    "instance": lines(INSTANCE),
    "neighbors": lines(INSTANCE + NEIGHBORS),
    "groups": lines(INSTANCE + GROUPS),
    "restart": lines(INSTANCE + RESTART),
    "families": lines(INSTANCE + NEIGHBORS + FAMILIES),
    "evpn": lines(INSTANCE + NEIGHBORS + EVPN_DEFAULT),
    "vrf": lines(INSTANCE + VRF),
    "static": lines(STATIC),
    "policy": lines(POLICY),
    "bfd": lines(BFD),
}
EVERYTHING = lines((*INSTANCE, *NEIGHBORS, *GROUPS, *RESTART, *FAMILIES, *EVPN_DEFAULT, *VRF, *STATIC, *POLICY, *BFD))
