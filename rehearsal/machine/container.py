"""The container that plays the server: how it is fenced in, and how every trace of it is found again."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal import TOOLCHAIN, RehearsalError
from rehearsal.docker import DockerError, docker

FILES = Path(__file__).parent / "files"
BOOT_SCRIPT = FILES / "boot.sh"
SECCOMP_PROFILE = FILES / "seccomp.json"

CHECKOUT = hashlib.sha256(str(TOOLCHAIN).encode()).hexdigest()[:6]
CHECKOUT_LABEL = f"neurmatic.rehearsal.checkout={CHECKOUT}"
MACHINE_LABEL = "neurmatic.rehearsal.machine"

# A server of its own needs most capabilities (mounts, network, devices of its containers). These would reach the
# machine underneath: its limits, clock, modules, power, hardware and kernel log.
DROPPED = ("SYS_RESOURCE", "SYS_TIME", "SYS_MODULE", "SYS_BOOT", "SYS_RAWIO", "SYSLOG")


class NameTakenError(RehearsalError):
    """The machine exists, or another command is just making it: not ours to touch."""


@dataclass(frozen=True)
class Limits:
    memory_mb: int
    cpus: float


def container_name(machine: str) -> str:
    return f"rehearsal-{CHECKOUT}-{machine}"


def fence(limits: Limits) -> list[str]:
    """The options that keep the machine inside: all of them are what the tests of isolation attack."""
    return [
        *("--cap-add", "ALL"),
        *(part for capability in DROPPED for part in ("--cap-drop", capability)),
        # Swap needs no capability that could be dropped here, so its calls are refused by name. Docker's own profile
        # refuses the mounts that the engine inside makes; its masks of /proc and its read-only /proc/sys stay.
        *("--security-opt", f"seccomp={SECCOMP_PROFILE}", "--security-opt", "apparmor=unconfined"),
        *("--cgroupns", "private"),
        *("--memory", f"{limits.memory_mb}m", "--memory-swap", f"{limits.memory_mb}m"),
        *("--cpus", f"{limits.cpus:g}", "--pids-limit", "8192"),
    ]


def create(machine: str, image: str, port: int, limits: Limits) -> str:
    """A container that boots the image's systemd when started. Docker lets only one command take the name."""
    try:
        return docker("create", *_options(machine, port, limits), image, "/bin/sh", "-c", BOOT_SCRIPT.read_text())
    except DockerError as error:
        if "is already in use" in str(error):
            raise taken(machine) from None
        raise


def taken(machine: str) -> NameTakenError:
    return NameTakenError(
        f"Machine '{machine}' exists already: './infra rehearse shell {machine}' enters it, "
        f"'./infra rehearse down {machine}' removes it."
    )


def _options(machine: str, port: int, limits: Limits) -> list[str]:
    return [
        *("--name", container_name(machine), "--hostname", machine),
        *("--label", CHECKOUT_LABEL, "--label", f"{MACHINE_LABEL}={machine}"),
        *fence(limits),
        # As a provider delivers it: the engine inside switches forwarding on by itself.
        *("--sysctl", "net.ipv4.ip_forward=0"),
        *("--tmpfs", "/run:exec,mode=755", "--tmpfs", "/run/lock"),
        # One overlay does not stack on another: where the engine inside keeps its layers (containerd from Docker 29).
        *("--volume", "/var/lib/docker", "--volume", "/var/lib/containerd"),
        *("--publish", f"127.0.0.1:{port}:22"),
        *("--env", "container=docker", "--stop-signal", "SIGRTMIN+3"),
    ]


@dataclass(frozen=True)
class File:
    """A file of the delivered server: path without the leading slash."""

    path: str
    content: str
    mode: int
    owner: int = 0


def put(container: str, files: Sequence[File]) -> None:
    """Copy files with their owners into a container that need not run."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for file in files:
            data = file.content.encode()
            entry = tarfile.TarInfo(file.path)
            entry.size, entry.mode, entry.uid, entry.gid = len(data), file.mode, file.owner, file.owner
            tar.addfile(entry, io.BytesIO(data))
    docker("cp", "-", f"{container}:/", stdin=archive.getvalue())


def inspect(container: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads(docker("inspect", "--type", "container", container))
    return found[0]


def address(container: str) -> str:
    return str(inspect(container)["NetworkSettings"]["IPAddress"])


def find(machine: str | None = None) -> list[str]:
    """Ids of this checkout's machine containers, running or not; of one machine, or of all."""
    return _list("{{.ID}}", f"{MACHINE_LABEL}={machine}" if machine else MACHINE_LABEL)


def machine_names() -> list[str]:
    return sorted(_list(f'{{{{.Label "{MACHINE_LABEL}"}}}}', MACHINE_LABEL))


def _list(what: str, label: str) -> list[str]:
    filters = ["--filter", f"label={CHECKOUT_LABEL}", "--filter", f"label={label}"]
    return docker("ps", "--all", "--no-trunc", *filters, "--format", what).split()


def remove(machine: str) -> None:
    """The container and its anonymous volume, whatever state a crash left it in."""
    for container in find(machine):
        docker("rm", "--force", "--volumes", container)
