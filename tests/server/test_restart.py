"""nesrv comes and goes, by SIGTERM and by kill -9, while the element forwards."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

import pytest

from tests.server.configurations import AS, Configuration, Neighbor
from tests.server.element import Element, differences, same, sh, until
from tests.server.scenes import leg, small
from tests.server.speaker import session, speaker

PEER = "10.100.0.2"
INTERVAL = "0.01"
SUMMARY = re.compile(r"(\d+) packets transmitted, (\d+) received")


def two_legs(element: Element) -> Configuration:
    """Red with a leg to each of two host namespaces, and its neighbour on the first."""
    origin = small(element)
    red = origin.vrfs[0]
    legs = (*red.legs, leg(element, "far", 101, element.other))
    return replace(origin, vrfs=(replace(red, legs=legs, neighbors=(Neighbor(PEER, 64515, retry=1),)),))


def route_between_hosts(element: Element) -> None:
    sh("ip", "-n", element.host, "route", "add", "10.101.0.0/24", "via", "10.100.0.1")
    sh("ip", "-n", element.other, "route", "add", "10.100.0.0/24", "via", "10.101.0.1")


@contextmanager
def pinging(element: Element) -> Iterator[subprocess.Popen[str]]:
    """Pings every 10 ms from one host to the other through the element's VRF, until it is told to end."""
    words = ("ip", "netns", "exec", element.host, "ping", "-n", "-i", INTERVAL, "10.101.0.2")
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        until(lambda: "icmp_seq=3" in process.stdout.readline(), "the first pings are answered")  # type: ignore[union-attr]
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def lost(process: subprocess.Popen[str]) -> tuple[int, int]:
    """(sent, lost) once the pinging is over; the one under way when it ends is not lost."""
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=20)
    found = SUMMARY.search(said)
    assert found is not None, said
    sequence = [int(number) for number in re.findall(r"icmp_seq=(\d+)", said)]
    holes = set(range(sequence[0], sequence[-1] + 1)) - set(sequence)
    return int(found[1]), len(holes) + max(0, int(found[1]) - sequence[-1] - 1)


def test_not_one_packet_is_lost_while_nesrv_restarts() -> None:
    with Element() as element:
        element.commit(two_legs(element))
        route_between_hosts(element)
        with speaker(element, element.host, 64515, "10.100.0.1", AS):
            until(lambda: session(element, "red", PEER).prefixes == 1, "the tenant's route is there")
            before, established = element.picture(), session(element, "red", PEER)
            assert established.established
            with pinging(element) as process:
                for end in (element.stop, element.kill, element.stop, element.kill):
                    end()
                    element.start()
                    assert element.starts()[-1] == "0 steps, 0 refused"
                sent, missing = lost(process)
            assert sent > 100, "the pings went on over the restarts"
            assert missing == 0
            assert session(element, "red", PEER) == established
            assert differences(before, element.picture()) == []


def test_the_session_of_a_tenant_stays_while_its_neighbours_change() -> None:
    with Element() as element:
        origin = two_legs(element)
        element.commit(origin)
        with speaker(element, element.host, 64515, "10.100.0.1", AS):
            until(lambda: session(element, "red", PEER).prefixes == 1, "the tenant's route is there")
            established = session(element, "red", PEER)
            red = origin.vrfs[0]
            for number, neighbors in zip(count(1), _variants(red.neighbors), strict=False):
                element.commit(replace(origin, vrfs=(replace(red, neighbors=neighbors),)))
                assert session(element, "red", PEER) == established, f"variant {number}"


def _variants(own: tuple[Neighbor, ...]) -> Iterator[tuple[Neighbor, ...]]:
    """Changes that are no reason to reset the session."""
    other = Neighbor("10.101.0.2", 64516)
    yield (*own, other)
    yield (*own, replace(other, hold=9, keepalive=3))
    yield own
    yield (replace(own[0], description="the tenant"),)


@pytest.mark.parametrize("daemon", ["bgpd", "zebra", "staticd", "bfdd"])
def test_a_daemon_that_died_comes_back_with_its_configuration(daemon: str) -> None:
    with Element() as element:
        element.commit(two_legs(element))
        before, pid = element.picture(), element.frr_pid(daemon)
        sh("kill", "-9", str(pid))
        restarted = f"{daemon} of {element.name} restarted with its configuration"
        until(lambda: restarted in element.serving.log(), "nesrv has restarted the daemon")
        assert element.frr_pid(daemon) != pid
        assert f"{daemon} of {element.name} died" in element.serving.log()
        same(before, element.picture)
        element.kill()
        element.start()
        assert element.starts()[-1] == "0 steps, 0 refused"
