"""Network namespaces that this project makes: named after their owner, so that those of a crash can be told apart."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from rehearsal import RehearsalError, owner

PREFIX = "rh"
NAME = re.compile(rf"{PREFIX}-(\d+)-(\d+)-([a-z][a-z0-9]*)-(\d+)")
ROLE = re.compile(r"[a-z][a-z0-9]{0,15}")
_numbers = count(1)


def ip(*args: str, inside: str | None = None) -> str:
    """Run the program ip, in a namespace if one is named; a refusal becomes one sentence."""
    place = ["-netns", inside] if inside else []
    done = subprocess.run(["ip", *place, *args], capture_output=True, text=True, check=False, timeout=30)
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise RehearsalError(f"'ip {' '.join(args)}' failed: {reason[0]}")
    return done.stdout


def ip_json(*args: str, inside: str | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ip("-json", *args, inside=inside) or "[]")
    return found


def refuse_without_root() -> None:
    if not Path("/proc/self/ns/net").exists() or shutil.which("ip") is None:
        raise RehearsalError(
            "Neighbours need Linux and the program 'ip' (on Debian or Ubuntu: apt-get install iproute2)."
        )
    if os.geteuid() != 0:
        raise RehearsalError("Neighbours are network namespaces, and only root may make those: run this with sudo.")


def create(role: str) -> str:
    """A namespace with nothing but loopback; its name."""
    if not ROLE.fullmatch(role):
        raise RehearsalError(f"'{role}' cannot name a neighbour: take at most 16 lower-case letters and digits.")
    refuse_without_root()
    name = f"{PREFIX}-{os.getpid()}-{owner.started(os.getpid())}-{role}-{next(_numbers)}"
    ip("netns", "add", name)
    ip("link", "set", "lo", "up", inside=name)
    return name


def remove(name: str) -> None:
    """Ends what runs in it: a namespace lives on, invisibly, for as long as a process is inside."""
    for pid in ip("netns", "pids", name).split():
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    ip("netns", "delete", name)


def existing() -> list[str]:
    if shutil.which("ip") is None:
        return []
    return [row["name"] for row in ip_json("netns", "list") if NAME.fullmatch(row["name"])]


def sweep() -> list[str]:
    """Remove the namespaces of processes that no longer exist; their names. Cables and bridges go with them."""
    orphans = [name for name in existing() if not _owner_lives(name)]
    for name in orphans:
        remove(name)
    return orphans


def _owner_lives(name: str) -> bool:
    found = NAME.fullmatch(name)
    return found is not None and owner.started(int(found[1])) == int(found[2])
