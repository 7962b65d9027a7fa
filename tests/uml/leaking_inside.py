"""Routes passed between L3VRFs with VRF devices; runs within the machine (test_leaking)."""

from __future__ import annotations

import subprocess

from tests.features.documents import V4, V6, bgp, bound, box, default, document, leg, protocols, vrf
from tests.server.configurations import BASE
from tests.server.element import Element, sh, until


def tenant(name: str, number: int, imports: tuple[str, ...]) -> str:
    targets = box("import-export-policy", import_route_target=imports, export_route_target=f"65000:{number}")
    policies = f"<inter-instance-policies>{targets}</inter-instance-policies>"
    inner = (bound(f"pe-{name}"), protocols(bgp(64514, (V4, V6))), policies)
    return vrf(name, *inner, route_distinguisher=f"192.0.2.1:{number}", router_id="192.0.2.1")


def tenants(element: Element, imports: dict[str, tuple[str, ...]]) -> str:
    """Red at one host, blue at the other; each imports what ``imports`` says."""
    legs, vrfs = [], []
    for number, (name, host) in enumerate((("red", element.host), ("blue", element.other)), start=1):
        here, there = (
            (f"10.{number}.0.1/24", f"2001:db8:{number}::1/64"),
            (f"10.{number}.0.2/24", f"2001:db8:{number}::2/64"),
        )
        legs.append(leg(f"pe-{name}", *here, host=f"{name}0", at=host, to=there))
        vrfs.append(tenant(name, number, imports[name]))
    main = default(protocols(bgp(64514, (V4,))), router_id="192.0.2.1")
    return f'<config xmlns="{BASE}">{document(legs, [main, *vrfs])}</config>'


def reaches(element: Element, address: str) -> bool:
    words = ("ip", "netns", "exec", element.host, "ping", "-n", "-c", "1", "-W", "1", address)
    return subprocess.run(words, capture_output=True).returncode == 0


def test_route_targets_join_and_part_two_vrfs() -> None:
    with Element() as element:
        element.commit_text(tenants(element, {"red": ("65000:1",), "blue": ("65000:2",)}))
        for space, number in ((element.host, 1), (element.other, 2)):
            sh("ip", "-n", space, "route", "add", "default", "via", f"10.{number}.0.1")
            sh("ip", "-n", space, "-6", "route", "add", "default", "via", f"2001:db8:{number}::1")
        until(lambda: reaches(element, "10.1.0.1"), "red's host reaches its VRF")
        assert not reaches(element, "10.2.0.2")

        element.commit_text(tenants(element, {"red": ("65000:2",), "blue": ("65000:1", "65000:2")}))
        until(lambda: reaches(element, "10.2.0.2"), "red's host reaches blue's")
        until(lambda: reaches(element, "2001:db8:2::2"), "over IPv6, too")
        element.kill()
        element.start()
        assert element.starts()[-1] == "0 steps, 0 refused"

        element.commit_text(tenants(element, {"red": ("65000:1",), "blue": ("65000:2",)}))
        until(lambda: not reaches(element, "10.2.0.2"), "they are apart again")
        until(lambda: not reaches(element, "2001:db8:2::2"), "over IPv6, too")
