"""Nobody gets round the firewall: not by what Docker publishes, not by a route, IPv4 or IPv6, whatever is restarted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ops.drift import look
from rehearsal.hardened import check, converge, settings_for
from rehearsal.machine import Machine
from rehearsal.neighbours.siege import (
    ADDRESSES,
    CONTAINERS,
    Siege,
    publish_on_ipv6,
    siege,
    start_containers,
)

pytestmark = pytest.mark.rehearsal

SSH = {f"{who} machine{version}:22" for who in ADDRESSES for version in (4, 6)}
WEB = {f"cloudflare machine{version}:{port}" for version in (4, 6) for port in (80, 443)}
# What is reached when nothing but UFW stands there: published ports, and for whoever has a route even more.
HOLES = {
    *(f"{who} machine{version}:8081" for who in ADDRESSES for version in (4, 6)),
    *(f"{who} machine{version}:{port}" for who in ("visitor", "attacker") for version in (4, 6) for port in (80, 443)),
    *(f"attacker {name}{version}:80" for name in ("balancer", "public") for version in (4, 6)),
    *("attacker loopback4:80", "attacker localhost:8082"),
}


@pytest.fixture(scope="module")
def besieged(hardened: Machine) -> Iterator[Siege]:
    publish_on_ipv6(hardened)
    start_containers(hardened)
    with siege(hardened) as found:
        yield found


def test_only_ssh_and_cloudflare_come_in(besieged: Siege) -> None:
    assert besieged.reached() == SSH | WEB


@pytest.mark.long
def test_without_its_own_table_docker_lets_everybody_in(besieged: Siege) -> None:
    """So that the other tests cannot pass because nothing listens."""
    besieged.machine.ssh("sudo nft delete table inet infra_containers")
    try:
        assert besieged.reached() == SSH | WEB | HOLES
    finally:
        besieged.machine.ssh("sudo nft -f /etc/infra/containers.nft")
    assert besieged.reached() == SSH | WEB


@pytest.mark.parametrize(
    "what",
    [
        "ufw reload",
        "systemctl restart docker",
        "ufw disable && ufw --force enable",
        "systemctl restart infra-containers-firewall",
    ],
)
def test_it_holds_whatever_is_restarted(besieged: Siege, what: str) -> None:
    besieged.machine.ssh(f"sudo sh -ec '{what}'")
    wait_for_containers(besieged.machine)
    assert besieged.reached() == SSH | WEB


def test_it_holds_after_a_reboot_and_was_there_before_docker(besieged: Siege) -> None:
    besieged.machine.restart()
    besieged.plug_in()
    wait_for_containers(besieged.machine)
    assert besieged.reached() == SSH | WEB
    started = [_started(besieged.machine, unit) for unit in ("infra-containers-firewall", "ufw", "docker")]
    assert started == sorted(started)


def test_what_shall_work_works(besieged: Siege) -> None:
    """Outwards from a container and from the machine, between containers, and from the machine to a container."""
    besieged.serve("visitor", 9000)
    outside = [f"http://{four}:9000/" for four in (ADDRESSES["visitor"][0], f"[{ADDRESSES['visitor'][1]}]")]
    inside = [f"http://{CONTAINERS[0][10]}/", f"http://[{CONTAINERS[1][10]}]/"]
    as_container = "nsenter --net --target $(sudo docker inspect -f '{{.State.Pid}}' private)"
    for url in (*outside, *inside):
        assert fetched(besieged.machine, f"{as_container} curl -gsf -m 3 {url}"), url
    for url in (*outside, "http://127.0.0.1:8082/"):
        assert fetched(besieged.machine, f"curl -gsf -m 3 {url}"), url


def test_rules_by_hand_are_found_and_put_right(besieged: Siege) -> None:
    machine, settings = besieged.machine, settings_for(besieged.machine)
    by_hand = (
        "iptables -I INPUT -p tcp --dport 9999 -j ACCEPT",
        "ip6tables -D INPUT -j ufw6-before-input",
        "iptables -I DOCKER-USER -p tcp -j ACCEPT",
        "iptables -t nat -A PREROUTING -p tcp --dport 99 -j REDIRECT --to-ports 22",
        "nft insert rule inet infra_containers forwarded accept",
        "nft add table inet somebodys",
    )
    machine.ssh(f"sudo sh -ec '{'; '.join(by_hand)}'")
    (found,) = [line for line in look(settings).drift if line.item == "live:firewall"]
    for words in ("--dport 9999", "ufw6-before-input", "DOCKER-USER -p tcp", "--dport 99 ", "accept", "somebodys"):
        assert words in found.diff, words
    converge(machine, settings)
    assert "live:firewall" not in {line.item for line in check(machine, settings).drift}
    wait_for_containers(machine)
    assert besieged.reached() == SSH | WEB


def test_what_programs_do_while_they_work_is_no_drift(besieged: Siege) -> None:
    machine = besieged.machine
    machine.ssh("sudo docker network create later && sudo fail2ban-client set sshd banip 203.0.113.9")
    drift = {line.item for line in check(machine, settings_for(machine)).drift}
    assert not {item for item in drift if item.startswith("live:firewall")}
    machine.ssh("sudo fail2ban-client set sshd unbanip 203.0.113.9 && sudo docker network rm later")


def wait_for_containers(machine: Machine) -> None:
    """From the machine itself they are reached whatever the firewall says."""
    doors = ("127.0.0.1:8082", "127.0.0.1:8081", f"{CONTAINERS[0][10]}:80", f"[{CONTAINERS[1][10]}]:80")
    tried = " && ".join(f"curl -gsf -m 1 -o /dev/null http://{door}/" for door in doors)
    machine.ssh(f"for _ in $(seq 600); do {tried} && exit 0; sleep 0.1; done; exit 1", timeout=300)


def fetched(machine: Machine, command: str) -> bool:
    return machine.ssh(f"sudo {command}", check=False).returncode == 0


def _started(machine: Machine, unit: str) -> int:
    shown = machine.ssh(f"systemctl show -P ActiveEnterTimestampMonotonic {unit}").stdout
    return int(shown)
