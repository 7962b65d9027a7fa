"""What the tenants see: which services answer, and which do not."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lab import services
from lab.places import Lab
from lab.topology import Interface, Tenant


@dataclass(frozen=True, slots=True)
class Proof:
    """One tenant calls one address; ``expected`` is who must answer, None for nobody."""

    tenant: Tenant
    source: Interface
    target: Interface
    expected: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Who answered (None: nobody) and whether ping got every packet back."""

    proof: Proof
    answered: str | None
    pinged: bool

    @property
    def good(self) -> bool:
        return (self.answered, self.pinged) == (self.proof.expected, self.proof.expected is not None)


def proofs(lab: Lab) -> Iterator[Proof]:
    """Every service of a VRF from every other tenant of it, and every service that only other VRFs have."""
    tenants = lab.topology.tenants
    for tenant in tenants:
        others = [one for one in tenants if one is not tenant and one.vrf == tenant.vrf]
        inside = {service: other for other in others for service in other.services}
        own = {service.ip for one in (tenant, *others) for service in one.services}
        outside = {service for one in tenants for service in one.services if service.ip not in own}
        for target, other in inside.items():
            yield Proof(tenant, _source(tenant, target), target, services.name(other))
        for target in sorted(outside, key=str):
            yield Proof(tenant, _source(tenant, target), target, None)


def _source(tenant: Tenant, target: Interface) -> Interface:
    """The tenant's first service of the same IP version."""
    return next(one for one in tenant.services if one.version == target.version)


def prove(lab: Lab) -> list[Outcome]:
    """Runs every proof, several at a time, in the order of :func:`proofs`."""

    def one(proof: Proof) -> Outcome:
        target, source = str(proof.target.ip), str(proof.source.ip)
        return Outcome(
            proof,
            services.ask(lab, proof.tenant, target, source),
            services.ping(lab, proof.tenant, target, source),
        )

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, proofs(lab)))
