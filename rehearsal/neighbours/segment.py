"""A network segment and the neighbours that are plugged into it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import Path

from rehearsal import TOOLCHAIN, RehearsalError
from rehearsal.docker import docker
from rehearsal.neighbours import namespace
from rehearsal.neighbours.namespace import ip, ip_json
from rehearsal.sinks.place import Place

BRIDGE = "segment"
MOST_NEIGHBOURS = 32
RUN_SECONDS = 30

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Neighbour:
    """A host of its own: one address of each kind, no default route, and only the routes that it was given."""

    name: str
    address: IPv4Interface
    address6: IPv6Interface | None = None
    """None where the segment has no IPv6 network."""

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
    network6: IPv6Network | None = None
    neighbours: list[Neighbour] = field(default_factory=list)

    def join(
        self,
        role: str,
        *,
        address: IPv4Address | None = None,
        address6: IPv6Address | None = None,
        routes: Mapping[Network, Address] | None = None,
    ) -> Neighbour:
        """Plug a neighbour in; `routes` are what an attacker adds to reach behind the machine."""
        if len(self.neighbours) >= MOST_NEIGHBOURS:
            raise RehearsalError(f"A segment takes at most {MOST_NEIGHBOURS} neighbours.")
        for target in routes or {}:
            _refuse_a_way_out(target)
        name = namespace.create(role)
        try:
            with _one_address_at_a_time():
                interface = self._interface(address)
                neighbour = Neighbour(name, interface, self._interface6(address6, interface))
                self._plug_in(name, "eth0", neighbour)
            for target, via in (routes or {}).items():
                ip("route", "add", str(target), "via", str(via), inside=name)
        except BaseException:
            namespace.remove(name)
            raise
        self.neighbours.append(neighbour)
        return neighbour

    def plug_in(self, pid: int, interface: str, address: IPv4Address, address6: IPv6Address | None = None) -> None:
        """Give a machine one more network card, on this segment: until its network namespace ends (a reboot)."""
        self._unplug(address)
        name = f"{namespace.PREFIX}-machine-{pid}"
        ip("netns", "attach", name, str(pid))
        try:
            with _one_address_at_a_time():
                found = self._interface(address)
                self._plug_in(name, interface, Neighbour(name, found, self._interface6(address6, found)))
        finally:
            ip("netns", "delete", name)  # the name alone: what runs in it goes on

    def _unplug(self, address: IPv4Address) -> None:
        """The card from before a reboot: what hangs at shutdown keeps its namespace, and would go on answering."""
        for port in ip_json("link", "show", "master", self.bridge, inside=self.hub):
            if port.get("ifalias") == str(address):
                ip("link", "delete", port["ifname"], inside=self.hub)

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

    def _interface6(self, wanted: IPv6Address | None, beside: IPv4Interface) -> IPv6Interface | None:
        """Without a wish, the IPv4 address's place in the IPv6 network: unique where that one is."""
        if self.network6 is None:
            return None
        place = int(beside.ip) - int(self.network.network_address)
        chosen = wanted or self.network6.network_address + place
        if chosen not in self.network6:
            raise RehearsalError(f"{chosen} cannot join {self.network6}: it lies outside.")
        return IPv6Interface(f"{chosen}/{self.network6.prefixlen}")

    def _taken(self) -> set[IPv4Address]:
        """Every cable carries its address as a note: the kernel is the only book."""
        ports = ip_json("link", "show", "master", self.bridge, inside=self.hub)
        noted = {IPv4Address(port["ifalias"]) for port in ports if port.get("ifalias")}
        own = ip_json("-4", "address", "show", "dev", self.bridge, inside=self.hub)
        return noted | {IPv4Address(entry["local"]) for port in own for entry in port.get("addr_info", [])}

    def _plug_in(self, place: str, interface: str, host: Neighbour) -> None:
        cable = "rh" + hashlib.sha256(f"{place} {interface}".encode()).hexdigest()[:12]
        ends = ("peer", "name", interface, "address", _hardware_address(host.address.ip), "netns", place)
        ip("link", "add", cable, "type", "veth", *ends, inside=self.hub)
        ip("link", "set", cable, "alias", str(host.address.ip), inside=self.hub)
        ip("link", "set", cable, "master", self.bridge, "up", inside=self.hub)
        # Without an IPv6 address there is no second way that nobody thought of.
        ip("link", "set", interface, "addrgenmode", "none", inside=place)
        ip("address", "add", str(host.address), "dev", interface, inside=place)
        if host.address6:
            ip("address", "add", str(host.address6), "dev", interface, "nodad", inside=place)
        ip("link", "set", interface, "up", inside=place)


def _hardware_address(address: IPv4Address) -> str:
    """The same after a reboot, as a card's is: neighbours remember it for half a minute."""
    return "02:72:" + ":".join(f"{byte:02x}" for byte in address.packed)


def _refuse_a_way_out(target: Network) -> None:
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
def own_segment(subnet: str, subnet6: str | None = None) -> Iterator[Segment]:
    """A segment that nothing else can reach: its bridge lies in a namespace too, away from this machine's firewall."""
    hub = namespace.create("hub")
    segment = Segment(BRIDGE, IPv4Network(subnet), hub, IPv6Network(subnet6) if subnet6 else None)
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
