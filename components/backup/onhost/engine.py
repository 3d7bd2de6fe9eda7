"""What the Docker engine of the server knows about the live database's container."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, replace

from components.backup.onhost import process
from components.backup.onhost.problem import BackupError

SUPERUSER = "postgres"


@dataclass(frozen=True)
class Live:
    image: str
    """Its id: a throw-away server of exactly this version needs no registry."""
    user: str
    running: bool
    superuser: str = ""


def live(container: str) -> Live | None:
    """None: there is no such container yet."""
    names = process.run(["docker", "ps", "--all", "--format", "{{.Names}}"], "Docker on this server").decode().split()
    if container not in names:
        return None
    told = json.loads(process.run(["docker", "inspect", container], f"Container {container}"))[0]
    return Live(told["Image"], told["Config"]["User"] or "70:70", bool(told["State"]["Running"]))


def needed(container: str, owner: str) -> Live:
    """Running, and who may dump it. The image makes the owner its superuser; where logins take turns, that is another
    (components/containers/onhost/postgres_logins.py)."""
    found = live(container)
    if found is None:
        raise BackupError(f"There is no container {container} on this server: has `./infra up` run here?")
    if not found.running:
        raise BackupError(f"The container {container} does not run: `docker logs {container}` says why.")
    question = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    for role in (SUPERUSER, owner):
        ask = ["docker", "exec", container, "psql", "-XAtq", "-U", role, "-d", "postgres", "-c", question]
        with contextlib.suppress(BackupError):
            if process.run(ask, "Who may dump").strip() == b"t":
                return replace(found, superuser=role)
    raise BackupError(f"Neither {SUPERUSER} nor {owner} is a superuser of {container}, or it does not answer yet.")
