"""The machine among its neighbours: it pulls from the registry, shows what it publishes, and hides what it can.

It is a plain server, as a provider delivers it. That an attacker on its segment reaches a port which Docker publishes
on loopback only is Docker's hole, not the test's: the firewall of this project has to close it. This is how it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

import pytest

from rehearsal import RehearsalError
from rehearsal.images import ensure_image
from rehearsal.images.upstream import Source
from rehearsal.machine import Machine
from rehearsal.neighbours import Neighbour, Segment, docker_segment
from rehearsal.registry import Registry, registry

pytestmark = pytest.mark.rehearsal

REPOSITORY = "alexbaum-ai/neurm-frontend"


@dataclass(frozen=True)
class Town:
    machine: Machine
    segment: Segment
    registry: Registry
    reference: str
    """An image by digest, as the machine sees it."""


@pytest.fixture(scope="module")
def town(boot: Callable[..., Machine]) -> Iterator[Town]:
    machine = boot("neighbours", packages=("docker.io", "busybox-static"))
    with docker_segment("bridge") as segment, registry(names=("ghcr.io",)) as found:
        digest = found.publish(ensure_image("nginx", Source.BUILT).tag, REPOSITORY, "1.4.2")
        machine.ssh(f"echo {found.container.address} ghcr.io | sudo tee -a /etc/hosts")
        yield Town(machine, segment, found, found.reference(REPOSITORY, digest))


def write(machine: Machine, path: str, content: bytes) -> None:
    """By standard input: a login must not show in the list of processes."""
    machine.ssh(f"sudo install -D -m 0600 /dev/stdin {path}", stdin=content.decode())


@pytest.fixture(scope="module")
def pulled(town: Town) -> Town:
    with pytest.raises(RehearsalError, match="certificate"):
        town.machine.ssh(f"sudo docker pull -q {town.reference}")
    for path, content in town.registry.trust().items():
        write(town.machine, path, content)
    with pytest.raises(RehearsalError, match=r"basic auth|unauthorized"):
        town.machine.ssh(f"sudo docker pull -q {town.reference}")
    write(town.machine, "/root/.docker/config.json", town.registry.docker_config())
    town.machine.ssh(f"sudo docker pull -q {town.reference}", timeout=300)
    return town


def start(town: Town, name: str, *publish: str) -> tuple[str, IPv4Address]:
    """A container on the machine; its name and its address on the machine's own network."""
    ports = " ".join(f"--publish {one}" for one in publish)
    town.machine.ssh(f"sudo docker run --detach --name {name} --memory 64m {ports} {town.reference}")
    found = "'{{.NetworkSettings.IPAddress}}'"
    return name, IPv4Address(town.machine.ssh(f"sudo docker inspect --format {found} {name}").stdout.strip())


def reaches(neighbour: Neighbour, address: object, port: int) -> bool:
    done = neighbour.run(["curl", "-s", "-m", "3", "-o", "/dev/null", f"http://{address}:{port}/"])
    assert done.returncode in (0, 7, 28), done
    return done.returncode == 0


def test_the_machine_pulls_by_digest_once_it_trusts_and_may(pulled: Town) -> None:
    recorded = pulled.machine.ssh("sudo docker image ls --digests --format '{{.Repository}}@{{.Digest}}'").stdout
    assert recorded.split() == [pulled.reference]


def test_a_visitor_sees_what_is_published_and_an_attacker_sees_more(pulled: Town) -> None:
    _, public = start(pulled, "public", "8081:80")
    _, on_loopback = start(pulled, "on-loopback", "127.0.0.1:8082:80")
    _, private = start(pulled, "private")
    machine = IPv4Address(pulled.machine.address)
    inside = IPv4Network(f"{on_loopback}/16", strict=False)
    visitor, attacker = pulled.segment.join("visitor"), pulled.segment.join("attacker", routes={inside: machine})
    assert [reaches(visitor, machine, port) for port in (8081, 8082)] == [True, False]
    assert [reaches(visitor, address, 80) for address in (public, on_loopback, private)] == [False, False, False]
    assert [reaches(attacker, address, 80) for address in (public, on_loopback, private)] == [True, True, False]
