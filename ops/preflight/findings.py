"""What stands in the way of a first `up`, from the facts and the settings: one sentence each, with what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from components.containers.config import ContainersSettings
from components.containers.fit import memory_parts, size
from components.containers.services import POSTGRES_PORT, REDIS_PORT
from components.host.config import HostSettings
from ops.preflight.facts import Disk, Facts, Listener

SYSTEMS = {"ubuntu 22.04": "Ubuntu 22.04", "ubuntu 24.04": "Ubuntu 24.04", "debian 12": "Debian 12"}
# What the images and packages are built for; Debian calls it amd64.
ARCHITECTURES = ("x86_64",)
FREE_MB = 5 * 1024  # packages, images of two releases, the first dumps
FREE_INODES = 0.05
CLOCK_SECONDS = 60
# A server sold as "16 GB" shows less: firmware and kernel keep some, and some count in thousands.
SHORTFALL = 0.07
WEB_PORTS = (80, 443)
LOOPBACK_PORTS = {POSTGRES_PORT: "PostgreSQL", REDIS_PORT: "Redis"}
OWN_CONTAINERS = "neurmatic-"
FOREIGN_DOCKER = ("docker-ce", "docker-ce-cli", "containerd.io", "podman-docker", "docker-snap")


@dataclass(frozen=True)
class Finding:
    check: str
    text: str
    blocks: bool = True
    """False: worth knowing, and `up` goes on."""


@dataclass(frozen=True)
class Wanted:
    """What the stack needs; `now` is the operator's clock."""

    host: HostSettings
    containers: ContainersSettings | None
    now: float


Check = Callable[[Facts, Wanted], Iterable[Finding]]


def findings(facts: Facts, wanted: Wanted) -> list[Finding]:
    return [finding for check in CHECKS for finding in check(facts, wanted)]


def _sudo(facts: Facts, wanted: Wanted) -> Iterator[Finding]:
    if not facts.sudo:
        user = wanted.host.ssh.user
        yield Finding(
            "sudo",
            f"{user} may not use sudo without a password: as root, write `{user} ALL=(ALL) NOPASSWD: ALL` to "
            f"/etc/sudoers.d/{user}, or name another account in host.ssh.user.",
        )


def _system(facts: Facts, wanted: Wanted) -> Iterator[Finding]:
    if facts.system not in SYSTEMS:
        yield Finding(
            "system",
            f"The server runs {facts.system_name or 'an unknown system'}: supported are {_list(SYSTEMS.values())}; "
            "reinstall it with one of these.",
        )
    if not facts.systemd:
        yield Finding(
            "system", "The server was not started by systemd: its services cannot be managed; use a full VPS."
        )
    if facts.architecture not in ARCHITECTURES:
        yield Finding(
            "architecture",
            f"The server's processor is {facts.architecture}, the images are built for {_list(ARCHITECTURES)}: "
            "order one of that kind.",
        )


def _cpus(facts: Facts, wanted: Wanted) -> Iterator[Finding]:
    if facts.cpus < wanted.host.capacity.cpus:
        yield Finding(
            "cpu",
            f"The server has {facts.cpus:g} CPUs, host.capacity.cpus says {wanted.host.capacity.cpus:g}: correct the "
            "setting or order a larger server.",
        )
    for name, cpus in _container_cpus(wanted.containers):
        if cpus > facts.cpus:
            yield Finding(
                "cpu",
                f"containers.{name}.cpus is {cpus:g} and the server has {facts.cpus:g}: Docker would refuse the "
                "container; lower the limit.",
            )


def _container_cpus(containers: ContainersSettings | None) -> Iterator[tuple[str, float]]:
    if containers:
        for name in ("postgres", "redis", "backend", "frontend", "nginx"):
            yield name, getattr(containers, name).cpus


def _memory(facts: Facts, wanted: Wanted) -> Iterator[Finding]:
    there, said = facts.memory_mb, wanted.host.capacity.memory
    if there < said * (1 - SHORTFALL):
        yield Finding(
            "memory",
            f"The server has {size(there)} of memory, host.capacity.memory says {size(said)}: correct the setting or "
            "order a larger server.",
        )
    needed = sum(memory_parts(wanted.containers).values()) if wanted.containers else 0
    if needed * (1 - SHORTFALL) > there:
        yield Finding(
            "memory",
            f"The containers may use {size(needed)} during a deploy and the server has {size(there)}: lower their "
            "limits (containers.*.memory, backend.count) or order a larger server.",
        )


