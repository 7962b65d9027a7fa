"""What a test tells a PE's BGP speaker beside tests.server.configurations: pieces of XML to be merged."""

from __future__ import annotations

from tests.features.documents import NI, leaves

BFD = "urn:nesrv:bfd"
MILLISECOND = 1000
"""OpenConfig counts microseconds."""


def speaker(inner: str, instance: str = "default") -> str:
    """``inner`` in the container bgp of an instance, as the whole of network-instances."""
    return instances(bgp_of(inner, instance))


def instances(*made: str) -> str:
    return f"<network-instances {NI}>{''.join(made)}</network-instances>"


def bgp_of(inner: str, instance: str = "default") -> str:
    """``inner`` in the container bgp of an instance, as an entry of network-instances."""
    keys = "<identifier>oc-pol-types:BGP</identifier><name>bgp</name>"
    protocols = f"<protocols><protocol>{keys}<config>{keys}</config><bgp>{inner}</bgp></protocol></protocols>"
    return f"<network-instance>{leaves(name=instance)}{protocols}</network-instance>"


def neighbors(inner: dict[str, str]) -> str:
    """What stands in each neighbour, by its address."""
    made = (f"<neighbor>{leaves(neighbor_address=address)}{one}</neighbor>" for address, one in inner.items())
    return f"<neighbors>{''.join(made)}</neighbors>"


def watched(enabled: bool = True, *, interval_ms: int | None = None, passive: bool | None = None) -> str:
    """The container enable-bfd, three intervals being the time of detection."""
    microseconds = None if interval_ms is None else interval_ms * MILLISECOND
    timers = leaves(
        enabled=enabled, desired_minimum_tx_interval=microseconds, required_minimum_receive=microseconds
    ) + leaves(passive_mode=passive).replace("<passive-mode>", f'<passive-mode xmlns="{BFD}">')
    return f"<enable-bfd><config>{timers}</config></enable-bfd>"
