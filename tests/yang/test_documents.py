"""What a whole configuration may hold: one that is valid, and for each rule one that breaks it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

import libyang
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.yang import models

PE = (models.DATA / "pe.xml").read_text()
USER = """<system xmlns="http://openconfig.net/yang/system"><aaa><authentication><users><user><username>ann</username>
<config><username>ann</username><password>secret</password><ssh-key>ssh-ed25519 AAAA</ssh-key>
<role xmlns:oc-aaa-types="http://openconfig.net/yang/aaa/types">oc-aaa-types:SYSTEM_ROLE_ADMIN</role></config>
</user></users></authentication></aaa></system>"""


def validate(schema: libyang.Context, document: str) -> str:
    """The document as libyang holds it, defaults left out; raises LibyangError."""
    tree = schema.parse_data_mem(document, "xml", strict=True, no_state=True)
    assert tree is not None
    try:
        text = tree.print_mem("json", with_siblings=True)
        assert isinstance(text, str)
        return text
    finally:
        tree.free()


@pytest.mark.parametrize("document", [PE, USER, PE + USER])
def test_valid(schema: libyang.Context, document: str) -> None:
    assert '"openconfig-' in validate(schema, document)


def test_order_of_a_document_is_free(schema: libyang.Context) -> None:
    at = PE.index("<network-instances")
    validate(schema, PE[at:] + PE[:at])


@dataclass(frozen=True, slots=True)
class Broken:
    """pe.xml with ``old`` (its first occurrence) replaced, and what libyang says: the rule, and the node.

    Of several broken rules libyang names the one that it meets first; a missing node it places in the schema alone.
    """

    old: str
    new: str
    words: str
    node: str


BROKEN = {
    "binding of an interface that is not there": Broken(
        "<interface>pe-red</interface>",
        "<interface>pe-green</interface>",
        "no target instance",
        "/interfaces/interface[id='pe-red.0']/config/",
    ),
    "binding of a subinterface that is not there": Broken(
        "<interface>eth1</interface><subinterface>0<",
        "<interface>eth1</interface><subinterface>7<",
        "no target instance",
        "config/subinterface",
    ),
    "VTEP that is not there": Broken(
        "<overlay-endpoint>VTEP", "<overlay-endpoint>OTHER", "no target instance", "config/overlay-endpoint"
    ),
    "VTEP in an instance that is not there": Broken(
        "instance>default</overlay",
        "instance>other</overlay",
        "no target instance",
        "vxlan/config/overlay-endpoint",
    ),
    "VTEP on an interface that is not there": Broken(
        "<local><config><interface>lo<",
        "<local><config><interface>lo1<",
        "no target instance",
        "/local/config/",
    ),
    "key that differs from its config": Broken(
        "<config><name>red</name>", "<config><name>rot</name>", "no target instance", "network-instance"
    ),
    "missing key": Broken("<name>eth1</name>\n", "", "List instance is missing its key", "interfaces/interface"),
    "the same entry twice": Broken(
        "<id>lo.0</id><config><id>lo.0</id>", "<id>eth1.0</id><config><id>eth1.0</id>", "Duplicate", "id='eth1.0'"
    ),
    "VNI 0": Broken("<vni>100<", "<vni>0<", "range", "vxlan/config/vni"),
    "VNI of 25 bits": Broken("<vni>100<", "<vni>16777216<", "range", "vxlan/config/vni"),
    "RD without a number": Broken(">198.51.100.1:100<", ">198.51.100.1<", "union", "config/route-distinguisher"),
    "RD beyond 16 bits": Broken(">198.51.100.1:100<", ">198.51.100.1:65536<", "union", "config/route-distinguisher"),
    "RT beyond 16 and 32 bits": Broken(
        "<export-route-target>64514:100", "<export-route-target>65536:65536", "union", "config/export-route-target"
    ),
    "route origin as RT": Broken(
        "<export-route-target>64514", "<export-route-target>route-origin:64514", "union", "config/export-route-target"
    ),
    "kind of instance that nesrv does not make": Broken(
        "oc-ni-types:L3VRF", "oc-ni-types:L2P2P", "identity", "config/type"
    ),
    "encapsulation that nesrv does not make": Broken(
        "oc-ni-types:VXLAN", "oc-ni-types:MPLS", "identity", "config/encapsulation-type"
    ),
    "instance without a type": Broken(
        "<type>oc-ni-types:L3VRF</type>", "", 'Mandatory node "type"', "network-instances/network-instance/config/type"
    ),
    "interface without a type": Broken(
        "<type>ianaift:softwareLoopback</type>", "", 'Mandatory node "type"', "interfaces/interface/config/type"
    ),
    "BGP without an AS": Broken(
        "<config><as>64514</as><router-id>198.51.100.1</router-id></config>", "", 'Mandatory node "as"', "bgp/global"
    ),
    "AS of 33 bits": Broken("<peer-as>64512<", "<peer-as>4294967296<", "out of type uint32", "config/peer-as"),
    "neighbour that is no address": Broken(
        "<config><neighbor-address>192.0.2.0<",
        "<config><neighbor-address>spine<",
        "union",
        "neighbor[neighbor-address='192.0.2.0']/config/neighbor-address",
    ),
    "IPv4 address in a list of IPv6 addresses": Broken(
        "<oc-ip:config><oc-ip:ip>2001:db8:1::1<",
        "<oc-ip:config><oc-ip:ip>10.1.0.3<",
        "pattern",
        "openconfig-if-ip:ipv6",
    ),
    "IPv4 prefix of 33 bits": Broken("prefix-length>31<", "prefix-length>33<", "range", "config/prefix-length"),
    "IPv6 address without its length": Broken(
        "<oc-ip:prefix-length>64</oc-ip:prefix-length>", "", 'Mandatory node "prefix-length"', "openconfig-if-ip:ipv6"
    ),
    "link behind an endpoint of no type": Broken(
        "<type>oc-ni-types:LOCAL</type>", "", "When condition", "endpoint[endpoint-id='VTEP']/local"
    ),
    "leg without the host's interface": Broken(
        "<nesrv:host-interface>host-red</nesrv:host-interface>", "", 'Mandatory node "host-interface"', "nesrv:leg"
    ),
    "leg with a name too long for the kernel": Broken(">host-red<", ">host-red-too-long<", "length", "host-interface"),
    "leg with a name that is a path": Broken(">host-red<", ">../red<", "pattern", "host-interface"),
    "leg with an address without length": Broken(">10.1.0.2/24<", ">10.1.0.2<", "union", "host-address"),
    "leg that is also adopted": Broken(
        "<nesrv:leg>", "<nesrv:adopt/><nesrv:leg>", "made (leg) or taken (adopt)", "nesrv:leg"
    ),
    "namespace that is a path": Broken(
        "<nesrv:adopt/>",
        "<nesrv:adopt><nesrv:config><nesrv:from-namespace>..</nesrv:from-namespace></nesrv:config></nesrv:adopt>",
        "pattern",
        "from-namespace",
    ),
    "VXLAN on UDP port 0": Broken(
        "<vni>100</vni>", '<vni>100</vni><udp-port xmlns="urn:nesrv:element">0</udp-port>', "range", "udp-port"
    ),
    "node that nesrv does not have": Broken(
        "<vni>100</vni>", "<vni>100</vni><vni-list>7</vni-list>", "vni-list", "vxlan/config"
    ),
    "state in a configuration": Broken(
        "<name>lo</name>\n", "<name>lo</name><state><name>lo</name></state>", "state", "interface[name='lo']"
    ),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_refused(schema: libyang.Context, broken: Broken) -> None:
    assert broken.old in PE
    libyang.configure_logging(True)
    with pytest.raises(libyang.LibyangError) as refused:
        validate(schema, PE.replace(broken.old, broken.new, 1))
    assert broken.words in str(refused.value)
    assert broken.node in str(refused.value)


@pytest.mark.parametrize(
    "rd", ["0:0", "65535:4294967295", "65536:65535", "4294967295:65535", "192.0.2.1:65535", "AUTO"]
)
def test_route_distinguishers(schema: libyang.Context, rd: str) -> None:
    assert f'"{rd}"' in validate(schema, PE.replace("198.51.100.1:100", rd))


@pytest.mark.parametrize(
    "rd", ["65536:65536", "65535:4294967296", "01:1", "1:01", "1:1:1", "192.0.2.256:1", "auto", "1:", ""]
)
def test_no_route_distinguishers(schema: libyang.Context, rd: str) -> None:
    with pytest.raises(libyang.LibyangError):
        validate(schema, PE.replace("198.51.100.1:100", rd))


@pytest.mark.parametrize("rt", ["64514:4294967295", "4200000000:1", "192.0.2.1:1", "route-target:64514:1", "AUTO"])
def test_route_targets(schema: libyang.Context, rt: str) -> None:
    assert f'"{rt}"' in validate(schema, PE.replace("64514:100", rt))


def _refused(schema: libyang.Context, *changes: tuple[str, str]) -> bool:
    document = PE
    for old, new in changes:
        document = document.replace(old, new)
    try:
        validate(schema, document)
    except libyang.LibyangError:
        return True
    return False


GROUP = st.integers(0, 0xFFFF).map("{:x}".format)
GROUPS = st.lists(st.one_of(GROUP, st.sampled_from(["0", "FFFF", "12345", "g", ""])), max_size=9).map(":".join)


@given(st.one_of(GROUPS, GROUPS.map(lambda text: text.replace("0", ":", 1)), st.lists(GROUP, max_size=9).map(":".join)))
@example("1:2:3:4:5:6:7::")
@example("::2:3:4:5:6:7:8")
@example("1:2:3:4::5:6:7:8")
@example("1:2:3:4:5:6:7:8::")
@example("1::2::3")
@example("1:2:3:4:5:6:7:8:9")
@example(":1:2:3:4:5:6:7")
@example("::")
@example(":::")
def test_ipv6_addresses_are_those_of_the_standard_library(schema: libyang.Context, text: str) -> None:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        bad = True
    else:
        bad = False
    assert _refused(schema, (">2001:db8:1::1<", f">{text}<")) is bad
    assert _refused(schema, (">2001:db8:1::2/64<", f">{text}/64<")) is bad


@given(st.lists(st.integers(0, 300).map(str), min_size=3, max_size=5).map(".".join), st.integers(0, 40))
@example("192.0.2.01", 24)
@example("255.255.255.255", 32)
def test_ipv4_addresses_are_those_of_the_standard_library(schema: libyang.Context, text: str, length: int) -> None:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        bad = True
    else:
        bad = False
    assert _refused(schema, (">10.1.0.1<", f">{text}<")) is bad
    assert _refused(schema, (">10.1.0.2/24<", f">{text}/{length}<")) is (bad or length > 32)