def _disk(facts: Facts, wanted: Wanted) -> Iterator[Finding]:
    """Each disk once, however many of our folders are on it."""
    disks = {disk.mounted: disk for disk in reversed(facts.disks)}
    swap = 0 if facts.swapfile else wanted.host.swap
    for disk in disks.values():
        needed = FREE_MB + (swap if disk.mounted == "/" else 0)
        if disk.free_mb < needed:
            yield Finding(
                "space",
                f"Only {size(disk.free_mb)} are free on {disk.mounted} ({disk.path}), {size(needed)} are needed: make "
                "room (`sudo du -xh / | sort -h | tail`).",
            )
    for path, share in facts.inodes_free.items():
        if share < FREE_INODES:
            yield Finding(
                "space", f"Only {share:.0%} of the inodes are free at {path}: delete what made so many files."
            )
    if facts.root_readonly:
        yield Finding("space", "The root file system is mounted read-only: look for disk errors (`sudo dmesg`) first.")
    yield from _declared_disk(disks.values(), wanted.host.capacity.disk)


def _declared_disk(disks: Iterable[Disk], said: int) -> Iterator[Finding]:
    largest = max((disk.total_mb for disk in disks), default=0)
    if largest < said * (1 - SHORTFALL):
        yield Finding(
            "space",
            f"The largest disk has {size(largest)}, host.capacity.disk says {size(said)}: correct the setting or order "
            "a larger server.",
        )


def _ports(facts: Facts, wanted: Wanted) -> Iterator[Finding]:
    seen: set[int] = set()
    for listener in facts.listeners:
        if listener.port in seen or not _in_the_way(listener):
            continue
        holder = _holder(listener, facts)
        if holder is None:
            continue
        seen.add(listener.port)
        use = LOOPBACK_PORTS.get(listener.port, "the load balancer")
        if listener.program == "nginx" and "nginx" in wanted.host.all_packages:
            text = (
                f"Port {listener.port} is held by the host's own nginx (process {listener.pid}): move its sites first; "
                "with host.adopt: true `up` stops and masks it, because the container needs the port."
            )
            yield Finding("ports", text, blocks=not wanted.host.adopt)
        else:
            yield Finding(
                "ports",
                f"Port {listener.port}, which {use} needs, is held by {holder}: stop it there, and see that it does "
                "not start again.",
            )


def _in_the_way(listener: Listener) -> bool:
    return listener.port in WEB_PORTS or listener.port in LOOPBACK_PORTS


def _holder(listener: Listener, facts: Facts) -> str | None:
    """None: it is the stack itself."""
    if listener.program in ("dockerd", "docker-proxy"):
        published = re.compile(rf"(?:^|[ ,:]){listener.port}->")
        names = [name for name, ports in facts.containers.items() if published.search(ports)]
        if names and all(name.startswith(OWN_CONTAINERS) for name in names):
            return None
        return f"the container {_list(names)}" if names else "a container"
    if not listener.program:
        return "a program that could not be named without sudo"
    return f"{listener.program} (process {listener.pid})"


def _packages(facts: Facts, wanted: Wanted) -> Iterator[Finding]:
    foreign = [name for name in facts.packages if name in FOREIGN_DOCKER]
    if foreign and "docker.io" in wanted.host.all_packages:
        yield Finding(
            "packages",
            f"{_list(foreign)} is installed, and docker.io of host.packages would replace it and stop its containers: "
            "take docker.io out of host.packages, or uninstall the other one.",
        )
    if facts.half_installed:
        yield Finding("packages", "A package is half installed: run `sudo dpkg --configure -a` there.")


def _clock(facts: Facts, wanted: Wanted) -> Iterator[Finding]:
    off = facts.clock - wanted.now
    if abs(off) > CLOCK_SECONDS:
        way = "ahead" if off > 0 else "behind"
        yield Finding(
            "clock",
            f"The server's clock is {abs(off):.0f} s {way} of this machine's: certificates and signed requests would "
            "fail; see `timedatectl` on both.",
        )


def _address(facts: Facts, wanted: Wanted) -> Iterator[Finding]:
    """The names will point there. Some providers translate addresses, so this alone stops nobody."""
    for setting, address in (("host.ipv4", wanted.host.ipv4), ("host.ipv6", wanted.host.ipv6)):
        if address and address not in facts.addresses:
            there = _list(facts.addresses) or "none"
            yield Finding(
                "address",
                f"{setting} is {address}, the server itself has {there}: compare with the provider's console.",
                blocks=False,
            )


def _list(words: Iterable[str]) -> str:
    return ", ".join(words)


CHECKS: tuple[Check, ...] = (_sudo, _system, _cpus, _memory, _disk, _ports, _packages, _clock, _address)
