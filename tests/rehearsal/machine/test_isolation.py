"""What happens on a machine stays there: root inside cannot change the machine underneath, nor exceed its share."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rehearsal.docker import docker
from rehearsal.machine import Machine, container, underneath
from rehearsal.neighbours import namespace
from rehearsal.pace import allowed

pytestmark = pytest.mark.rehearsal

PROBES = Path(__file__).with_name("probes.py")
MEMORY_MB = 768
CPUS = 0.7

# Wide open except for what the sandboxes of CI do not have themselves.
UNFENCED = ["--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE", "--security-opt", "seccomp=unconfined"]
UNFENCED += ["--cgroupns", "host", "--security-opt", "apparmor=unconfined", "--security-opt", "systempaths=unconfined"]


@pytest.fixture(scope="module")
def machine(boot: Callable[..., Machine]) -> Machine:
    return boot("fence", memory_mb=MEMORY_MB, cpus=CPUS, packages=("docker.io", "busybox-static"))


def _probe(run: Callable[[str], str]) -> dict[str, str]:
    attempts: dict[str, str] = json.loads(run(PROBES.read_text()))
    return attempts


@pytest.mark.alone
def test_root_inside_cannot_change_the_machine_underneath(machine: Machine) -> None:
    before = underneath.snapshot()
    attempts = _probe(lambda script: machine.ssh("sudo python3 -", stdin=script).stdout)

    assert len(attempts) >= 12
    refused = {name for name, result in attempts.items() if result in ("EPERM", "EROFS", "EACCES", "unseen")}
    assert {name: attempts[name] for name in attempts.keys() - refused} == {}
    assert underneath.changes(before, underneath.snapshot()) == []


def test_the_probes_would_notice_a_missing_fence(machine: Machine) -> None:
    """The same attempts, as far as they are harmless when they succeed, in a container without the fence."""
    image = str(container.inspect(machine.record.container)["Config"]["Image"])
    run = ["run", "--rm", "--interactive", "--volume", "/var/lib/docker", *UNFENCED, image, "python3", "-"]
    attempts = _probe(lambda script: docker(*run, stdin=script.encode()))

    for name in ("sysctl vm.swappiness", "sysctl kernel.core_pattern", "clock", "swap", "control groups of others"):
        assert attempts[name] == "allowed", name
    assert attempts["call reboot"] == "EINVAL"
    assert attempts["call delete_module"] != "EPERM"


def test_memory_is_limited(machine: Machine) -> None:
    # The shell reports the kill as 137; ssh by itself would say 255, as for a lost connection.
    greedy = f"python3 -c 'b = bytearray({MEMORY_MB + 64} << 20); print(len(b))'; exit $?"
    assert machine.ssh(greedy, check=False).returncode == 137
    modest = f"python3 -c 'b = bytearray({MEMORY_MB // 4} << 20); print(len(b))'"
    assert int(machine.ssh(modest).stdout) == (MEMORY_MB // 4) << 20


def test_cpu_is_limited(machine: Machine) -> None:
    """By what the kernel says, and by what busy loops get: on a busy machine the second alone would prove little."""
    groups = "cat /sys/fs/cgroup/cpu.max || cd /sys/fs/cgroup/cpu && cat cpu.cfs_quota_us cpu.cfs_period_us"
    quota, period = (int(number) for number in machine.ssh(f"( {groups} ) 2>/dev/null").stdout.split())
    assert quota / period == pytest.approx(CPUS)

    burn = "( end=$((SECONDS + 4)); while [ $SECONDS -lt $end ]; do :; done ) & "
    times = machine.ssh(f"TIMEFORMAT='%R %U %S'; time ( {burn * 3} wait )").stderr
    real, user, system = (float(value) for value in times.split())
    assert (user + system) / real < CPUS * 1.15


def test_systemd_itself_lacks_the_dropped_capabilities(machine: Machine) -> None:
    status = machine.ssh("cat /proc/1/status").stdout
    held = int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapBnd:")), 16)
    numbers = {"SYS_MODULE": 16, "SYS_RAWIO": 17, "SYS_BOOT": 22, "SYS_RESOURCE": 24, "SYS_TIME": 25, "SYSLOG": 34}
    assert [name for name, number in numbers.items() if held >> number & 1] == []
    assert held >> 21 & 1, "SYS_ADMIN stays, or there would be no engine inside"


def test_an_engine_inside_runs_a_container_with_limits(machine: Machine) -> None:
    machine.ssh("sudo systemctl start docker && sudo tar -C /bin -c busybox | sudo docker import - box")
    assert machine.ssh("sudo docker info --format '{{.Driver}}'").stdout.strip() == "overlay2"
    run = "sudo docker run --rm --memory 32m --memory-swap 32m --cpus 0.5 --pids-limit 20 box /busybox"

    assert machine.ssh(f"{run} echo works").stdout == "works\n"
    greedy = machine.ssh(f"{run} dd if=/dev/zero of=/dev/null bs=64M count=1", check=False)
    assert greedy.returncode == 137
    assert machine.ssh(f"{run} dd if=/dev/zero of=/dev/null bs=8M count=1").returncode == 0
    forks = machine.ssh(f"{run} sh -c 'for i in $(/busybox seq 40); do /busybox sleep 5 & done'", check=False)
    assert "can't fork" in forks.stderr
    assert machine.ssh(f"{run} ping -c 1 -W 5 {_gateway(machine)}").returncode == 0


def _gateway(machine: Machine) -> str:
    return machine.ssh("ip -4 route show default").stdout.split()[2]


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root may make the network namespace that plays the outside.")
def test_the_outside_reaches_only_what_is_published(machine: Machine) -> None:
    machine.ssh("sudo systemd-run --unit=web python3 -m http.server 8080")
    assert _opens(machine.address, 8080), "the service must be there, or nobody could fail to reach it"
    assert _opens("127.0.0.1", machine.port)

    with _outside() as (here, attempt), socket.create_server((here, 0)) as control:
        assert attempt(here, control.getsockname()[1]) == "open", "the outside must reach this machine at all"
        assert attempt(machine.address, 8080) != "open"
        assert attempt(here, machine.port) == "refused"


def _opens(host: str, port: int) -> bool:
    for _ in range(600):
        try:
            socket.create_connection((host, port), timeout=2).close()
        except OSError:
            subprocess.run(["sleep", "0.1"], check=True)
        else:
            return True
    return False


@contextmanager
def _outside() -> Iterator[tuple[str, Callable[[str, int], str]]]:
    """A neighbour in a network namespace, wired to this machine and with this machine as its router."""
    here, there = "198.18.77.1", "198.18.77.2"
    name, wire = namespace.create("outside"), f"rh{secrets.token_hex(3)}"
    enter = ["ip", "netns", "exec", name]
    steps = [
        ["ip", "link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", name],
        ["ip", "addr", "add", f"{here}/30", "dev", wire],
        ["ip", "link", "set", wire, "up"],
        [*enter, "ip", "addr", "add", f"{there}/30", "dev", "eth0"],
        [*enter, "ip", "link", "set", "eth0", "up"],
        [*enter, "ip", "route", "add", "default", "via", here],
    ]

    def attempt(host: str, port: int) -> str:
        probe = f"exec 3<>/dev/tcp/{host}/{port}"
        done = subprocess.run(
            [*enter, "timeout", str(round(allowed(3))), "bash", "-c", probe], capture_output=True, check=False
        )
        return {0: "open", 1: "refused", 124: "silent"}[done.returncode]

    try:
        for step in steps:
            subprocess.run(step, check=True)
        yield here, attempt
    finally:
        subprocess.run(["ip", "link", "del", wire], check=False)
        namespace.remove(name)
