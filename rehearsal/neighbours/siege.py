"""A machine with containers in every state of publication, and neighbours who try all of its doors, IPv4 and IPv6.

    visitor      an address of nobody's
    attacker     the same, with routes to the container networks and to the machine's loopback
    cloudflare   one of Cloudflare's addresses

They sit on a segment of their own, where any address can be had: nothing in it leaves this machine.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path

from rehearsal.machine import Machine, container
from rehearsal.neighbours.segment import Address, Neighbour, Network, Segment, own_segment
from rehearsal.pace import allowed

KNOCK = Path(__file__).parent / "knock.py"
PACKAGES = ("busybox-static",)
INTERFACE = "public"
# Half of each belongs to Cloudflare, and half does not.
SUBNETS = "173.245.0.0/16", "2400:cb00::/31"
MACHINE = IPv4Address("173.245.200.1"), IPv6Address("2400:cb01::1")
ADDRESSES = {
    "visitor": (IPv4Address("173.245.200.10"), IPv6Address("2400:cb01::10")),
    "attacker": (IPv4Address("173.245.200.20"), IPv6Address("2400:cb01::20")),
    "cloudflare": (IPv4Address("173.245.48.10"), IPv6Address("2400:cb00::10")),
}
CONTAINERS = IPv4Network("172.31.254.0/24"), IPv6Network("fd00:d0c::/64")
# Container: how it is published. The addresses come after .10, in this order.
PUBLISHED = {
    "balancer": ("80:80", "443:80"),
    "public": ("8081:80",),
    "loopback": ("127.0.0.1:8082:80",),
    "private": (),
}
MACHINE_PORTS = "22,80,443,5432,6379,8081,8082"
IMAGE = r"""
set -eu
folder=$(mktemp -d)
mkdir "$folder/bin" "$folder/www"
cp /bin/busybox "$folder/bin/"
for name in httpd sh; do ln -s busybox "$folder/bin/$name"; done
echo hello >"$folder/www/index.html"
# Ends when it is told to: a reboot would wait for it.
printf '#!/bin/sh\ntrap "exit 0" TERM\nhttpd -f -p 80 -h /www &\nwait\n' >"$folder/serve"
chmod +x "$folder/serve"
tar -C "$folder" -c . | docker import -c 'CMD ["/serve"]' - siege >/dev/null
"""


@dataclass
class Siege:
    machine: Machine
    segment: Segment
    neighbours: dict[str, Neighbour]

    def plug_in(self) -> None:
        """Again after a reboot, which takes the network card away."""
        pid = int(container.inspect(self.machine.record.container)["State"]["Pid"])
        self.segment.plug_in(pid, INTERFACE, *MACHINE)

    def reached(self, seconds: float = 1.0) -> set[str]:
        """Every door that somebody gets through, such as `visitor machine6:443`."""
        with ThreadPoolExecutor() as together:
            found = together.map(lambda who: list(self._reached_by(who, seconds)), self.neighbours)
            return {f"{who} {door}" for who, doors in zip(self.neighbours, found, strict=True) for door in doors}

    def _reached_by(self, who: str, seconds: float) -> Iterator[str]:
        doors = {str(address): f"machine{address.version}" for address in MACHINE}
        words = [word for address in MACHINE for word in (str(address), MACHINE_PORTS)]
        if who == "attacker":
            for name, inside in container_addresses():
                doors[str(inside)] = f"{name}{inside.version}"
                words += [str(inside), "80"]
            doors["127.0.0.1"] = "localhost"
            words += ["127.0.0.1", "8082"]
        for address, port in self.knock(who, *words, seconds=seconds):
            yield f"{doors[address]}:{port}"

    def knock(self, who: str, *words: str, seconds: float, timeout: float = 600) -> list[tuple[str, int]]:
        done = self.neighbours[who].run(
            [sys.executable, str(KNOCK), f"{allowed(seconds):.1f}", *words], timeout=timeout
        )
        if done.returncode != 0:
            raise AssertionError(f"{who} could not knock: {done.stderr}")
        return [(address, port) for address, port in json.loads(done.stdout)]

    def serve(self, who: str, port: int) -> None:
        """Something that the machine and its containers can reach outside."""
        folder = "$(mktemp -d)"
        command = f"{sys.executable} -m http.server --bind :: --directory {folder} {port} >/dev/null 2>&1 &"
        self.neighbours[who].run(["sh", "-c", command])
        address = str(ADDRESSES[who][0])
        deadline = time.monotonic() + 90
        while not self.knock(who, address, str(port), seconds=0.2):
            if time.monotonic() > deadline:
                raise AssertionError(f"{who} does not serve on port {port}")
            time.sleep(0.1)


def container_addresses() -> Iterator[tuple[str, IPv4Address | IPv6Address]]:
    for place, name in enumerate(PUBLISHED, 10):
        yield name, CONTAINERS[0][place]
        yield name, CONTAINERS[1][place]


def start_containers(machine: Machine) -> None:
    """On a network with IPv6, in an engine that publishes on IPv6 as well: newer ones do by themselves."""
    machine.ssh("sudo sh -s", stdin=IMAGE)
    four, six = CONTAINERS
    machine.ssh(f"sudo docker network create --ipv6 --subnet {four} --subnet {six} siege")
    for place, (name, published) in enumerate(PUBLISHED.items(), 10):
        ports = " ".join(f"--publish {each}" for each in published)
        addresses = f"--network siege --ip {four[place]} --ip6 {six[place]}"
        machine.ssh(f"sudo docker run --detach --restart always --name {name} {addresses} {ports} siege")


def publish_on_ipv6(machine: Machine) -> None:
    """Before 27, Docker had to be told."""
    path = "/etc/docker/daemon.json"
    known = json.loads(machine.ssh(f"cat {path}").stdout)
    wanted = json.dumps({**known, "ip6tables": True, "experimental": True})
    machine.ssh(f"sudo tee {path} >/dev/null && sudo systemctl restart docker", stdin=wanted)


@contextmanager
def siege(machine: Machine) -> Iterator[Siege]:
    with own_segment(*SUBNETS) as segment:
        routes: dict[Network, Address] = {CONTAINERS[0]: MACHINE[0], CONTAINERS[1]: MACHINE[1]}
        neighbours = {
            who: segment.join(who, address=four, address6=six, routes=routes if who == "attacker" else None)
            for who, (four, six) in ADDRESSES.items()
        }
        found = Siege(machine, segment, neighbours)
        found.plug_in()
        _turn_to_the_machines_loopback(neighbours["attacker"])
        yield found


def _turn_to_the_machines_loopback(attacker: Neighbour) -> None:
    """Whoever gives up a loopback of its own can send to somebody else's."""
    steps = (
        *("ip address del 127.0.0.1/8 dev lo", "echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet"),
        *("echo 0 >/proc/sys/net/ipv4/conf/eth0/rp_filter", "echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter"),
        f"ip route add 127.0.0.1/32 via {MACHINE[0]} src {attacker.address.ip}",
    )
    done = attacker.run(["sh", "-ec", "; ".join(steps)])
    if done.returncode != 0:
        raise AssertionError(f"the attacker keeps its loopback: {done.stderr}")
