"""What a server says about itself (probe.sh), as typed facts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ops.errors import OperatorError

_HOLDER = re.compile(r'users:\(\("([^"]+)",pid=(\d+)')


@dataclass(frozen=True)
class Disk:
    path: str
    total_mb: int
    free_mb: int
    mounted: str


@dataclass(frozen=True)
class Listener:
    port: int
    address: str
    program: str
    pid: int | None


@dataclass(frozen=True)
class Facts:
    system: str
    system_name: str
    architecture: str
    clock: int
    sudo: bool
    systemd: bool
    root_readonly: bool
    cpus: float
    memory_mb: int
    disks: tuple[Disk, ...]
    inodes_free: Mapping[str, float]
    """The share that is free, by path."""
    swapfile: bool
    listeners: tuple[Listener, ...]
    containers: Mapping[str, str]
    """Published ports by name, as `docker ps` writes them."""
    packages: tuple[str, ...]
    half_installed: bool
    addresses: tuple[str, ...]


def parse(text: str) -> Facts:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, tab, value = line.partition("\t")
        if tab:
            found.setdefault(name, []).append(value)
    if "end" not in found:
        raise OperatorError("The server stopped answering in the middle of the preflight: run it again.")
    return Facts(
        system=_first(found, "system"),
        system_name=_first(found, "system_name"),
        architecture=_first(found, "architecture"),
        clock=int(_first(found, "clock", "0")),
        sudo=_first(found, "sudo") == "yes",
        systemd=_first(found, "systemd") == "yes",
        root_readonly=_first(found, "root_readonly") == "yes",
        cpus=_cpus(found),
        memory_mb=_memory(found),
        disks=tuple(_disk(row) for row in found.get("disk", [])),
        inodes_free={path: int(free) / int(total) for path, total, free in map(str.split, found.get("inodes", []))},
        swapfile="swapfile" in found,
        listeners=tuple(_listener(row) for row in found.get("listener", [])),
        containers=dict(row.partition(" ")[::2] for row in found.get("container", [])),
        packages=tuple(row.split()[0] for row in found.get("package", []) if row.endswith(" installed")),
        half_installed="half_installed" in found,
        addresses=tuple(found.get("address", [])),
    )


def _first(found: Mapping[str, Sequence[str]], name: str, otherwise: str = "") -> str:
    return found.get(name, [otherwise])[0]


def _cpus(found: Mapping[str, Sequence[str]]) -> float:
    there = float(_first(found, "cpus", "0"))
    quota, _, period = _first(found, "cpu_quota", "max").partition(" ")
    return min(there, int(quota) / int(period)) if quota.isdigit() and period else there


def _memory(found: Mapping[str, Sequence[str]]) -> int:
    limits = [int(row) >> 20 for row in found.get("memory_limit", []) if row.isdigit()]
    return min([int(_first(found, "memory_kb", "0")) >> 10, *limits])


def _disk(row: str) -> Disk:
    path, total, free, mounted = row.split(maxsplit=3)
    return Disk(path, int(total), int(free), mounted)


def _listener(row: str) -> Listener:
    place, _, rest = row.partition(" ")
    address, _, port = place.rpartition(":")
    holder = _HOLDER.search(rest)
    return Listener(int(port), address.strip("[]"), holder[1] if holder else "", int(holder[2]) if holder else None)
