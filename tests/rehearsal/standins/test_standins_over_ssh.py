"""Commands and Docker through SSH, on a machine: as its first user, by the agent, with the host key pinned."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from plugin_driver import Driver, stand_in

from rehearsal import agent
from rehearsal.machine import Machine

pytestmark = pytest.mark.rehearsal


@pytest.fixture(scope="module")
def machine(boot: Callable[..., Machine]) -> Machine:
    """With an engine that its first user may talk to."""
    made = boot("standins", packages=("docker.io",), memory_mb=1024)
    made.ssh(f"sudo usermod -aG docker {made.user} && sudo systemctl start docker")
    return made


@pytest.fixture
def of(machine: Machine, tmp_path: Path) -> Iterator[Callable[..., Driver]]:
    servers = []

    def drive(token: str, **settings: Any) -> Driver:
        key = {"SSH_AUTH_SOCK": str(agent.serve(machine.key_path, os.getpid()))}
        driver, server = stand_in(token.split(":", maxsplit=1)[0], tmp_path, key, machine=(machine.address,))
        servers.append(server)
        driver.configure(settings)
        driver.token = token
        return driver

    yield drive
    for server in servers:
        server.stop(None)


def made(driver: Driver, inputs: dict[str, Any]) -> dict[str, Any]:
    assert "inputs" in driver.play({"do": "check", "with": inputs})
    return driver.play({"do": "create"})


def options(host_key: str) -> str:
    """As components/host pins it, in the form in which the engine hands settings over."""
    pinned = f"KnownHostsCommand=/bin/echo %H {host_key}"
    words = ["StrictHostKeyChecking=yes", "UserKnownHostsFile=none", pinned]
    return "[" + ", ".join(f'"-o", "{word}"' for word in words) + "]"


def test_a_command_runs_as_the_first_user(machine: Machine, of: Callable[..., Driver]) -> None:
    connection = {"host": machine.address, "user": machine.user, "hostKey": machine.host_key, "dialErrorLimit": 0}
    given = {"connection": connection, "create": "whoami; hostname; sudo id -u"}
    ran = made(of("command:remote:Command"), given)
    assert ran["properties"]["stdout"] == f"{machine.user}\n{machine.name}\n0"


def test_docker_is_reached_with_the_pinned_key_and_the_command_line_sees_what_was_made(
    machine: Machine, of: Callable[..., Driver]
) -> None:
    url = f"ssh://{machine.user}@{machine.address}:22"
    driver = of("docker:index/volume:Volume", host=url, sshOpts=options(machine.host_key))
    assert made(driver, {"name": "kept"})["id"] == "kept"
    assert machine.ssh("docker volume ls --quiet").stdout.split() == ["kept"]
    machine.ssh("docker volume rm kept")
    assert driver.play({"do": "read"})["id"] == ""


def test_another_host_key_is_refused_by_docker_too(machine: Machine, of: Callable[..., Driver]) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINP3qRupHam+aEUX0YqmWYpOEM/V5+Hg9VOEzGNJnEIi"
    url = f"ssh://{machine.user}@{machine.address}:22"
    refused = made(of("docker:index/volume:Volume", host=url, sshOpts=options(other)), {"name": "never"})["error"]
    assert "has exited with exit status 255" in refused
    assert "Host key verification failed" in refused


@pytest.mark.parametrize("address", ["192.0.2.10", "vps-1a707765.vps.ovh.net", "10.0.0.5"])
def test_no_other_server_is_ever_reached(of: Callable[..., Driver], address: str) -> None:
    """Neither a public one nor one in somebody's own network."""
    command = of("command:remote:Command")
    refused = made(command, {"connection": {"host": address, "dialErrorLimit": 0}, "create": "true"})
    assert f"{address} is not this rehearsal's machine" in refused["error"]
    docker = of("docker:index/volume:Volume", host=f"ssh://root@{address}")
    assert f"{address} is not this rehearsal's machine" in made(docker, {"name": "v"})["error"]
