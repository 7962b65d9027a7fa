"""Runs a program under a kernel that has VRF devices: user-mode-linux, on this machine's own root file system.

The root is the real one (hostfs): what the program writes outside /run, /etc/frr and /var/tmp stays.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shlex
import signal
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

MODULES = ("vrf", "vxlan", "bridge", "dummy", "veth", "8021q", "macvlan")
NO_AVX = "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-AVX_Fast_Unaligned_Load"
"""Without the extended register set (see ``_hide_xstate``) threads of one process would mix up their AVX registers."""

BEGIN = "uml-program-begins"
END = "uml-program-ended-with-status:"

INIT = """#!/bin/bash
export GLIBC_TUNABLES={tunables}
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
mount -t tmpfs shm /dev/shm 2>/dev/null
[ ! -d /etc/frr ] || mount -t tmpfs frr /etc/frr
mount -t tmpfs frr /var/tmp
mkdir -p /run/uml/lib
ln -s /usr/lib/uml/modules /run/uml/lib/modules
for module in {modules}; do modprobe -d /run/uml $module; done
mkdir -p /run/netns /run/frr
chown frr:frr /run/frr /etc/frr 2>/dev/null
ip link set lo up
cd {directory}
echo "{begin}"
{environment} {program} </dev/null 2>&1
echo "{end}$?"
sync
echo o > /proc/sysrq-trigger
sleep 60
"""


PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
SYS_PTRACE, PTRACE_GETREGSET, NT_X86_XSTATE, EIO = 101, 0x4204, 0x202, 5
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | EIO


def _hide_xstate() -> None:
    """Refuses ptrace(PTRACE_GETREGSET, NT_X86_XSTATE), so that user-mode-linux takes the classic register set.

    Its own buffer for the extended one is too small for processors with AMX, where the host
    then refuses to write it back and the guest's init dies (linux 6.1, arch/x86/um).
    """
    program = (
        (LOAD, 0, 0, 0),
        (JUMP_IF_EQUAL, 0, 5, SYS_PTRACE),
        (LOAD, 0, 0, 16),
        (JUMP_IF_EQUAL, 0, 3, PTRACE_GETREGSET),
        (LOAD, 0, 0, 32),
        (JUMP_IF_EQUAL, 0, 1, NT_X86_XSTATE),
        (RETURN, 0, 0, REFUSE),
        (RETURN, 0, 0, ALLOW),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
    filter_ = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(code)))
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter_, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


class BootFailed(Exception):
    """The program never came to its end; the text is all that the console said."""


def run_in_uml(
    script_path: Path | str,
    timeout_s: float,
    mem: str = "2G",
    arguments: tuple[str, ...] = (),
    environment: dict[str, str] | None = None,
) -> tuple[int, str]:
    """Exit status and output (both streams) of the program at ``script_path``, started in this working directory.

    It runs as root with /run empty.  Raises BootFailed where it did not end within ``timeout_s``.
    """
    words = " ".join(shlex.quote(str(word)) for word in (script_path, *arguments))
    variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in (environment or {}).items())
    with tempfile.TemporaryDirectory(prefix="nesrv-uml-") as name:
        directory = Path(name)
        init = directory / "init"
        init.write_text(
            INIT.format(
                modules=" ".join(MODULES),
                directory=shlex.quote(os.getcwd()),
                environment=f"env {variables}" if variables else "",
                program=words,
                begin=BEGIN,
                end=END,
                tunables=NO_AVX,
            )
        )
        init.chmod(0o755)
        console = directory / "console"
        _boot(init, console, directory, mem, timeout_s)
        text = console.read_text(errors="replace").replace("\r\n", "\n")
    # After long runs the init's own shell has been seen to stumble over its last lines: only the number counts.
    found = re.search(re.escape(END) + r"(\d+)", text)
    if found is None:
        raise BootFailed(text)
    return int(found[1]), text[: found.start()].partition(BEGIN)[2].lstrip("\n")


def _boot(init: Path, console: Path, directory: Path, mem: str, timeout_s: float) -> None:
    command = [
        *(sys.executable, __file__, "linux.uml"),
        f"mem={mem}",
        *("root=/dev/root", "rootfstype=hostfs", "rootflags=/", "rw", f"init={init}"),
        *("con=null", "con0=fd:0,fd:1", "quiet", "rcupdate.rcu_expedited=1", f"uml_dir={directory}"),
    ]
    environment = {**os.environ, "TMPDIR": "/dev/shm", "HOME": str(directory)}
    with console.open("wb") as output:
        machine = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )
        try:
            machine.wait(timeout_s)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(machine.pid, signal.SIGKILL)
            machine.wait()


if __name__ == "__main__":
    _hide_xstate()
    os.execvp(sys.argv[1], sys.argv[1:])
