"""The command ``nesrv``."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nesrv.settings import CONTROL, HISTORY_KEPT, Settings, SettingsError, parse_listen
from nesrv.transport.local_client import Refused, ask

OK, FAILED, PENDING, USAGE = 0, 1, 2, 64
NESRV = "urn:nesrv:element"


def _version() -> str:
    try:
        return version("nesrv")
    except PackageNotFoundError:
        return "unknown (not installed)"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nesrv", description="A network element in software: NETCONF in front of FRR."
    )
    parser.add_argument("--version", action="version", version=f"nesrv {_version()}")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="run the element")
    serve.add_argument(
        "--listen", default="127.0.0.1:830", metavar="HOST:PORT", help="NETCONF over SSH (127.0.0.1:830)"
    )
    serve.add_argument("--users", required=True, type=Path, metavar="FILE", help="TOML file of [[user]] tables")
    serve.add_argument("--yang", action="append", default=[], type=Path, metavar="DIR", help="serve these modules too")
    serve.add_argument(
        "--openconfig", type=Path, metavar="DIR", help="serve the published modules below DIR, with deviations"
    )
    serve.add_argument("--startup", type=Path, metavar="FILE.xml", help="configuration for the first boot")
    serve.add_argument(
        "--startup-datastore",
        action="store_true",
        help="a startup of its own: what is not copied to it ends with nesrv",
    )
    serve.add_argument("--writable-running", action="store_true", help="edits of running, each a commit of its own")
    serve.add_argument(
        "--url", action="store_true", help="file URLs for configurations, in files/ of the state directory"
    )
    serve.add_argument(
        "--history", type=int, default=HISTORY_KEPT, metavar="N", help="commits that are remembered (%(default)s)"
    )
    serve.add_argument(
        "--tls", type=Path, metavar="FILE", help="TOML file for NETCONF over TLS; see docs/transports.md"
    )
    serve.add_argument("--call-home", type=Path, metavar="FILE", help="TOML file of [[call-home]] tables")
    clear = commands.add_parser("clear", help="take the element out of kernel and FRR")
    plan = commands.add_parser("plan", help="print what committing the candidate would do")
    yang = commands.add_parser("yang", help="what nesrv's YANG modules say").add_subparsers(dest="yang", required=True)
    deviations = yang.add_parser("deviations", help="what of the published OpenConfig modules is not supported")
    deviations.add_argument("--openconfig", required=True, type=Path, metavar="DIR", help="modules anywhere below DIR")
    deviations.add_argument("--output", type=Path, metavar="FILE", help="where the module goes (standard output)")
    for command in (serve, clear, plan):
        command.add_argument("--state-dir", required=True, type=Path, metavar="DIR", help="what the element remembers")
    for command in (serve, clear):
        command.add_argument("--netns", metavar="NAME", help="the network namespace to manage (the own one)")
        command.add_argument("--vrf-backend", choices=("auto", "device", "netns"), default="auto")
        command.add_argument("--frr", choices=("managed", "attach", "none"), default="managed")
        command.add_argument("--backend", choices=("system", "none"), default="system")
        command.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    return parser


def _settings(arguments: argparse.Namespace) -> Settings:
    serving = arguments.command == "serve"
    if serving and arguments.history < 1:
        raise SettingsError(f"--history {arguments.history}: at least 1 commit is remembered")
    return Settings(
        listen=parse_listen(arguments.listen) if serving else ("", 0),
        state_dir=arguments.state_dir,
        users=arguments.users if serving else Path(),
        netns=arguments.netns,
        vrf_backend=arguments.vrf_backend,
        frr=arguments.frr,
        backend=arguments.backend,
        yang=tuple(arguments.yang) if serving else (),
        openconfig=arguments.openconfig if serving else None,
        startup=arguments.startup if serving else None,
        startup_datastore=serving and arguments.startup_datastore,
        writable_running=serving and arguments.writable_running,
        url=serving and arguments.url,
        history=arguments.history if serving else HISTORY_KEPT,
        tls=arguments.tls if serving else None,
        call_home=arguments.call_home if serving else None,
        log_level=arguments.log_level,
    )


def _ready(host: str, port: int) -> None:
    shown = f"[{host}]" if ":" in host else host
    print(f"nesrv ready on {shown}:{port}", file=sys.stderr, flush=True)


def _plan(state_dir: Path) -> int:
    """Print the candidate's plan: a line of comment for each step, then the commands."""
    try:
        reply = ask(state_dir / CONTROL, f'<plan xmlns="{NESRV}"/>')
    except OSError as error:
        why = f"no nesrv serve answers on --state-dir {state_dir} ({error.strerror})"
        print(f"nesrv: {why}", file=sys.stderr)
        return FAILED
    except Refused as error:
        print(f"nesrv: {error}", file=sys.stderr)
        return FAILED
    steps = reply.findall(f"{{{NESRV}}}step")
    for step in steps:
        number, verb, path = (step.findtext(f"{{{NESRV}}}{name}") for name in ("number", "verb", "path"))
        print(f"# {number} {verb} {path}")
        for command in step.findall(f"{{{NESRV}}}command"):
            print(command.text or "")
    print(f"# {len(steps)} steps" if steps else "# nothing to do")
    return PENDING if steps else OK


def _deviations(directory: Path, output: Path | None) -> int:
    """Write the module of deviations; on standard error, what differs besides."""
    from nesrv.schema import published

    if next(directory.rglob("*.yang"), None) is None:
        print(f"nesrv: --openconfig {directory}: there is no YANG module (*.yang) below it", file=sys.stderr)
        return USAGE
    try:
        survey = published.survey(directory)
        if output is None:
            sys.stdout.write(survey.text)
        else:
            output.write_text(survey.text, encoding="utf-8")
    except (ValueError, OSError) as error:
        print(f"nesrv: {error}", file=sys.stderr)
        return FAILED
    for row in published.table(survey):
        print(row, file=sys.stderr)
    return OK


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0 done, 1 error, 2 changes pending, 64 usage."""
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as ended:
        return OK if ended.code in (0, None) else USAGE
    if arguments.command == "plan":
        return _plan(arguments.state_dir)
    if arguments.command == "yang":
        return _deviations(arguments.openconfig, arguments.output)
    logging.basicConfig(
        level=arguments.log_level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    from nesrv import server  # libyang and FRR's room need not load for --help

    try:
        settings = _settings(arguments)
        if arguments.command == "serve":
            asyncio.run(server.serve(settings, _ready))
        else:
            asyncio.run(server.clear(settings))
    except server.FAILURES as error:
        print(f"nesrv: {error}", file=sys.stderr)
        return USAGE if isinstance(error, SettingsError) else FAILED
    return OK


if __name__ == "__main__":
    sys.exit(main())
