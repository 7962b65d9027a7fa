"""Static routes that carry packets and are redistributed, and raw lines, over NETCONF."""

from __future__ import annotations

import json
import re
import subprocess

from tests.features.documents import V4, bgp, box, document, protocols, vrf
from tests.features.route_documents import (
    BFD,
    bfd,
    bfd_interface,
    connection,
    connections,
    hop,
    protocol,
    raw,
    raw_block,
    route,
    static,
    tables,
)
from tests.server.configurations import AS, BASE
from tests.server.element import Element, differences, sh, until
from tests.server.scenes import small

FAR = "203.0.113.7"
RED = f"router bgp {AS} vrf red"
PREFIX = re.compile(r"(?<=[/\[])[\w-]+:")
IMPORT_EXPORT = "import-export-policy"
ACCEPT = {"default_import_policy": "ACCEPT_ROUTE"}


def config(*parts: str) -> str:
    return f'<config xmlns="{BASE}">{"".join(parts)}</config>'


def routed(*conns: str) -> str:
    """Red with a route to FAR by its host, and connections."""
    made = protocols(static(route(f"{FAR}/32", hop("host", "10.100.0.2"))), protocol("DIRECTLY_CONNECTED"), bgp(AS))
    known = tables("STATIC IPV4", "DIRECTLY_CONNECTED IPV4", "BGP IPV4")
    return config(document([], [vrf("red", made, known, connections(*conns))]))


def announced(element: Element) -> set[str]:
    shown = json.loads(element.vtysh("show bgp vrf red ipv4 unicast json"))
    return set(shown["routes"])


def test_a_static_route_carries_packets_and_is_redistributed() -> None:
    with Element() as element:
        sh("ip", "-n", element.host, "address", "add", f"{FAR}/32", "dev", "lo")
        element.commit(small(element))
        until(lambda: "10.100.0.0/24" in announced(element), "the subnet is redistributed as ever")
        assert f"{FAR}/32" not in announced(element)

        reject = connection("DIRECTLY_CONNECTED", default_import_policy="REJECT_ROUTE")
        element.merge(routed(connection("STATIC", **ACCEPT), reject))
        element.session.commit()

        until(lambda: announced(element) == {f"{FAR}/32"}, "the static route is redistributed, the subnet not")
        ping = (*element.inside_vrf("red"), "ping", "-n", "-c", "1", "-W", "1", FAR)
        until(lambda: subprocess.run(ping, capture_output=True).returncode == 0, f"{FAR} answers")
        element.kill()
        element.start()
        assert element.starts()[-1] == "0 steps, 0 refused"


def test_state_shows_what_frr_was_given_without_secrets() -> None:
    watched = bfd(bfd_interface("legs", "pe-red", enabled=True, detection_multiplier=4))
    secret = raw(raw_block("tenant", "neighbor 10.100.0.2 password in-clear", context=(RED,)))
    with Element() as element:
        element.commit(small(element))
        element.merge(config(watched, secret))
        element.session.commit()
        assert "  detect-multiplier 4" in element.vtysh("show running-config").splitlines()
        said = element.session.get(filter=("subtree", f"<bfd {BFD}/>")).data_xml
        assert re.search(r"<state>\s*<id>legs</id>\s*<enabled>true</enabled>\s*<detection-multiplier>4<", said)
        said = element.session.get(filter=("subtree", '<frr xmlns="urn:nesrv:frr"/>')).data_xml
        assert said.count("<state>") == 2
        assert said.count("in-clear") == 1, "where the configuration has it"


def test_routes_cannot_lead_from_one_namespace_into_another() -> None:
    """This kernel's VRFs are namespaces; tests/uml has the devices with which it works."""
    targets = (
        "<inter-instance-policies>" + box(IMPORT_EXPORT, import_route_target="65000:1") + "</inter-instance-policies>"
    )
    blue = vrf("blue", targets, protocols(bgp(AS, (V4,))))
    with Element("--vrf-backend", "netns") as element:
        element.commit(small(element))
        before = element.picture()
        element.merge(config(document([], [blue])))
        error = element.refused(element.session.commit)
        path = f"/network-instances/network-instance[name='blue']/inter-instance-policies/{IMPORT_EXPORT}/config"
        assert PREFIX.sub("", error.path) == f"{path}/import-route-target[.='65000:1']"
        assert (error.app_tag, "with VRF devices only" in error.message) == ("frr-refused", True)
        assert differences(before, element.picture()) == []


def test_raw_lines_count_only_as_frr_has_them() -> None:
    secret = raw_block("tenant", "neighbor 10.100.0.2 password in-clear", context=(RED,))
    with Element() as element:
        element.commit(small(element))
        before = element.picture()
        for name, text, words in (
            ("a", "neighbor 10.100.0.2 colour red", "Unknown command"),
            ("b", "neighbor 10.100.0.2 weight 9", "address-family ipv4 unicast / neighbor 10.100.0.2 weight 9"),
        ):
            element.merge(config(raw(secret, raw_block(name, text, context=(RED,)))))
            error = element.refused(element.session.commit)
            assert PREFIX.sub("", error.path) == f"/frr/block[name='{name}']/line[number='1']/config/text"
            assert words in error.message
            assert differences(before, element.picture()) == []
            element.session.discard_changes()

        element.merge(config(raw(secret)))
        element.session.commit()

        assert " neighbor 10.100.0.2 password in-clear" in element.vtysh("show running-config").splitlines()
        assert "in-clear" not in element.serving.log()
        assert "in-clear" not in str(element.plan())
        element.kill()
        element.start()
        assert element.starts()[-1] == "0 steps, 0 refused"
        element.commit(small(element))
        assert differences(before | {"disk history": []}, element.picture() | {"disk history": []}) == []
