"""What the server says about itself: RFC 6022 (monitoring, get-schema) and RFC 8525 (yang-library)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from nesrv import errors
from nesrv.datastore.build import Plain, build
from nesrv.datastore.partial_locks import PartialLock
from nesrv.datastore.tree import Node
from nesrv.rpc import partial_lock
from nesrv.rpc.element import Counters, Element
from nesrv.rpc.operation import Answer, Call, Data, Operations
from nesrv.rpc.params import datastores
from nesrv.schema.schema import ModuleInfo, Schema
from nesrv.wire import messages

NMDA_DATASTORES = ("intended", "operational")
"""Those of RFC 8342 that RFC 6241 does not know; they can only be read."""
MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
BASE_CAPABILITIES = ("urn:ietf:params:netconf:base:1.0", "urn:ietf:params:netconf:base:1.1")
FEATURES = {
    "writable-running": "urn:ietf:params:netconf:capability:writable-running:1.0",
    "candidate": "urn:ietf:params:netconf:capability:candidate:1.0",
    "confirmed-commit": "urn:ietf:params:netconf:capability:confirmed-commit:1.1",
    "rollback-on-error": "urn:ietf:params:netconf:capability:rollback-on-error:1.0",
    "validate": "urn:ietf:params:netconf:capability:validate:1.1",
    "startup": "urn:ietf:params:netconf:capability:startup:1.0",
    "url": "urn:ietf:params:netconf:capability:url:1.0?scheme=file",
    "xpath": "urn:ietf:params:netconf:capability:xpath:1.0",
}
"""Features of ietf-netconf, each with the capability that it goes with (RFC 6241 §8)."""
FURTHER_CAPABILITIES = (
    "urn:ietf:params:netconf:capability:notification:1.0",
    "urn:ietf:params:netconf:capability:interleave:1.0",
    partial_lock.CAPABILITY,
    "urn:ietf:params:netconf:capability:with-defaults:1.0"
    "?basic-mode=explicit&also-supported=report-all,report-all-tagged,trim",
    "urn:ietf:params:netconf:capability:with-operational-defaults:1.0"
    "?basic-mode=report-all&also-supported=report-all-tagged,trim,explicit",
)


COUNTERS = 2**32
"""Where a counter32 begins again at zero."""


def readable(schema: Schema) -> tuple[str, ...]:
    """Every datastore, in the words of ietf-datastores."""
    return (*datastores(schema), *NMDA_DATASTORES)


def _implemented(schema: Schema) -> list[ModuleInfo]:
    return [info for info in schema.modules.values() if info.implemented]


def content_id(schema: Schema) -> str:
    """Changes whenever anything in ``/yang-library`` does (RFC 8525 §3), and stays the same over restarts."""
    return hashlib.sha256(repr(_library(schema)).encode()).hexdigest()[:16]


def capabilities(schema: Schema) -> list[str]:
    """For the hello: RFC 6241 §8, YANG 1.0 modules as RFC 6020 §5.6.4 wants them, RFC 7950 §5.6.4 for the rest."""
    served = schema.modules["ietf-netconf"].features
    listed = [*BASE_CAPABILITIES, *(capability for feature, capability in FEATURES.items() if feature in served)]
    listed += FURTHER_CAPABILITIES
    library = schema.modules["ietf-yang-library"]
    listed.append(
        f"urn:ietf:params:netconf:capability:yang-library:1.1?revision={library.revision}&content-id={content_id(schema)}"
    )
    for info in _implemented(schema):
        query = f"module={info.name}" + (f"&revision={info.revision}" if info.revision else "")
        query += f"&features={','.join(info.features)}" if info.features else ""
        query += f"&deviations={','.join(info.deviations)}" if info.deviations else ""
        listed.append(f"{info.namespace}?{query}")
    return listed


def date_and_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def counted(counters: Counters) -> dict[str, Plain]:
    return {
        "in-rpcs": counters.in_rpcs % COUNTERS,
        "in-bad-rpcs": counters.in_bad_rpcs % COUNTERS,
        "out-rpc-errors": counters.out_rpc_errors % COUNTERS,
        "out-notifications": counters.out_notifications % COUNTERS,
    }


def netconf_state(element: Element, listed: Sequence[str]) -> Node:
    """``/netconf-state``."""
    listed_datastores: list[Plain] = []
    for name in datastores(element.schema):
        holder, since = element.locks.holder(name), element.locks.since(name)
        entry: dict[str, Plain] = {"name": name}
        if holder is not None and since is not None:
            lock: Plain = {"locked-by-session": holder, "locked-time": date_and_time(since)}
            entry["locks"] = {"global-lock": lock}
        elif name == "running" and element.partial_locks.held():
            entry["locks"] = {"partial-lock": [_partial_lock(element, one) for one in element.partial_locks.held()]}
        listed_datastores.append(entry)
    value: Mapping[str, Plain] = {
        "capabilities": {"capability": list(listed)},
        "datastores": {"datastore": listed_datastores},
        "schemas": {"schema": [row for info in element.schema.modules.values() for row in _schemas(info)]},
        "sessions": {"session": _sessions(element)},
        "statistics": counted(element.counters)
        | {
            "netconf-start-time": date_and_time(element.started),
            "in-bad-hellos": element.in_bad_hellos,
            "in-sessions": element.in_sessions,
            "dropped-sessions": element.dropped_sessions,
        },
    }
    return build(element.schema.data[f"{{{MONITORING}}}netconf-state"], value)


def _partial_lock(element: Element, lock: PartialLock) -> Plain:
    return {
        "lock-id": lock.number,
        "locked-by-session": lock.session,
        "locked-time": date_and_time(lock.since),
        "select": lock.selects,
        "locked-node": partial_lock.identifiers(element, lock),
    }


def _sessions(element: Element) -> list[Plain]:
    return [
        counted(session.counters)
        | {
            "session-id": session.number,
            "transport": _transport(session.peer.transport),
            "username": session.peer.user,
            "source-host": session.peer.source_host,
            "login-time": date_and_time(session.login),
        }
        for session in element.sessions.values()
    ]


def _transport(name: str) -> str:
    return name if ":" in name else f"ietf-netconf-monitoring:{name}"


def _schemas(info: ModuleInfo) -> list[Plain]:
    """The module and its submodules, which have its namespace."""
    return [
        {
            "identifier": name,
            "version": revision,
            "format": "ietf-netconf-monitoring:yang",
            "namespace": info.namespace,
            "location": ["NETCONF"],
        }
        for name, revision in ((info.name, info.revision), *((part.name, part.revision) for part in info.submodules))
    ]


def _submodules(info: ModuleInfo, empty: str | None = None) -> list[Plain]:
    """``empty`` is the revision of one without."""
    return [{"name": part.name, "revision": part.revision or empty} for part in info.submodules]


def _library(schema: Schema) -> dict[str, Plain]:
    """``/yang-library`` without its content-id."""
    modules = sorted(schema.modules.values(), key=lambda info: info.name)
    return {
        "module-set": [
            {
                "name": "all",
                "module": [
                    {
                        "name": info.name,
                        "revision": info.revision or None,
                        "namespace": info.namespace,
                        "feature": info.features,
                        "deviation": info.deviations,
                        "submodule": _submodules(info),
                    }
                    for info in modules
                    if info.implemented
                ],
                "import-only-module": [
                    {
                        "name": info.name,
                        "revision": info.revision,
                        "namespace": info.namespace,
                        "submodule": _submodules(info),
                    }
                    for info in modules
                    if not info.implemented
                ],
            }
        ],
        "schema": [{"name": "all", "module-set": ["all"]}],
        "datastore": [{"name": f"ietf-datastores:{name}", "schema": "all"} for name in readable(schema)],
    }


def yang_library(schema: Schema) -> list[Node]:
    """``/yang-library``, and ``/modules-state`` for clients that know only RFC 7895."""
    library = _library(schema) | {"content-id": content_id(schema)}
    state: Mapping[str, Plain] = {
        "module-set-id": content_id(schema),
        "module": [
            {
                "name": info.name,
                "revision": info.revision,
                "namespace": info.namespace,
                "feature": info.features,
                "deviation": [{"name": name, "revision": schema.modules[name].revision} for name in info.deviations],
                "conformance-type": "implement" if info.implemented else "import",
                "submodule": _submodules(info, ""),
            }
            for info in schema.modules.values()
        ],
    }
    namespace = schema.modules["ietf-yang-library"].namespace
    return [
        build(schema.data[f"{{{namespace}}}yang-library"], library),
        build(schema.data[f"{{{namespace}}}modules-state"], state),
    ]


async def get_schema(call: Call) -> Answer:
    """RFC 6022 §3.1."""
    name = call.params.text("identifier")
    if name is None:
        raise call.params.missing("identifier")
    form = (call.params.text("format") or "yang").split(":")[-1]
    version = call.params.text("version")
    revision = call.element.schema.revision(name)
    if revision is None or form != "yang" or version not in (None, "", revision):
        raise errors.InvalidValue(
            f'There is no schema "{name}"{f" of revision {version}" if version else ""} in the format {form}.',
            app_tag="data-missing",
            info=(("bad-element", "identifier"),),
        )
    text = call.element.schema.source(name)
    return Data([messages.escape(text)], MONITORING)


OPERATIONS: Operations = {f"{{{MONITORING}}}get-schema": get_schema}
