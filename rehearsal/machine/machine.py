"""Machines by name: bring one up, get in by SSH, take it down without a trace."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rehearsal import RehearsalError, ports
from rehearsal.docker import docker, ensure_docker
from rehearsal.machine import container, store
from rehearsal.machine.cleanup import take_down
from rehearsal.machine.image import cached_images, ensure_image
from rehearsal.machine.releases import Release, find_release

SSH_SECONDS = 180
NEEDED_MB = 3000  # base image, packages and the images of the engine inside
SMALLEST_MB = 256


@dataclass(frozen=True)
class Order:
    """What kind of machine is wanted; None means as much as this machine can spare."""

    release: str = "debian-12"
    memory_mb: int | None = None
    cpus: float | None = None
    port: int | None = None
    packages: Sequence[str] = ()


@dataclass(frozen=True)
class Machine:
    """A machine that is up. Its host key is pinned: known_hosts was written before it booted."""

    record: store.Record

    @classmethod
    def up(cls, name: str = "main", order: Order | None = None) -> Machine:
        """Boot a new machine and return when SSH answers; on any failure nothing of it stays."""
        order = order or Order()
        store.check_name(name)
        release = find_release(order.release)
        ensure_docker()
        _refuse_second(name)
        limits = _limits(order)
        port = _port(order)
        _refuse_full_disk()
        image = ensure_image(release, order.packages)
        try:
            made = container.create(name, image, port, limits)
            return _boot(name, release, made, port)
        except container.NameTakenError:
            raise
        except BaseException:
            take_down(name)
            raise

    @classmethod
    def find(cls, name: str = "main") -> Machine:
        """A machine that an earlier command has brought up."""
        store.check_name(name)
        record = store.load(name)
        if record is None:
            known = ", ".join(store.names()) or "none is up"
            raise RehearsalError(f"There is no machine '{name}' ({known}): './infra rehearse up {name}' makes it.")
        return cls(record)

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def address(self) -> str:
        """Its own address, reachable from this machine only (on Linux)."""
        return self.record.address

    @property
    def port(self) -> int:
        """Where its SSH answers on 127.0.0.1."""
        return self.record.port

    @property
    def user(self) -> str:
        return self.record.user

    @property
    def key_path(self) -> Path:
        return store.folder(self.name) / "user_key"

    @property
    def known_hosts(self) -> Path:
        return store.folder(self.name) / "known_hosts"

    @property
    def ssh_config(self) -> Path:
        """For `ssh -F`: the host in it has the machine's name."""
        return store.folder(self.name) / "ssh_config"

    @property
    def host_key(self) -> str:
        return store.host_public_key(self.name)

    def ssh_command(self, command: str | None = None) -> list[str]:
        return ["ssh", "-F", str(self.ssh_config), self.name, *([command] if command else [])]

    def ssh(
        self, command: str, *, stdin: str | None = None, timeout: float = 120, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as the delivered user, as an operator would."""
        try:
            done = subprocess.run(
                self.ssh_command(command),
                input=stdin if stdin is not None else "",
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise RehearsalError(f"'{command}' did not end on machine '{self.name}' in {timeout:.0f} s.") from None
        if check and done.returncode != 0:
            reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            raise RehearsalError(
                f"'{command}' failed on machine '{self.name}' with {done.returncode}: {' '.join(reason)}"
            )
        return done

    def running(self) -> bool:
        found = container.find(self.name)
        return any(container.inspect(one)["State"]["Running"] for one in found)

    def restart(self) -> Machine:
        """Reboot it, as a provider's console does; its data stays, its address may change."""
        docker("restart", "--time", "30", self.record.container)
        machine = Machine(replace(self.record, address=container.address(self.record.container)))
        store.save(machine.record)
        _wait_for_ssh(machine)
        return machine

    def down(self) -> None:
        take_down(self.name)


def _boot(name: str, release: Release, made: str, port: int) -> Machine:
    store.make_keys(name)
    container.put(made, _identity(name, release))
    docker("start", made)
    record = store.Record(
        name=name,
        release=release.name,
        container=made,
        address=container.address(made),
        port=port,
        user=release.user,
    )
    store.save(record)
    machine = Machine(record)
    _wait_for_ssh(machine)
    return machine


def _identity(name: str, release: Release) -> list[container.File]:
    """What a provider puts on a server when it is ordered: a host key, and the customer's key for the first user."""
    path = store.folder(name)
    user = 1000
    home = f"home/{release.user}/.ssh"
    return [
        container.File("etc/ssh/ssh_host_ed25519_key", (path / "host_key").read_text(), 0o600),
        container.File("etc/ssh/ssh_host_ed25519_key.pub", (path / "host_key.pub").read_text(), 0o644),
        container.File(f"{home}/authorized_keys", (path / "user_key.pub").read_text(), 0o600, user),
    ]


def _wait_for_ssh(machine: Machine) -> None:
    deadline = time.monotonic() + SSH_SECONDS
    while machine.ssh("true", check=False, timeout=20).returncode != 0:
        if not machine.running():
            log = docker("logs", "--tail", "3", machine.record.container)
            raise RehearsalError(f"Machine '{machine.name}' stopped while it booted: {log or 'it said nothing'}.")
        if time.monotonic() > deadline:
            reason = machine.ssh("true", check=False, timeout=20).stderr.strip()
            raise RehearsalError(
                f"Machine '{machine.name}' booted, but SSH did not answer within {SSH_SECONDS} s: {reason}."
            )
        time.sleep(0.2)


def _refuse_second(name: str) -> None:
    if container.find(name):
        raise container.taken(name)
    store.forget(name)  # the folder of a machine whose container was removed by other means


def _limits(order: Order) -> container.Limits:
    cpus_here, bytes_here = docker("info", "--format", "{{.NCPU}} {{.MemTotal}}").split()
    cpus, memory_mb = int(cpus_here), int(bytes_here) >> 20
    wanted = container.Limits(
        memory_mb=order.memory_mb if order.memory_mb is not None else min(6144, memory_mb * 2 // 3),
        cpus=order.cpus if order.cpus is not None else cpus,
    )
    if not SMALLEST_MB <= wanted.memory_mb <= memory_mb:
        raise RehearsalError(
            f"A machine with {wanted.memory_mb} MB is not possible here: give {SMALLEST_MB} to {memory_mb} MB."
        )
    if not 0.1 <= wanted.cpus <= cpus:
        raise RehearsalError(f"A machine with {wanted.cpus:g} CPUs is not possible here: give 0.1 to {cpus}.")
    return wanted


def _port(order: Order) -> int:
    """The asked port, or a free one: fixed for the machine's life, so that it survives a restart."""
    if order.port is None:
        return ports.free()
    problem = ports.can_be_taken(order.port)
    if problem:
        raise RehearsalError(
            f"Port {order.port} of 127.0.0.1 cannot be taken ({problem}): name another one, or none."
        ) from None
    return order.port


def _refuse_full_disk() -> None:
    root = Path(docker("info", "--format", "{{.DockerRootDir}}"))
    if not root.is_dir():  # an engine in a virtual machine: its disk cannot be seen from here
        return
    free_mb = shutil.disk_usage(root).free >> 20
    if free_mb < NEEDED_MB:
        cached = len(cached_images())
        raise RehearsalError(
            f"Only {free_mb} MB are free in {root}, a machine needs {NEEDED_MB}: make room "
            f"('docker system df' tells by what; './infra rehearse down --all' frees {cached} cached images)."
        )
