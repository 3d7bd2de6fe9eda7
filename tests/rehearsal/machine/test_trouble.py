"""What goes wrong is told in one sentence, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rehearsal import TOOLCHAIN, RehearsalError
from rehearsal.docker import docker
from rehearsal.machine import Machine, cleanup, container, image, store, underneath
from rehearsal.machine.releases import find_release

pytestmark = pytest.mark.rehearsal

INFRA = [sys.executable, "-m", "ops", "rehearse"]


def infra(*args: str, **environment: str) -> tuple[int, str]:
    """The command as a person gives it: its status and what it said to them."""
    done = subprocess.run(
        [*INFRA, *args],
        cwd=TOOLCHAIN.parent,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return done.returncode, done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ""


@pytest.fixture(scope="module")
def machine(boot: Callable[..., Machine]) -> Machine:
    return boot("trouble", memory_mb=512)


def test_a_name_that_is_taken(machine: Machine) -> None:
    status, said = infra("up", machine.name)
    assert status == 1
    assert said.startswith(f"Error: Machine '{machine.name}' exists already: './infra rehearse shell")
    assert machine.ssh("true").returncode == 0


def test_two_commands_that_want_the_same_name_at_once(boot: Callable[..., Machine]) -> None:
    boot("race", memory_mb=512).down()  # the image is there from here on, so that both get as far as the name
    command = [*INFRA, "up", "test-race", "--memory", "512"]
    both = [
        subprocess.Popen(command, cwd=TOOLCHAIN.parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = {process.returncode: text for process in both for text in [process.communicate(timeout=600)[1]]}
    assert sorted(said) == [0, 1]
    assert "Error: Machine 'test-race' exists already" in said[1]
    assert Machine.find("test-race").ssh("hostname").stdout == "test-race\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["shell", "test-nobody"], "There is no machine 'test-nobody'"),
        (["down", "test-nobody"], "There is no machine 'test-nobody'"),
        (["up", "../escape"], "'../escape' cannot name a machine"),
        (["down", "../escape"], "'../escape' cannot name a machine"),
        (["up", "test-bad", "--release", "debian-11"], "There is no release 'debian-11'"),
        (["up", "test-bad", "--memory", "16"], "A machine with 16 MB is not possible here"),
        (["up", "test-bad", "--memory", "99999999"], "A machine with 99999999 MB is not possible here"),
        (["up", "test-bad", "--cpus", "4096"], "A machine with 4096 CPUs is not possible here"),
        (["up", "test-bad", "--with", "no such; thing"], "'no such; thing' is no package name"),
    ],
)
def test_bad_input(arguments: list[str], sentence: str) -> None:
    status, said = infra(*arguments)
    assert status == 1
    assert said.startswith(f"Error: {sentence}")
    assert "test-bad" not in cleanup.all_names()


def test_a_machine_that_has_stopped(boot: Callable[..., Machine]) -> None:
    stopped = boot("stopped", memory_mb=512)
    docker("stop", "--time", "10", stopped.record.container)
    status, said = infra("shell", stopped.name)
    assert status == 1
    assert said.startswith(f"Error: Machine '{stopped.name}' does not run: ")


def test_the_command_enters_a_machine_and_tells_of_it(machine: Machine) -> None:
    done = subprocess.run(
        [*INFRA, "shell", machine.name, "--", "sudo", "hostname"], cwd=TOOLCHAIN.parent, capture_output=True, check=True
    )
    assert done.stdout == b"test-trouble\n"
    told = subprocess.run([*INFRA, "status"], cwd=TOOLCHAIN.parent, capture_output=True, text=True, check=True).stdout
    assert f"test-trouble  debian-12  running  debian@{machine.address}  SSH on 127.0.0.1:{machine.port}" in told


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, said = infra("up", "test-port", "--port", str(port))
    assert status == 1
    assert said.startswith(f"Error: Port {port} of 127.0.0.1 cannot be taken")
    assert "test-port" not in cleanup.all_names()


@pytest.mark.alone
def test_a_package_that_does_not_exist() -> None:
    status, said = infra("up", "test-package", "--with", "no-such-package-anywhere")
    assert status == 1
    assert "Unable to locate package no-such-package-anywhere" in said
    assert "test-package" not in cleanup.all_names()
    assert docker("ps", "--all", "--quiet", "--filter", f"label={image.BUILDER_LABEL}") == ""


def test_no_engine_at_the_address_that_is_set() -> None:
    status, said = infra("up", "test-remote", DOCKER_HOST="tcp://127.0.0.1:9")
    assert status == 1
    assert said == "Error: No Docker engine answers at DOCKER_HOST=tcp://127.0.0.1:9: start it, or unset DOCKER_HOST."


@pytest.mark.alone
def test_an_archive_that_cannot_be_reached(tmp_path: Path) -> None:
    status, said = infra("up", "test-archive", REHEARSAL_DEBIAN_MIRROR="http://127.0.0.1:9/debian")
    assert status == 1
    assert said.startswith("Error: The archive of debian-12 cannot be reached")
    assert "http://127.0.0.1:9/debian" in said
    assert said.endswith("name another one in REHEARSAL_DEBIAN_MIRROR, or rehearse on another release.")
    assert "test-archive" not in cleanup.all_names()
    assert not [name for name in image.cached_images() if "unproven" in name]


def test_no_space_left(monkeypatch: pytest.MonkeyPatch, machine: Machine) -> None:
    """The disk is asked for real; only what a machine needs is set to more than there is."""
    free_mb = shutil.disk_usage(docker("info", "--format", "{{.DockerRootDir}}")).free >> 20
    monkeypatch.setattr("rehearsal.machine.machine.NEEDED_MB", free_mb * 2)
    with pytest.raises(RehearsalError, match=r"Only \d+ MB are free in .*, a machine needs \d+: make room"):
        Machine.up("test-space")
    assert "test-space" not in cleanup.all_names()


@pytest.fixture
def booting(machine: Machine) -> Iterator[subprocess.Popen[bytes]]:
    """`up` at the moment when there is something to leave behind. (Another machine is up, so the image is there.)"""
    name = "test-crash"
    cleanup.take_down(name)
    # Whoever started the tests in the background had them ignore an interrupt.
    heeding = ["env", "--default-signal=INT"]
    process = subprocess.Popen([*heeding, *INFRA, "up", name], cwd=TOOLCHAIN.parent, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not container.find(name) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    yield process
    process.kill()
    process.wait()
    cleanup.take_down(name)


def test_an_interrupted_boot_removes_what_it_began(booting: subprocess.Popen[bytes]) -> None:
    booting.send_signal(signal.SIGINT)
    booting.wait(timeout=240)
    assert booting.returncode != 0
    assert "test-crash" not in cleanup.all_names()


def test_a_killed_boot_is_found_and_removed(booting: subprocess.Popen[bytes]) -> None:
    booting.kill()
    booting.wait()
    assert "test-crash" in cleanup.all_names()
    volumes = [
        str(mount["Name"])
        for one in container.find("test-crash")
        for mount in container.inspect(one)["Mounts"]
        if mount["Type"] == "volume"
    ]
    assert volumes

    assert infra("down", "test-crash")[0] == 0

    assert "test-crash" not in cleanup.all_names()
    assert not store.folder("test-crash").exists()
    assert not {*volumes} & {*docker("volume", "ls", "--quiet").split()}


@pytest.mark.alone
@pytest.mark.skipif(os.geteuid() != 0, reason="Without root the build runs in a container, which Docker removes.")
def test_a_killed_build_leaves_no_mount_no_process_and_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    release = find_release("debian-12")
    image._ensure_debootstrap()
    mounts = underneath.mounts()
    build = subprocess.Popen(image._build_command(release), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    _wait_until(lambda: bool(_command_lines("debootstrap")))
    assert _command_lines("debootstrap"), "the build must have begun, or there is nothing to leave behind"

    build.kill()
    build.wait()
    _wait_until(lambda: not _command_lines("debootstrap"))

    assert not _command_lines("debootstrap")
    assert underneath.mounts() == mounts
    assert "root" not in os.listdir("/mnt")


def _wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 240
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.1)


def _command_lines(program: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(argument.endswith(f"bin/{program}".encode()) for argument in arguments[:2]):
            found.append(str(path))
    return found
