"""A release of published modules served in the place of ours, and the command that compares the two."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from nesrv.schema.deviations import MODULE
from tests.rpc.client import Client, edit, session
from tests.schema import release
from tests.serving import NONE, PASSWORD, ROOT, USER, Serving

INTERFACE = (
    '<interfaces xmlns="http://openconfig.net/yang/interfaces"><interface><name>eth1</name>{}</interface></interfaces>'
)

ASK = '<get-schema xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"><identifier>{}</identifier></get-schema>'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release.write(tmp_path_factory.mktemp("public"))


@pytest.fixture(scope="module")
def serving(folder: Path) -> Iterator[Serving]:
    with Serving(options=(*NONE, "--openconfig", str(folder))) as server:
        yield server


def command(*words: str) -> subprocess.CompletedProcess[str]:
    whole = (sys.executable, "-m", "nesrv", "yang", "deviations", *words)
    return subprocess.run(whole, cwd=ROOT, capture_output=True, text=True)


async def hello(serving: Serving) -> set[str]:
    async with asyncssh.connect(
        serving.host, serving.port, username=USER, password=PASSWORD, known_hosts=None, client_keys=None, config=None
    ) as connection:
        greeting = await Client(await connection.create_process(subsystem="netconf", encoding=None)).greet()
        return {one.text or "" for one in greeting.iter("{*}capability")}


def test_hello_and_library_name_the_deviations(serving: Serving) -> None:
    async def scenario() -> None:
        listed = {uri.partition("?")[0]: uri for uri in await hello(serving)}
        assert listed["http://openconfig.net/yang/interfaces"].endswith(f"&deviations={MODULE}")
        assert "deviations" not in listed["http://openconfig.net/yang/interfaces/ip"]
        assert f"module={MODULE}&revision=2026-11-22" in listed["urn:nesrv:openconfig-deviations"]
        async with session(serving) as client:
            library = await client.data(
                '<get><filter><yang-library xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-library"/>'
                '<modules-state xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-library"/></filter></get>'
            )
            deviating = {
                module.findtext("{*}name"): module.findtext("{*}deviation/{*}name") or module.findtext("{*}deviation")
                for module in library.iter("{*}module")
                if module.find("{*}deviation") is not None and module.findtext("{*}name", "").startswith("openconfig-")
            }
            assert deviating == dict.fromkeys(
                (
                    "openconfig-interfaces",
                    "openconfig-network-instance",
                    "openconfig-system",
                    "openconfig-telepathy",
                ),
                MODULE,
            )

    asyncio.run(scenario())


def test_get_schema_gives_what_the_command_prints(serving: Serving, folder: Path) -> None:
    async def scenario() -> str:
        async with session(serving) as client:
            original = (await client.data(ASK.format("openconfig-interfaces"))).text
            assert original == (folder / "release/models/interfaces/openconfig-interfaces.yang").read_text()
            return (await client.data(ASK.format(MODULE))).text or ""

    shown = asyncio.run(scenario())
    done = command("--openconfig", str(folder))
    assert (done.returncode, done.stdout) == (0, shown)
    path = "/openconfig-interfaces:interfaces/interface/config/mtu"
    assert [path, "type", "uint16", "uint16", "68..9216"] in [row.split() for row in done.stderr.splitlines()]
    assert done.stderr.splitlines()[-1].endswith(" deviations, 2 differences")


def test_what_is_supported_is_served_and_what_is_not_is_unknown(serving: Serving) -> None:
    async def scenario() -> None:
        async with session(serving) as client:
            kind = '<type xmlns:i="urn:ietf:params:xml:ns:yang:iana-if-type">i:ethernetCsmacd</type>'
            await client.edit(INTERFACE.format(f"<config><name>eth1</name>{kind}<mtu>9000</mtu></config>"))
            await client.commit()
            assert "<mtu>9000</mtu>" in await client.config()
            refused = await client.refused(edit(INTERFACE.format("<config><name>eth1</name><tpid>x</tpid></config>")))
            assert (refused.tag, refused.info) == ("unknown-element", (("bad-element", "tpid"),))
            refused = await client.refused(edit(INTERFACE.format("<config><name>eth1</name><mtu>60</mtu></config>")))
            assert refused.tag == "invalid-value", "the published range counts"

    asyncio.run(scenario())


def test_the_module_goes_where_it_is_told(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "deviations.yang"
    done = command("--openconfig", str(folder), "--output", str(file))
    assert (done.returncode, done.stdout) == (0, "")
    assert file.read_text().startswith(f"module {MODULE} {{\n")


def test_a_folder_without_modules_is_a_mistake_of_usage(tmp_path: Path) -> None:
    done = command("--openconfig", str(tmp_path))
    assert done.returncode == 64
    assert "there is no YANG module (*.yang) below it" in done.stderr
    served = subprocess.run(
        (*Serving(options=(*NONE, "--openconfig", str(tmp_path))).command,), cwd=ROOT, capture_output=True, text=True
    )
    assert served.returncode == 64
    assert "there is no YANG module (*.yang) below it" in served.stderr


def test_modules_that_do_not_load_are_named(tmp_path: Path) -> None:
    (release.write(tmp_path) / "release/models/system/openconfig-system.yang").write_text("module openconfig-system {")
    done = command("--openconfig", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("nesrv: YANG module openconfig-system: ")


def test_without_a_command_usage_is_shown() -> None:
    done = subprocess.run((sys.executable, "-m", "nesrv", "yang"), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 64
