"""Numbers that elements take from common ranges by their own index, so that many share one configuration; pure.

nesrv: /system/pool, and local-cidr of legs.  What is configured outright always wins over a pool.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_interface, ip_network

from nesrv import errors
from nesrv.datastore.tree import Node
from nesrv.facts import Fact
from nesrv.features import inputs
from nesrv.features.addresses import IpInterface
from nesrv.features.feature import Export, Lookup

POINT = "/openconfig-system:system"
POOL = f"{POINT}/nesrv:pool/config"
ROUTER_ID_PATH = f"{POOL}/router-id-pool"

IpNetwork = IPv4Network | IPv6Network


class Pools:
    name = "pools"
    point = POINT
    claims = frozenset({"pool/config/index", "pool/config/router-id-pool", "pool/config/vtep-pool"})

    def exports(self, entry: Node) -> Iterator[Export]:
        pool = entry.at("pool")
        if pool is None:
            return
        number = pool.number("config/index") or 0
        yield Export(inputs.ELEMENT_INDEX, number, "the element's index", pool.path_of("config/index"))
        router_ids = pool.leaf("config/router-id-pool")
        if router_ids is not None:
            found = member(ip_network(router_ids, strict=False), number)
            if found is not None:
                path = pool.path_of("config/router-id-pool")
                yield Export(inputs.POOL_ROUTER_ID, str(found.ip), "the pool's router id", path)
        vteps = [found for _, found in _vteps(pool, number) if found is not None]
        if vteps:
            addresses = tuple(str(found) for found in sorted(vteps, key=lambda one: one.version))
            yield Export(inputs.POOL_VTEPS, addresses, "the pools' VTEP addresses", pool.path)

    def facts(self, entry: Node, lookup: Lookup) -> Iterator[Fact]:
        pool = entry.at("pool")
        if pool is not None:
            _check(pool)
        return iter(())


def member(network: IpNetwork, index: int) -> IpInterface | None:
    """Address number ``index`` of ``network``, the network's own being number 0; None where there are fewer."""
    if index >= network.num_addresses:
        return None
    return ip_interface(f"{network.network_address + index}/{network.max_prefixlen}")


def ends_of(network: IpNetwork, index: int) -> tuple[IpInterface, IpInterface] | None:
    """(element's, host's) address of a leg: the first host address, and the one ``1 + index`` after it.

    A subnet's own and its broadcast address are nobody's, but where there are only two (RFC 3021, RFC 6164).
    None where ``network`` has no such address.
    """
    short = network.max_prefixlen - network.prefixlen < 2
    first = 0 if short else 1
    last = network.num_addresses - (1 if short or network.version == 6 else 2)
    if first + 1 + index > last:
        return None
    base, length = network.network_address, network.prefixlen
    return ip_interface(f"{base + first}/{length}"), ip_interface(f"{base + first + 1 + index}/{length}")


def _vteps(pool: Node, number: int) -> Iterator[tuple[Node, IpInterface | None]]:
    for node in pool.all("config/vtep-pool"):
        yield node, member(ip_network(node.value or "", strict=False), number)


def _check(pool: Node) -> None:
    number = pool.number("config/index") or 0
    router_ids = pool.leaf("config/router-id-pool")
    if router_ids is not None:
        found, path = member(ip_network(router_ids, strict=False), number), pool.path_of("config/router-id-pool")
        if found is None:
            raise _exhausted(router_ids, number, path)
        if int(found.ip) == 0:
            raise errors.InvalidValue("A router id is not 0.0.0.0; take another pool.", path, "nesrv-pool")
    families: dict[int, str] = {}
    for node, found in _vteps(pool, number):
        value = node.value or ""
        if found is None:
            raise _exhausted(value, number, node.path)
        if found.version in families:
            raise errors.InvalidValue(
                f"{value} and {families[found.version]} are both IPv{found.version}; an element has one VTEP pool of "
                "each family.",
                node.path,
                "nesrv-pool-family-twice",
            )
        families[found.version] = value


def _exhausted(pool: str, number: int, path: str) -> errors.RpcError:
    return errors.InvalidValue(f"{pool} has no address number {number}.", path, "nesrv-pool-exhausted")
