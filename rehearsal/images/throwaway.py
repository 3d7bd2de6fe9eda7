"""Containers that a rehearsal starts for a moment, and that do not outlive it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rehearsal import RehearsalError
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

    def stop(self, grace: int = 10) -> int:
        """Stop as `docker stop` does, with the image's own signal; the exit code."""
        docker("stop", "--time", str(grace), self.id, timeout=grace + 60)
        return self.exit_code

    def wait_until(self, ready: Callable[[], bool], what: str, seconds: float = 30) -> None:
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
    label = f"{LABEL}={os.getpid()}"
    container = Container(docker("create", "--label", label, *flags, image, *command))
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


def sweep() -> list[str]:
    """Remove what processes left behind that no longer exist; the ids of what was removed."""
    listed = docker("ps", "--all", "--filter", f"label={LABEL}", "--format", f'{{{{.ID}}}} {{{{.Label "{LABEL}"}}}}')
    rows = [line.split() for line in listed.splitlines()]
    orphans = [row[0] for row in rows if len(row) == 2 and not Path(f"/proc/{row[1]}").exists()]
    for identity in orphans:
        remove(identity)
    return orphans
