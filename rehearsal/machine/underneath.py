"""The state of the machine underneath: two snapshots tell whether a rehearsal has touched it."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CLOCK_TOLERANCE_SECONDS = 2.0  # a time service may slew the clock meanwhile; nobody sets it by so little
FOLDERS = ("/boot", "/etc", "/usr/bin", "/usr/sbin", "/usr/lib/systemd")

# Counters and random numbers of the kernel, and settings of interfaces that come and go with any container.
VOLATILE = re.compile(
    r"fs/(aio-nr|dentry-state|file-nr|inode-nr|inode-state)|fs/binfmt_misc/.*|fs/quota/.*"
    r"|kernel/(ns_last_pid|pty/nr|random/.*)|net/netfilter/nf_conntrack_count"
    r"|net/ipv[46]/(conf|neigh)/(veth|br-|docker|rh[0-9a-f]).*"
)
# The kernel loads these by itself when any container's network or disk asks for them; they are docker's footprint.
BY_DOCKER = re.compile(r"(nf|nft|ip|ip6|ipt|xt|x|br|overlay|veth|bridge|llc|stp|iptable|ip6table)(_.*)?")
DOCKER_RULE = re.compile(
    r"DOCKER|docker0|br-[0-9a-f]{12}|^#|^COMMIT|-A POSTROUTING -s (\S+)/32 -d \1/32 .* -j MASQUERADE"
)
# Docker's own, and the named network namespaces and cables of the neighbours that other rehearsals make.
PASSING_INTERFACE = re.compile(r"veth|br-|rh[0-9a-f]{6}")
PASSING_MOUNT = re.compile(r" (/var/lib/docker|(/var)?/run/docker|(/var)?/run/netns)(/| )")


@dataclass(frozen=True)
class Snapshot:
    """Facts by name, and how far the clock is from the time since boot."""

    facts: dict[str, str]
    clock: float


def snapshot() -> Snapshot:
    facts = {
        **dict(_sysctls()),
        **dict(_files()),
        **{f"mount {line}": "there" for line in mounts()},
        **{f"module {name}": "there" for name in _modules()},
        **{f"firewall {line}": "there" for line in _firewall()},
        **{f"interface {name}": "there" for name in _interfaces()},
        "swap": Path("/proc/swaps").read_text(),
        "hostname": os.uname().nodename,
        "timezone": str(Path("/etc/localtime").resolve()),
    }
    return Snapshot(facts, time.time() - time.clock_gettime(time.CLOCK_MONOTONIC))


def changes(before: Snapshot, after: Snapshot) -> list[str]:
    """One line per difference; an empty list means untouched."""
    found = [
        f"{name}: {before.facts.get(name, 'absent')} -> {after.facts.get(name, 'absent')}"
        for name in sorted({*before.facts, *after.facts})
        if before.facts.get(name) != after.facts.get(name)
    ]
    if abs(after.clock - before.clock) > CLOCK_TOLERANCE_SECONDS:
        found.append(f"clock: moved by {after.clock - before.clock:.1f} s")
    return found


def _sysctls() -> Iterator[tuple[str, str]]:
    root = Path("/proc/sys")
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder) / name
            if VOLATILE.fullmatch(str(path.relative_to(root))):
                continue
            try:
                yield f"sysctl {path.relative_to(root)}", path.read_text().strip()
            except (OSError, UnicodeDecodeError):  # some are for writing only
                continue


def _files() -> Iterator[tuple[str, str]]:
    for top in FOLDERS:
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                try:
                    status = os.lstat(path)
                except OSError:
                    continue
                yield f"file {path}", f"{status.st_mode:o} {status.st_uid} {status.st_size} {status.st_mtime_ns}"


def mounts() -> list[str]:
    """Without those that come and go with any container."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return [line for line in lines if not PASSING_MOUNT.search(line)]


def _modules() -> list[str]:
    path = Path("/proc/modules")  # absent where the kernel has none
    names = [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []
    return [name for name in names if not BY_DOCKER.fullmatch(name)]


def _firewall() -> list[str]:
    lines = []
    for command in ("iptables-save", "ip6tables-save"):
        try:
            saved = subprocess.run([command], capture_output=True, text=True, check=False).stdout
        except FileNotFoundError:
            continue
        rules = [re.sub(r"\[\d+:\d+\]", "", line) for line in saved.splitlines()]
        lines += [f"{command} {rule}" for rule in rules if not DOCKER_RULE.search(rule)]
    return lines


def _interfaces() -> list[str]:
    return [name for name in os.listdir("/sys/class/net") if not PASSING_INTERFACE.match(name)]
