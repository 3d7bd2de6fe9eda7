"""What the Docker engine of the server knows about the live database's container."""

from __future__ import annotations

import json
from dataclasses import dataclass

from components.backup.onhost import process
from components.backup.onhost.problem import BackupError


@dataclass(frozen=True)
class Live:
    image: str
    """Its id: a throw-away server of exactly this version needs no registry."""
    user: str
    running: bool


def live(container: str) -> Live | None:
    """None: there is no such container yet."""
    names = process.run(["docker", "ps", "--all", "--format", "{{.Names}}"], "Docker on this server").decode().split()
    if container not in names:
        return None
    told = json.loads(process.run(["docker", "inspect", container], f"Container {container}"))[0]
    return Live(told["Image"], told["Config"]["User"] or "70:70", bool(told["State"]["Running"]))


def needed(container: str) -> Live:
    found = live(container)
    if found is None:
        raise BackupError(f"There is no container {container} on this server: has `./infra up` run here?")
    if not found.running:
        raise BackupError(f"The container {container} does not run: `docker logs {container}` says why.")
    return found
