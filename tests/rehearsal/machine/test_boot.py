"""A machine boots cold and warm, lets its user in by the pinned key, and is gone without a trace."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rehearsal import TOOLCHAIN
from rehearsal.docker import docker
from rehearsal.machine import Machine, container, image, store, underneath
from rehearsal.pace import allowed

pytestmark = pytest.mark.rehearsal

COLD_SECONDS = 240
WARM_SECONDS = 20


@pytest.fixture
def no_cached_image(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Images under a name of this test's own: built by it, and removed after it."""
    monkeypatch.setattr(image, "REPOSITORY", "neurmatic-rehearsal-cold")
    _remove_cold_images()
    image._ensure_debootstrap()  # a tool of this machine, installed once; not part of what a boot may change
    yield
    _remove_cold_images()


def _remove_cold_images() -> None:
    for name in image.cached_images():
        if name.startswith("neurmatic-rehearsal-cold/"):
            docker("image", "rm", name)


def _files_of_rehearsals() -> set[Path]:
    return {path for path in (TOOLCHAIN / "rehearsal").rglob("*") if image.LOCKS not in (path, path.parent)}


@pytest.mark.alone
@pytest.mark.timeout(1200)
def test_boots_cold_and_warm_and_leaves_the_machine_underneath_as_it_was(
    no_cached_image: None, boot: Callable[..., Machine], record_property: Callable[[str, object], None]
) -> None:
    store.MACHINES.mkdir(parents=True, exist_ok=True)  # the folder of all machines stays, empty
    files, before = _files_of_rehearsals(), underneath.snapshot()

    started = time.monotonic()
    cold = boot("cold")
    cold_seconds = time.monotonic() - started
    started = time.monotonic()
    warm = boot("warm")
    warm_seconds = time.monotonic() - started
    print(f"cold {cold_seconds:.1f} s, warm {warm_seconds:.1f} s")
    record_property("cold", cold_seconds)
    record_property("warm", warm_seconds)
    volumes = {*_volumes(cold), *_volumes(warm)}
    assert _rules_for(cold, warm) != [], "the rules whose absence is tested below"
    for machine in (cold, warm):
        machine.down()

    assert cold_seconds < allowed(COLD_SECONDS)
    assert warm_seconds < allowed(WARM_SECONDS)
    assert underneath.changes(before, underneath.snapshot()) == []
    assert _files_of_rehearsals() == files
    assert container.find("test-cold") == container.find("test-warm") == []
    assert not _rules_for(cold, warm)
    assert len(volumes) == 4
    assert not volumes & {*docker("volume", "ls", "--quiet").split()}


def _rules_for(*machines: Machine) -> list[str] | None:
    """Docker's rules for the published ports; None where this user may not read them."""
    if os.geteuid() != 0:
        return None
    saved = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
    return [rule for rule in saved.splitlines() if any(f"--dport {one.port} " in rule for one in machines)]


def _volumes(machine: Machine) -> list[str]:
    mounts = container.inspect(machine.record.container)["Mounts"]
    return [str(mount["Name"]) for mount in mounts if mount["Type"] == "volume"]


@pytest.fixture(scope="module")
def machine(boot: Callable[..., Machine]) -> Machine:
    """As delivered, for the tests that leave it so; the last ones of the file may change it."""
    return boot("plain")


@pytest.fixture(scope="module")
def other(boot: Callable[..., Machine]) -> Machine:
    return boot("other")


def test_is_a_plain_server_as_a_provider_delivers_it(machine: Machine) -> None:
    assert machine.ssh("systemctl is-system-running --wait", check=False).stdout.strip() == "running"
    assert machine.ssh("cat /proc/1/comm").stdout.strip() == "systemd"
    assert machine.ssh("id --user --name").stdout.strip() == "debian"
    assert machine.ssh("sudo --non-interactive id --user").stdout.strip() == "0"
    assert machine.ssh("cat /proc/sys/net/ipv4/ip_forward").stdout.strip() == "0"
    assert "VERSION_CODENAME=bookworm" in machine.ssh("cat /etc/os-release").stdout
    ours = machine.ssh("command -v docker nginx ufw fail2ban-client; ls -A /opt /srv /mnt", check=False)
    assert ours.stdout.split() == ["/mnt:", "/opt:", "/srv:"]


def test_password_and_root_logins_are_not_offered(machine: Machine) -> None:
    asked = machine.ssh_command()
    asked[1:1] = ["-o", "User=root"]
    done = subprocess.run([*asked, "true"], capture_output=True, text=True, check=False)
    assert done.returncode == 255
    assert "Permission denied" in done.stderr


def test_another_host_key_is_refused(machine: Machine, other: Machine) -> None:
    pinned = machine.known_hosts.read_text()
    machine.known_hosts.write_text(pinned.replace(machine.host_key, other.host_key))

    refused = machine.ssh("true", check=False)
    machine.known_hosts.write_text(pinned)

    assert refused.returncode == 255
    assert "Host key verification failed" in refused.stderr
    assert machine.ssh("true").returncode == 0


def test_machines_are_several_and_reach_each_other(machine: Machine, other: Machine) -> None:
    assert machine.port != other.port
    assert machine.host_key != other.host_key
    ids = {one.ssh("cat /etc/machine-id").stdout for one in (machine, other)}
    assert len(ids) == 2
    banner = machine.ssh(f"timeout 60 bash -c 'exec 3<>/dev/tcp/{other.address}/22; head -1 <&3'").stdout
    assert banner.startswith("SSH-2.0-OpenSSH")


def test_reaches_its_archive(machine: Machine) -> None:
    machine.ssh("sudo apt-get update -q && sudo apt-get install -yq --no-install-recommends busybox-static")
    assert machine.ssh("busybox echo works").stdout == "works\n"


def test_a_restart_keeps_the_data_the_port_and_the_host_key(machine: Machine) -> None:
    machine.ssh("echo kept > note; sudo touch /run/gone")
    again = machine.restart()
    assert again.port == machine.port
    assert again.ssh("cat note; ls /run/gone", check=False).stdout == "kept\n"
    assert Machine.find("test-plain").address == again.address
