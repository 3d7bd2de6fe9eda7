"""A network segment and the neighbours that are plugged into it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

from rehearsal import TOOLCHAIN, RehearsalError
from rehearsal.docker import docker
from rehearsal.neighbours import namespace
from rehearsal.neighbours.namespace import ip, ip_json
from rehearsal.sinks.place import Place

BRIDGE = "segment"
MOST_NEIGHBOURS = 32
RUN_SECONDS = 30


@dataclass(frozen=True)
class Neighbour:
    """A host of its own: one address, no default route, and only the routes that it was given."""

    name: str
    address: IPv4Interface

    @property
    def place(self) -> Place:
        """Where servers can be started that answer under this neighbour's address."""
        return Place(str(self.address.ip), ("ip", "netns", "exec", self.name))

    def run(
        self, command: Sequence[str], *, stdin: str | None = None, timeout: float = RUN_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of this machine as that host would; its exit code is the caller's to judge."""
        try:
            return subprocess.run(
                [*self.place.prefix, *command],
                input=stdin,
                capture_output=True,
                text=True,
                check=False,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            raise RehearsalError(f"{self.name}: '{command[0]}' did not end within {timeout:.0f} s.") from None


@dataclass
class Segment:
    """A bridge and its subnet: a Docker network's, or one that exists for these neighbours alone."""

    bridge: str
    network: IPv4Network
    hub: str | None = None
    """The namespace that the bridge is in; None for the machine's own."""
    neighbours: list[Neighbour] = field(default_factory=list)

    def join(
        self, role: str, *, address: IPv4Address | None = None, routes: Mapping[IPv4Network, IPv4Address] | None = None
    ) -> Neighbour:
        """Plug a neighbour in; `routes` are what an attacker adds to reach behind the machine."""
        if len(self.neighbours) >= MOST_NEIGHBOURS:
            raise RehearsalError(f"A segment takes at most {MOST_NEIGHBOURS} neighbours.")
        for target in routes or {}:
            _refuse_a_way_out(target)
        name = namespace.create(role)
        try:
            with _one_address_at_a_time():
                neighbour = Neighbour(name, self._interface(address))
                self._plug_in(neighbour)
            for target, via in (routes or {}).items():
                ip("route", "add", str(target), "via", str(via), inside=name)
        except BaseException:
            namespace.remove(name)
            raise
        self.neighbours.append(neighbour)
        return neighbour

    def leave(self) -> None:
        while self.neighbours:
            namespace.remove(self.neighbours.pop().name)

    def _interface(self, wanted: IPv4Address | None) -> IPv4Interface:
        """Docker gives addresses from the bottom of a subnet, neighbours take them from the top."""
        taken = self._taken()
        if wanted is not None:
            if wanted not in self.network or wanted in taken:
                raise RehearsalError(f"{wanted} cannot join {self.network}: it lies outside, or another host has it.")
            return IPv4Interface(f"{wanted}/{self.network.prefixlen}")
        last = int(self.network.broadcast_address) - 1
        for number in range(last, last - 4 * MOST_NEIGHBOURS, -1):
            free = IPv4Address(number)
            if free in self.network and free not in taken:
                return IPv4Interface(f"{free}/{self.network.prefixlen}")
        raise RehearsalError(f"No address of {self.network} is free.")

    def _taken(self) -> set[IPv4Address]:
        """Every cable carries its address as a note: the kernel is the only book."""
        ports = ip_json("link", "show", "master", self.bridge, inside=self.hub)
        noted = {IPv4Address(port["ifalias"]) for port in ports if port.get("ifalias")}
        own = ip_json("-4", "address", "show", "dev", self.bridge, inside=self.hub)
        return noted | {IPv4Address(entry["local"]) for port in own for entry in port.get("addr_info", [])}

    def _plug_in(self, neighbour: Neighbour) -> None:
        cable = "rh" + hashlib.sha256(neighbour.name.encode()).hexdigest()[:12]
        ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", neighbour.name, inside=self.hub)
        ip("link", "set", cable, "alias", str(neighbour.address.ip), inside=self.hub)
        ip("link", "set", cable, "master", self.bridge, "up", inside=self.hub)
        # Without an IPv6 address there is no second way that nobody thought of.
        ip("link", "set", "eth0", "addrgenmode", "none", inside=neighbour.name)
        ip("address", "add", str(neighbour.address), "dev", "eth0", inside=neighbour.name)
        ip("link", "set", "eth0", "up", inside=neighbour.name)


def _refuse_a_way_out(target: IPv4Network) -> None:
    if not target.is_private:
        raise RehearsalError(f"A neighbour has no way out: {target} is not a private network.")


@contextmanager
def docker_segment(network: str) -> Iterator[Segment]:
    """The segment of a Docker network, where the machine and its published ports are."""
    namespace.refuse_without_root()
    found = json.loads(docker("network", "inspect", network))[0]
    if found["Driver"] != "bridge":
        raise RehearsalError(
            f"The Docker network {network} is no bridge, but {found['Driver']}: nothing can be plugged in."
        )
    subnets = [IPv4Network(entry["Subnet"]) for entry in found["IPAM"]["Config"] if ":" not in entry["Subnet"]]
    bridge = found["Options"].get("com.docker.network.bridge.name") or f"br-{found['Id'][:12]}"
    segment = Segment(bridge, subnets[0])
    try:
        yield segment
    finally:
        segment.leave()


@contextmanager
def own_segment(subnet: str) -> Iterator[Segment]:
    """A segment that nothing else can reach: its bridge lies in a namespace too, away from this machine's firewall."""
    hub = namespace.create("hub")
    segment = Segment(BRIDGE, IPv4Network(subnet), hub)
    try:
        ip("link", "add", BRIDGE, "type", "bridge", inside=hub)
        ip("link", "set", BRIDGE, "up", inside=hub)
        yield segment
    finally:
        segment.leave()
        namespace.remove(hub)


@contextmanager
def _one_address_at_a_time() -> Iterator[None]:
    TOOLCHAIN.mkdir(parents=True, exist_ok=True)
    with Path(TOOLCHAIN / "neighbours.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
