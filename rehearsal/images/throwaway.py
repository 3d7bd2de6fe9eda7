"""Containers and networks that a rehearsal makes for a moment, and that do not outlive it."""

from __future__ import annotations

import io
import json
import secrets
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rehearsal import RehearsalError, owner
from rehearsal.docker import DockerError, docker

LABEL = "neurmatic.rehearsal.owner"


@dataclass(frozen=True)
class Container:
    """A running container; `docker` commands on it without the ceremony."""

    id: str

    def run(self, *command: str, user: str | None = None, stdin: bytes | None = None, timeout: float = 60) -> str:
        flags = ["--user", user] if user else []
        return docker("exec", "--interactive", *flags, self.id, *command, stdin=stdin, timeout=timeout)

    def logs(self) -> str:
        """Standard output and error in one."""
        done = subprocess.run(
            ["docker", "logs", self.id], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        return done.stdout

    @property
    def address(self) -> str:
        """On the first network that it is attached to."""
        networks = json.loads(docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", self.id))
        return str(next(iter(networks.values()))["IPAddress"])

    @property
    def running(self) -> bool:
        return docker("inspect", "--format", "{{.State.Running}}", self.id) == "true"

    @property
    def exit_code(self) -> int:
        return int(docker("inspect", "--format", "{{.State.ExitCode}}", self.id))

    def published(self, port: int) -> int:
        """The port of loopback behind which `port` of the container answers."""
        return int(docker("port", self.id, f"{port}/tcp").splitlines()[0].rpartition(":")[2])

    def stop(self, grace: int = 60) -> int:
        """Stop as `docker stop` does, with the image's own signal; the exit code."""
        docker("stop", "--time", str(grace), self.id, timeout=grace + 60)
        return self.exit_code

    def wait_until(self, ready: Callable[[], bool], what: str, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not _holds(ready):
            if time.monotonic() > deadline or not self.running:
                raise RehearsalError(f"Container {self.id[:12]}: {what} did not come true.\n{self.logs()[-2000:]}")
            time.sleep(0.1)


def _holds(ready: Callable[[], bool]) -> bool:
    try:
        return ready()
    except (DockerError, OSError):
        return False


@contextmanager
def throwaway(
    image: str, *command: str, flags: Sequence[str] = (), files: Mapping[str, bytes] | None = None
) -> Iterator[Container]:
    """A container that runs while the block does. Its anonymous volumes go with it.

    `files` lie in it before it starts, owned by its root, readable by all; not with --read-only, which
    forbids the copy. No mount, so that the engine may be elsewhere.
    """
    container = Container(docker("create", "--label", f"{LABEL}={owner.mine()}", *flags, image, *command))
    try:
        if files:
            docker("cp", "-", f"{container.id}:/", stdin=_archive(files))
        docker("start", container.id)
        yield container
    finally:
        remove(container.id)


def _archive(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(content), 0o444
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def remove(identity: str) -> None:
    docker("rm", "--force", "--volumes", identity)


@contextmanager
def network(*flags: str) -> Iterator[str]:
    """A network of its own while the block runs, under a name that no other run has had."""
    name = f"rehearsal-{secrets.token_hex(4)}"
    docker("network", "create", "--label", f"{LABEL}={owner.mine()}", *flags, name)
    try:
        yield name
    finally:
        docker("network", "rm", name)


def sweep() -> list[str]:
    """Remove what processes left behind that no longer exist; the ids of what was removed."""
    gone = [identity for identity in _orphans("ps", "--all") if _removed("rm", "--force", "--volumes", identity)]
    return gone + [identity for identity in _orphans("network", "ls") if _removed("network", "rm", identity)]


def _removed(*command: str) -> bool:
    """Another run may be sweeping as well, or somebody's own container may be in a network."""
    try:
        docker(*command)
    except DockerError:
        return False
    return True


def _orphans(*listing: str) -> list[str]:
    # A network's row has no field for one label alone, so that both kinds show all of them.
    listed = docker(*listing, "--filter", f"label={LABEL}", "--format", "{{.ID}} {{.Labels}}")
    rows = [line.partition(" ") for line in listed.splitlines()]
    return [identity for identity, _, labels in rows if not owner.lives(_value(labels))]


def _value(labels: str) -> str:
    return next(each.partition("=")[2] for each in labels.split(",") if each.startswith(f"{LABEL}="))
