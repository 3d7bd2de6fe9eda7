"""Neighbours reach their segment and nothing else, and leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

import pytest

from rehearsal import RehearsalError
from rehearsal.images import ensure_image
from rehearsal.images.throwaway import Container, network, throwaway
from rehearsal.neighbours import Segment, docker_segment, namespace, own_segment, sweep

pytestmark = pytest.mark.rehearsal

SUBNET = "10.211.7.0/24"
SERVE = "python3 -m http.server --bind 0.0.0.0 8000 >/dev/null 2>&1 & echo $!"


@pytest.fixture
def segment() -> Iterator[Segment]:
    with own_segment(SUBNET) as found:
        yield found


def fetched(code: int) -> bool:
    """curl's 0 is an answer, 7 a refusal or no route, 28 silence; anything else is a mistake of the test."""
    assert code in (0, 7, 28), code
    return code == 0


def test_neighbours_talk_to_each_other_under_their_own_addresses(segment: Segment) -> None:
    visitor, proxy = segment.join("visitor"), segment.join("proxy", address=IPv4Address("10.211.7.20"))
    proxy.run(["sh", "-c", SERVE])
    for _ in range(600):
        answer = visitor.run(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{local_ip} %{http_code}", "http://10.211.7.20:8000/"]
        )
        if answer.returncode == 0:
            break
        time.sleep(0.1)
    assert answer.stdout == f"{visitor.address.ip} 200"
    assert visitor.address.ip != proxy.address.ip


def test_there_is_no_way_out(segment: Segment) -> None:
    visitor = segment.join("visitor")
    routes = visitor.run(["ip", "route", "show"]).stdout.splitlines()
    assert [line.split()[0] for line in routes] == [SUBNET]
    for target in ("1.1.1.1", "192.0.2.2", "172.17.0.1"):
        assert visitor.run(["ip", "route", "get", target]).returncode != 0, target
    assert visitor.run(["ip", "-6", "-o", "address", "show", "dev", "eth0"]).stdout == ""
    assert not fetched(visitor.run(["curl", "-s", "-m", "3", "http://1.1.1.1/"]).returncode)


@pytest.mark.parametrize("target", ["0.0.0.0/0", "1.1.1.0/24", "104.16.0.0/13"])
def test_a_route_to_the_internet_is_refused(segment: Segment, target: str) -> None:
    before = namespace.existing()
    with pytest.raises(RehearsalError, match="no way out"):
        segment.join("attacker", routes={IPv4Network(target): IPv4Address("10.211.7.1")})
    assert namespace.existing() == before


@pytest.mark.parametrize("address", ["10.211.8.1", "10.211.7.20"])
def test_an_address_must_be_free_and_inside(segment: Segment, address: str) -> None:
    segment.join("proxy", address=IPv4Address("10.211.7.20"))
    with pytest.raises(RehearsalError, match="cannot join"):
        segment.join("visitor", address=IPv4Address(address))
    assert len(segment.neighbours) == 1


def test_a_command_that_hangs_is_ended(segment: Segment) -> None:
    visitor = segment.join("visitor")
    with pytest.raises(RehearsalError, match="did not end within 1 s"):
        visitor.run(["sleep", "60"], timeout=1)
    assert namespace.ip("netns", "pids", visitor.name) == ""


def test_nothing_is_left_not_even_what_still_runs() -> None:
    with own_segment(SUBNET) as segment:
        visitor = segment.join("visitor")
        pid = int(visitor.run(["sh", "-c", "sleep 300 >/dev/null 2>&1 & echo $!"]).stdout)
        mine = {visitor.name, segment.hub}
    assert not mine & set(namespace.existing())
    with pytest.raises(ProcessLookupError):
        _wait_until_gone(pid)


def _wait_until_gone(pid: int) -> None:
    for _ in range(1200):
        os.kill(pid, 0)
        time.sleep(0.05)


def test_what_a_crash_leaves_is_swept_and_what_lives_is_not(segment: Segment) -> None:
    alive = segment.join("visitor")
    script = (
        "import os; from rehearsal.neighbours import own_segment\n"
        f"made = own_segment('{SUBNET}'); segment = made.__enter__()\n"
        "print(segment.hub, segment.join('attacker').name, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    left = done.stdout.split()
    assert (done.returncode, len(left)) == (-9, 2), done.stderr
    assert set(left) <= set(namespace.existing())
    assert set(left) <= set(sweep())
    assert not set(left) & set(namespace.existing())
    assert alive.name in namespace.existing()


@pytest.fixture(scope="module")
def docker_network() -> Iterator[str]:
    with network() as name:
        yield name


@pytest.fixture(scope="module")
def web(docker_network: str) -> Iterator[Container]:
    with throwaway(ensure_image("nginx").tag, flags=["--network", docker_network]) as container:
        container.wait_until(lambda: container.run("curl", "-sf", "http://127.0.0.1/") != "", "nginx answers")
        yield container


def test_on_a_docker_network_a_neighbour_is_a_host_like_the_containers(docker_network: str, web: Container) -> None:
    with docker_segment(docker_network) as segment:
        proxy = segment.join("proxy")
        answer = proxy.run(
            ["curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", f"http://{web.address}/proxy"]
        )
        assert answer.stdout in {"200", "404"}
        assert f"{proxy.address.ip} - - " in web.logs()


def test_only_an_attacker_with_a_route_reaches_behind_a_machine(docker_network: str) -> None:
    """A container network behind a neighbour that forwards, as an engine's does behind a machine."""
    with docker_segment(docker_network) as segment:
        gateway = segment.join("machine")
        assert gateway.run(["ip", "address", "add", "10.211.9.1/24", "dev", "lo"]).returncode == 0
        gateway.run(["sh", "-c", SERVE])
        attacker = segment.join("attacker", routes={IPv4Network("10.211.9.0/24"): gateway.address.ip})
        visitor = segment.join("visitor")
        request = [
            "curl",
            "-s",
            "-m",
            "3",
            "--retry",
            "5",
            "--retry-connrefused",
            "-o",
            "/dev/null",
            "http://10.211.9.1:8000/",
        ]
        assert fetched(attacker.run(request).returncode)
        assert not fetched(visitor.run(request).returncode)
