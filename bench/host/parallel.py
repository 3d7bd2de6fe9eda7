"""Many short SSH sessions at once, as the docker provider opens them: the real docker CLI over ssh://.

One `up` of the stack makes some thirty calls to the engine, each in a session of its own, as many at once as pulumi
runs steps in parallel (16). Here each of them is a `docker` process with a new connection.
"""

from __future__ import annotations

import os
import shlex
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from components.host.config import HostSettings
from rehearsal.machine import Machine

AT_ONCE = 16
CALLS = 32


@dataclass(frozen=True)
class Sessions:
    ups: int
    seconds: list[float]
    errors: list[str]


def run(machine: Machine, settings: HostSettings, ups: int) -> Sessions:
    with tempfile.TemporaryDirectory() as folder:
        environment = through_ssh(Path(folder), machine, settings)
        errors: list[str] = []
        seconds = []
        for _ in range(ups):
            started = time.monotonic()
            with ThreadPoolExecutor(AT_ONCE) as together:
                errors += [said for said in together.map(lambda _: call(environment), range(CALLS)) if said]
            seconds.append(time.monotonic() - started)
    return Sessions(ups, seconds, errors)


def through_ssh(folder: Path, machine: Machine, settings: HostSettings) -> dict[str, str]:
    """The CLI runs the first `ssh` on PATH: one with the pinned key and the login that a stack file names."""
    options = ["-F", "/dev/null", "-i", str(machine.key_path), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"]
    options += ["-o", f"UserKnownHostsFile={folder / 'known'}", "-o", "ControlMaster=no"]
    (folder / "known").write_text(f"{machine.address} {machine.host_key}\n")
    wrapper = folder / "ssh"
    wrapper.write_text(f'#!/bin/sh\nexec /usr/bin/ssh {shlex.join(options)} "$@"\n')
    wrapper.chmod(0o755)
    host = f"ssh://{settings.deploy.name}@{machine.address}:{settings.ssh.port}"
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "DOCKER_HOST": host}


def call(environment: dict[str, str]) -> str:
    """Empty, or what went wrong."""
    command = ["docker", "ps", "--all", "--quiet"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    return done.stderr.strip() if done.returncode else ""


def failures(sessions: Sessions) -> list[str]:
    return [f"{len(sessions.errors)} sessions failed, the first with: {sessions.errors[0]}"] if sessions.errors else []


def sentence(sessions: Sessions) -> str:
    count = sessions.ups * CALLS
    return (
        f"{sessions.ups} times {CALLS} calls of the docker CLI over ssh://, {AT_ONCE} at once, each with a connection "
        f"of its own: {len(sessions.errors)} of {count} failed; {statistics.median(sessions.seconds):.1f} s for each "
        f"{CALLS}, {max(sessions.seconds):.1f} s at most."
    )
