"""A throw-away server of the live one's version: a backup counts when it was restored there, and nothing is missing."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from components.backup.onhost import portrait, process
from components.backup.onhost.database import Server
from components.backup.onhost.dumpfile import Check, Identity, Manifest, opened
from components.backup.onhost.engine import Live
from components.backup.onhost.portrait import OTHER_CONTENT, OTHER_SCHEMA
from components.backup.onhost.prepare import create_database, create_roles
from components.backup.onhost.problem import BackupError
from components.backup.onhost.settings import Settings

LABEL = "neurmatic.backup.trial"
DATABASE = "check_restored"
START_SECONDS = 120
# It is thrown away: nothing has to survive a power cut.
CARELESS = (
    *("fsync=off", "synchronous_commit=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0"),
    *("autovacuum=off", "shared_buffers=96MB", "maintenance_work_mem=128MB", "max_wal_size=512MB"),
)


def proven(settings: Settings, live: Live, path: Path, told: Manifest, identity: Identity | None = None) -> None:
    """The file is read, unpacked, loaded and compared with what was in the database when it was taken."""
    checking = Check(path.name)
    with server(settings, live) as there:
        create_roles(there, told.roles)
        create_database(there, DATABASE, told.portrait)
        with opened(path, identity) as pieces:
            there.load(DATABASE, checking.reading(pieces))
        if checking.manifest() != told:
            raise BackupError(f"{path.name} says something else of itself than when it was written.")
        compare(there, DATABASE, told)


def compare(server: Server, database: str, told: Manifest) -> None:
    with server.session(database) as session:
        found = portrait.of(server, session)
        version = session.ask("SELECT pg_catalog.current_setting('server_version')")[0]
    reasons = comparable(portrait.differences(told.portrait, found), told.server, version)
    if reasons:
        more = f" (and {len(reasons) - 3} more)" if len(reasons) > 3 else ""
        raise BackupError(f"{told.name} was restored, but {'; '.join(reasons[:3])}{more}.")


def comparable(reasons: list[str], then: str, now: str) -> list[str]:
    """Another version writes the same schema in other words, and another major one the same values: what it cannot
    compare must not stand in the way of a restore."""
    if then == now:
        return reasons
    same_major = then.split(".", maxsplit=1)[0] == now.split(".", maxsplit=1)[0]
    return [each for each in reasons if each != OTHER_SCHEMA and (same_major or not each.endswith(OTHER_CONTENT))]


@contextlib.contextmanager
def server(settings: Settings, live: Live) -> Iterator[Server]:
    """No network, no capability, a limit of memory, and nothing left of it afterwards."""
    sweep(settings)
    folder = Path(settings.scratch) / "data"
    user, _, group = live.user.partition(":")
    Path(settings.scratch).mkdir(parents=True, exist_ok=True, mode=0o711)
    folder.mkdir(mode=0o700)
    os.chown(folder, int(user), int(group or user))
    try:
        container = process.run(_command(settings, live, folder), "The throw-away server").decode().strip()
        there = Server(container, live.superuser)
        _wait(there)
        yield there
    finally:
        sweep(settings)


def _command(settings: Settings, live: Live, folder: Path) -> list[str]:
    user, _, group = live.user.partition(":")
    memory = f"uid={user},gid={group or user}"
    fence = ["--network", "none", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    size = ["--memory", f"{settings.scratch_memory}m", "--memory-swap", f"{settings.scratch_memory}m"]
    place = ["--user", live.user, "--volume", f"{folder}:/var/lib/postgresql/data"]
    place += ["--tmpfs", f"/var/run/postgresql:{memory}", "--tmpfs", f"/tmp:{memory}"]  # noqa: S108 (in the container)
    variables = {
        "POSTGRES_USER": live.superuser,
        # Nobody but this script reaches it: it has no network.
        "POSTGRES_HOST_AUTH_METHOD": "trust",
        "POSTGRES_INITDB_ARGS": "--no-sync",
        "PGDATA": "/var/lib/postgresql/data/pgdata",
    }
    given = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    given += ["--cgroup-parent", settings.slice] if settings.slice else []
    careless = [word for each in CARELESS for word in ("-c", each)]
    run = ["docker", "run", "--detach", "--label", f"{LABEL}={settings.scratch}"]
    return [*run, *fence, *size, *place, *given, live.image, "postgres", *careless]


def _wait(server: Server) -> None:
    """Over TCP: while the first start prepares the folder, only the socket answers."""
    ready = server.program("pg_isready", "-q", "-h", "127.0.0.1")
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            process.run(ready, "The throw-away server")
            return
        except BackupError:
            if time.monotonic() > deadline:
                said = process.run(["docker", "logs", "--tail", "3", server.container], "Its log").decode()
                raise BackupError(f"The throw-away server does not start: {said.strip()[-300:]}") from None
            time.sleep(0.2)


def sweep(settings: Settings) -> None:
    """Also what a killed run left behind."""
    listed = process.run(
        ["docker", "ps", "--all", "--quiet", "--filter", f"label={LABEL}={settings.scratch}"], "Docker on this server"
    )
    for container in listed.decode().split():
        with contextlib.suppress(BackupError):
            process.run(["docker", "rm", "--force", "--volumes", container], "The throw-away server")
    shutil.rmtree(Path(settings.scratch) / "data", ignore_errors=True)
