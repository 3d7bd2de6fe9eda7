"""An engine is installed and started where there is none: on a fresh machine, where that is really so."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

import rehearsal
from rehearsal.docker import docker
from rehearsal.machine import Machine

pytestmark = pytest.mark.rehearsal

SOURCE = Path(rehearsal.__file__).parent
REPORT = "import json; print(json.dumps([docker.installed(), docker.engine_problem(), docker.started_pid()]))"


@pytest.fixture(scope="module")
def machine(boot: Callable[..., Machine]) -> Machine:
    machine = boot("engine", memory_mb=1024)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name in ("__init__.py", "docker.py"):
            tar.add(SOURCE / name, arcname=f"srv/project/rehearsal/{name}")
    docker("cp", "-", f"{machine.record.container}:/", stdin=archive.getvalue())
    return machine


def _on(machine: Machine, code: str, user: str = "sudo") -> list[object]:
    script = f"from rehearsal import docker\n{code}\n{REPORT}"
    done = machine.ssh(f"{user} env --chdir=/srv/project python3 -", stdin=script, timeout=240)
    report: list[object] = json.loads(done.stdout)
    return report


def test_installs_and_starts_an_engine(machine: Machine) -> None:
    installed, problem, _ = _on(machine, "")
    assert not installed
    assert "'docker' is not on PATH" in str(problem)

    assert _on(machine, "docker.ensure_docker()") == [True, None, None]  # systemd started it, not we


def test_starts_an_engine_without_an_init_system_and_ends_only_that(machine: Machine) -> None:
    machine.ssh("sudo systemctl stop docker.service docker.socket containerd.service")

    installed, problem, pid = _on(machine, "docker.ensure_docker()")
    assert (installed, problem) == (True, None)
    assert machine.ssh(f"cat /proc/{pid}/comm").stdout == "dockerd\n"

    assert _on(machine, "docker.ensure_docker()")[2] == pid, "the second call must find the first one's engine"
    installed, problem, pid = _on(machine, "docker.stop()")
    assert "Cannot connect" in str(problem)
    assert pid is None
    assert machine.ssh("pgrep -x 'dockerd|containerd'", check=False).stdout == ""


def test_an_engine_that_was_there_before_is_left_alone(machine: Machine) -> None:
    machine.ssh("sudo systemctl start docker")
    assert _on(machine, "docker.ensure_docker(); docker.stop()")[1] is None


def test_says_why_a_daemon_does_not_start(machine: Machine) -> None:
    machine.ssh("sudo systemctl stop docker.service docker.socket")
    machine.ssh("echo '{\"no-such-option\": 1}' | sudo tee /etc/docker/daemon.json")
    code = "try: docker.ensure_docker()\nexcept docker.DockerError as error: print(error)\nraise SystemExit"
    script = f"from rehearsal import docker\n{code}"
    said = machine.ssh("sudo env --chdir=/srv/project python3 -", stdin=script).stdout
    machine.ssh("sudo rm /etc/docker/daemon.json")
    assert said.startswith("dockerd did not start: ")
    assert "no-such-option" in said
