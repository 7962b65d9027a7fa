"""The only place where the element's objects are made and wired together."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from lxml import etree

from nesrv.commit.domains import FrrDomain, KernelDomain, UserDomain
from nesrv.commit.engines import StepEngine
from nesrv.commit.pipeline import Pipeline
from nesrv.datastore.journal import CommitRecord, Journal, JournalError
from nesrv.datastore.shards import Shards
from nesrv.errors import OperationFailed, RpcError
from nesrv.facts import AfterStep, Fact, StepRefused
from nesrv.features.completeness import unclaimed
from nesrv.features.feature import Feature
from nesrv.features.limits import Ipv4VtepsOnly
from nesrv.features.registry import FEATURES
from nesrv.features.system import LoginBanner
from nesrv.features.users import User as UserFact
from nesrv.frr.daemons import BINARIES, Attached, DaemonFailed, Home, Managed
from nesrv.frr.vty import VtyLost
from nesrv.frr.writer import Frr
from nesrv.kernel.backends import detect
from nesrv.kernel.layout import BackendName, Layout
from nesrv.kernel.sockets import Refused
from nesrv.kernel.writer import Kernel
from nesrv.rpc import operational, service, startup
from nesrv.rpc.element import Element
from nesrv.rpc.files import Files
from nesrv.rpc.notify.log import EventLog
from nesrv.schema.modules import Release, module_set
from nesrv.schema.published import prepare
from nesrv.schema.schema import Schema, load
from nesrv.settings import Settings, SettingsError
from nesrv.transport import ssh
from nesrv.transport.doors import Doors
from nesrv.transport.local import LocalListener
from nesrv.transport.users import User, UserStore

logger = logging.getLogger(__name__)

RUN = Path("/run/nesrv")
DATABASE = "nesrv.db"
EVENTS = "events.db"
DATASTORE_USERS = "datastore"
GC_THRESHOLDS = (50_000, 20, 100)
STEPS_SHOWN = 20
"""Of what a start had to mend, so many steps are logged."""
FINISH_SECONDS = 60.0
"""How long a commit in hand may take when the server ends; service managers kill after 90."""


@dataclass(slots=True)
class System:
    """Kernel and FRR of one element, as far as the settings want them."""

    kernel: Kernel | None = None
    frr: Frr | None = None
    frr_managed: bool = False

    async def stop(self) -> None:
        """Let go; everything goes on forwarding."""
        if self.frr is not None:
            self.frr.detach()
        if self.kernel is not None:
            await self.kernel.stop()

    async def clear(self) -> None:
        """Remove whatever nesrv made."""
        if self.frr is not None:
            await self.frr.clear()
        if self.kernel is not None:
            await self.kernel.clear()
            shutil.rmtree(self.kernel.layout.run, ignore_errors=True)


def element_name(settings: Settings) -> str:
    """The element's name in /run/nesrv and as FRR's pathspace."""
    return settings.netns or "default"


def _underlay(settings: Settings) -> Path | None:
    return Path("/run/netns") / settings.netns if settings.netns else None


def _vrf_backend(settings: Settings) -> BackendName:
    if settings.vrf_backend == "netns":
        return "netns"
    found = detect(_underlay(settings))
    if settings.vrf_backend == "device" and found != "device":
        raise SettingsError("this kernel has no VRF devices; use --vrf-backend netns, or load its module vrf")
    return found


async def open_system(settings: Settings) -> System:
    """Start (or find again) kernel and FRR; raises SettingsError with what is missing."""
    if settings.backend == "none":
        return System()
    _check_machine(settings)
    layout = _layout(settings)
    layout.run.mkdir(parents=True, exist_ok=True)
    kernel = Kernel(layout, settings.state_dir)
    await kernel.start()
    if settings.frr == "none":
        return System(kernel)
    managed = settings.frr == "managed"
    system = System(kernel, Frr(_managed(settings, layout) if managed else Attached()), managed)
    assert system.frr is not None
    await system.frr.start()
    if not managed:
        await _meet(system.frr)
    return system


def _layout(settings: Settings) -> Layout:
    return Layout(_vrf_backend(settings), RUN / element_name(settings), _underlay(settings))


def _managed(settings: Settings, layout: Layout) -> Managed:
    return Managed(Home(element_name(settings), layout.run, layout.underlay, layout.kind))


def _check_machine(settings: Settings) -> None:
    if os.geteuid() != 0:
        raise SettingsError("the kernel can be configured by root only; without, use --backend none")
    underlay = _underlay(settings)
    if underlay is not None and not underlay.exists():
        raise SettingsError(f"there is no network namespace {settings.netns}: ip netns add {settings.netns}")
    if settings.frr == "managed" and not (BINARIES / "zebra").exists():
        raise SettingsError(f"there is no {BINARIES / 'zebra'}: install FRR, or go without by --frr none")


async def _meet(frr: Frr) -> None:
    """vtysh takes every line in silence where no FRR runs: raises SettingsError then."""
    try:
        await frr.show("zebra", "show version")
    except (VtyLost, ValueError) as error:
        raise SettingsError(f"--frr attach: no zebra answers ({error}); start FRR, or use --frr managed") from error


def _publish(store: UserStore) -> Callable[[Iterable[Fact]], None]:
    def publish(facts: Iterable[Fact]) -> None:
        known = list(facts)
        users = [User(one.name, one.password, one.ssh_keys, one.role) for one in known if isinstance(one, UserFact)]
        try:
            store.replace_source(DATASTORE_USERS, users)
        except SettingsError as error:
            raise ValueError(str(error)) from error
        store.banner = next((one.text for one in known if isinstance(one, LoginBanner)), "")

    return publish


def _engines(system: System, users: UserStore) -> dict[str, StepEngine]:
    engines: dict[str, StepEngine] = {"users": UserDomain(_publish(users))}
    if system.kernel is not None:
        engines["kernel"] = KernelDomain(system.kernel, system.frr)
    if system.kernel is not None and system.frr is not None:
        engines["frr"] = FrrDomain(system.frr, system.frr_managed, system.kernel.layout.kind)
    return engines


def _features(schema: Schema) -> list[Feature]:
    """The features whose modules are served."""
    return [feature for feature in FEATURES if feature.point.split(":")[0][1:] in schema.modules]


def _limits(system: System) -> list[Feature]:
    """Refusals of what the FRR that runs cannot do."""
    return [] if system.frr is None or system.frr.announces_ipv6_vteps else [Ipv4VtepsOnly()]


def _release(settings: Settings) -> Release | None:
    """The published modules with their deviations; raises SettingsError."""
    directory = settings.openconfig
    if directory is None:
        return None
    if next(directory.rglob("*.yang"), None) is None:
        raise SettingsError(f"--openconfig {directory}: there is no YANG module (*.yang) below it")
    try:
        return prepare(directory, settings.releases)
    except (ValueError, OSError) as error:
        raise SettingsError(f"--openconfig {directory}: {error}") from error


def load_schema(settings: Settings) -> Schema:
    """Every YANG module that is served; raises SettingsError."""
    for directory in settings.yang:
        if next(directory.glob("*.yang"), None) is None:
            raise SettingsError(f"--yang {directory}: there is no YANG module (*.yang) in it")
    with_model = settings.backend == "system" or not settings.yang or settings.openconfig is not None
    try:
        schema = load(module_set(settings.yang, with_model, _release(settings), settings.netconf_features))
    except ValueError as error:
        raise SettingsError(str(error)) from error
    left = unclaimed(schema, _features(schema))
    if left:
        raise SettingsError(f"no feature translates {', '.join(left)}")
    return schema


def _startup_config(text: bytes) -> etree._Element:
    """What ``--startup`` holds: top-level nodes, or one ``<config>`` or ``<data>`` around them."""
    if text.lstrip().startswith(b"<?xml"):
        text = text.partition(b"?>")[2]
    parser = etree.XMLParser(resolve_entities=False, remove_comments=True, remove_pis=True)
    config = etree.fromstring(b"<config>" + text + b"</config>", parser)
    if (config.text or "").strip():
        raise OperationFailed("the file holds text, not XML")
    wrapped = len(config) == 1 and etree.QName(config[0]).localname in ("config", "data")
    return config[0] if wrapped else config


class Server:
    """One network element, from its state directory to its listener."""

    def __init__(self, settings: Settings, after_step: AfterStep | None = None) -> None:
        self.settings = settings
        self._after_step = after_step
        self.system = System()

    async def start(self) -> None:
        """Everything up to the listener; raises SettingsError, JournalError."""
        settings = self.settings
        _make_state_dir(settings.state_dir)
        users = UserStore.load(settings.users)
        self.doors = Doors(settings, users)
        schema = load_schema(settings)
        self.journal = Journal(settings.state_dir / DATABASE, settings.history)
        self._choose_running()
        self.system = await open_system(settings)
        shards = Shards(schema)
        self.pipeline = Pipeline(
            shards,
            [*_features(schema), *_limits(self.system)],
            self.journal,
            _engines(self.system, users),
            self._after_step,
        )
        self.pipeline.load()
        steps, refused = await self.pipeline.reconcile()
        logger.info("start: %d steps, %d refused", len(steps), len(refused))
        for step in steps[:STEPS_SHOWN]:
            logger.info("at start: %s %s %s", step.verb, step.fact.domain, step.fact.path or step.fact.key)
        self.element = Element(shards, self.pipeline)
        _tame_collector()
        await self._first_boot()
        if settings.startup_datastore:
            self.element.startup = await startup.begin(self.pipeline, self.element.clock())
        if settings.url:
            self.element.files = Files(settings.files)
        self.events = EventLog(settings.state_dir / EVENTS, settings.limits.logged_notifications, self.element.clock())
        readers = operational.readers(self.system.kernel, self.system.frr)
        self.dispatcher = service.dispatcher(self.element, readers, self.events, settings.limits.sessions)
        self.local = LocalListener(settings.control, self.dispatcher, settings.limits)
        self.listener = await self._listen(users)
        await self.local.start()
        await self.doors.open(self.listener, self.dispatcher)

    def _choose_running(self) -> None:
        """Running starts as startup, where there is one. Else what was to be confirmed and was not ends with the
        process that it was committed in (RFC 6241 §8.4.1)."""
        journal, now = self.journal, time.time()
        unconfirmed = journal.unconfirmed()
        saved = journal.startup() if self.settings.startup_datastore else None
        if saved is not None:
            wanted = {path: None for path, _ in journal.running()} | dict(saved)
            journal.replace(wanted, CommitRecord(now, "startup", 0, "started from startup"))
        elif unconfirmed is not None:
            why = "confirmed commit taken back: the server ended"
            logger.warning("%s, running is that of commit %d", why, unconfirmed.base)
            journal.replace(journal.back_to(unconfirmed.base), CommitRecord(now, unconfirmed.user, 0, why))

    async def _listen(self, users: UserStore) -> ssh.SshListener:
        (host, port), settings = self.settings.listen, self.settings
        try:
            return await ssh.listen(host, port, settings.host_key, users, self.dispatcher, settings.limits)
        except OSError as error:
            # asyncio words the error numbers of the system at length; those of the resolver are negative.
            words = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            raise OSError(f"--listen {host or 'every address'} port {port}: {words}") from error

    async def _first_boot(self) -> None:
        """``--startup`` counts as long as nothing was ever committed."""
        path = self.settings.startup
        if path is None or self.journal.has_commits():
            return
        try:
            candidate = self.element.editor.edit(self.pipeline.running, _startup_config(path.read_bytes()))
            await self.pipeline.commit(candidate, CommitRecord(self.element.clock(), "startup", 0, str(path.name)))
        except OSError as error:
            raise SettingsError(f"--startup {path}: {error.strerror}") from error
        except (etree.XMLSyntaxError, RpcError) as error:
            raise SettingsError(f"--startup {path}: {error}") from error
        self.element.candidate.reset(self.pipeline.running)

    async def stop(self) -> None:
        """Close the sessions, finish the commit in hand; forwarding goes on."""
        await self.doors.stop()
        await self.listener.stop()
        await self.local.stop()
        try:
            await asyncio.wait_for(self.pipeline.finish(), FINISH_SECONDS)
        except TimeoutError:
            logger.error("the commit in hand does not end; the next start takes it back")
        await self.system.stop()
        self.journal.close()
        self.events.close()


def _make_state_dir(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(f"--state-dir {path}: {error.strerror}") from error


def _tame_collector() -> None:
    """Datastores are many small objects that live long and hold no cycles: looking through all of them
    every few hundred allocations would make each commit pay for the size of the configuration."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def notify_ready() -> None:
    """Tell systemd (sd_notify), where it asked."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect("\0" + address[1:] if address.startswith("@") else address)
        sender.sendall(b"READY=1")


async def serve(settings: Settings, ready: Callable[[str, int], None], after_step: AfterStep | None = None) -> None:
    """Run until SIGTERM or SIGINT; ``ready`` is told the address once startup is applied."""
    server = Server(settings, after_step)
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    await server.start()
    ready(settings.listen[0] or "0.0.0.0", server.listener.port)
    notify_ready()
    await ending.wait()
    logger.info("ending")
    await server.stop()


async def clear(settings: Settings) -> None:
    """Take the element out of kernel and FRR; the state directory keeps its configuration. Raises JournalError
    while the element runs. Daemons of our own just end, whatever state they are in."""
    _make_state_dir(settings.state_dir)
    schema = load_schema(settings)
    with contextlib.closing(Journal(settings.state_dir / DATABASE)) as journal:
        if settings.backend == "system" and settings.frr == "managed":
            _check_machine(settings)
            await _managed(settings, _layout(settings)).stop()
            settings = replace(settings, frr="none")
        system = await open_system(settings)
        engines = {name: engine for name, engine in _engines(system, UserStore()).items() if name != "users"}
        pipeline = Pipeline(Shards(schema), _features(schema), journal, engines)
        pipeline.load()
        await pipeline.withdraw()
        await system.clear()


FAILURES = (SettingsError, JournalError, RpcError, StepRefused, Refused, DaemonFailed, VtyLost, OSError)
"""What can keep the element from starting or from being cleared; each text says it to a person."""
