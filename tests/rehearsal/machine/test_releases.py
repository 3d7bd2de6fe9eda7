"""The other releases of the spec: built the same way, where their archive can be reached."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rehearsal import RehearsalError
from rehearsal.machine import Machine

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(900)]


@pytest.mark.parametrize(("release", "codename"), [("ubuntu-22.04", "jammy"), ("ubuntu-24.04", "noble")])
def test_an_ubuntu_boots_and_its_own_engine_runs_containers(
    boot: Callable[..., Machine], release: str, codename: str
) -> None:
    name = release.replace(".", "-")
    try:
        machine = boot(name, release=release, memory_mb=1536, packages=("docker.io", "busybox-static"))
    except RehearsalError as error:
        if "cannot be reached" not in str(error):
            raise
        pytest.skip(str(error))

    assert machine.user == "ubuntu"
    assert f"VERSION_CODENAME={codename}" in machine.ssh("cat /etc/os-release").stdout
    assert machine.ssh("systemctl is-system-running --wait", check=False).stdout.strip() == "running"
    machine.ssh("sudo systemctl start docker && sudo tar -C /bin -c busybox | sudo docker import - box")
    run = "sudo docker run --rm --memory 32m --memory-swap 32m box /busybox"
    assert machine.ssh(f"{run} echo works").stdout == "works\n"
    assert machine.ssh(f"{run} dd if=/dev/zero of=/dev/null bs=64M count=1", check=False).returncode == 137
