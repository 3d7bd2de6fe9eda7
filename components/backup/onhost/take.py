"""A backup: dumped and described at one snapshot, restored on trial, uploaded, read back. Then it counts."""

from __future__ import annotations

import datetime
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from components.backup.onhost import dumpfile, gpg, guards, portrait, process, s3, scratch, source
from components.backup.onhost.database import APPLICATION, Server, Session
from components.backup.onhost.dumpfile import Manifest
from components.backup.onhost.engine import Live
from components.backup.onhost.portrait import Portrait
from components.backup.onhost.prepare import about_roles, size_of
from components.backup.onhost.problem import AwayError, BackupError
from components.backup.onhost.settings import Settings
from components.backup.onhost.shelf import CLEAR, Note, Shelf, iso, now
from components.backup.onhost.vault import vault

ROOM = 64 << 20
ROLES_IN_USE = """
SELECT DISTINCT r.rolname FROM pg_catalog.pg_shdepend d JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid,
  pg_catalog.pg_database here
WHERE here.datname = pg_catalog.current_database() AND d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
  AND (d.dbid = here.oid OR (d.classid = 'pg_catalog.pg_database'::pg_catalog.regclass AND d.objid = here.oid))"""
WHEN_AND_WHAT = "SELECT pg_catalog.now(), pg_catalog.current_setting('server_version')"
LEFTOVERS = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "  # noqa: S608 (a constant)
    f"WHERE application_name = '{APPLICATION}' AND pid <> pg_backend_pid()"
)


@dataclass
class Taker:
    settings: Settings
    shelf: Shelf
    say: Callable[[str], None]
    warnings: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    """What is wrong with the database itself: its backups are good all the same."""

    def take(self, reason: str) -> Note:
        """Dumped and restored on trial; what follows is the bucket."""
        with source.opened(self.settings) as (server, live):
            note = self.of(server, live, reason)
            if self.settings.guarded:
                self.alarms += guards.findings(server, self.settings.database, self.settings.guarded)
            return note

    def of(self, server: Server, live: Live, reason: str) -> Note:
        # A run that was killed may have left a dump at work.
        server.ask("postgres", LEFTOVERS)
        self._room(server)
        name, back = self.shelf.next_name(now())
        if back:
            self.warnings.append(f"The clock of this server has gone back: {name} is named after the newest backup.")
        path = self._place() / name
        try:
            told = self.dump(server, path, reason)
            self.say(
                f"{name}: {path.stat().st_size} bytes, {len(told.portrait.tables)} tables, {told.portrait.rows} rows"
            )
            scratch.proven(self.settings, live, path, told)
            self.say(f"{name}: restored on trial, nothing is missing")
            path = self._sealed(path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return self.shelf.keep(
            Note(name, told.taken, reason, path.stat().st_size, s3.digest_of(path), verified_at=iso(now()))
        )

    def _place(self) -> Path:
        """In the clear a backup that will be sealed lies where the next job sweeps, should this one be killed."""
        if self.settings.gpg is None:
            return self.shelf.folder
        folder = Path(self.settings.folder, CLEAR)
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def _sealed(self, path: Path) -> Path:
        """Where the database is elsewhere, so is whoever may read it: in the clear it is here for minutes."""
        if self.settings.gpg is None:
            return path
        target = self.shelf.folder / f"{path.name}{gpg.ENDING}"
        gpg.seal(self.settings.gpg, path, target)
        path.unlink()
        self.say(f"{path.name}: sealed to {self.settings.gpg.fingerprint}, opened again and compared")
        return target

    def _room(self, server: Server) -> None:
        """A full disk would stop the database itself: so it is asked for before."""
        size = size_of(server, self.settings.database)
        Path(self.settings.scratch).mkdir(parents=True, exist_ok=True, mode=0o711)
        for place, wanted in (
            (self.settings.folder, (size if self.settings.gpg else size // 2) + ROOM),
            (self.settings.scratch, 2 * size + 8 * ROOM),
        ):
            free = shutil.disk_usage(place).free
            if free < wanted:
                raise BackupError(
                    f"{place} has {free >> 20} MB free and a backup needs {wanted >> 20} MB: make room, or shorten "
                    "backup.local_kept."
                )

    def dump(self, server: Server, path: Path, reason: str) -> Manifest:
        with server.session(self.settings.database) as session:
            snapshot = session.snapshot()
            taken, version = session.ask(WHEN_AND_WHAT)[0].split("|")
            roles = role_statements(server, session if self.settings.address else None)
            size = size_of(server, self.settings.database)
            # Read before the dump can have read them: they are in no snapshot, and only go on.
            seen = Seen(server, session, snapshot, portrait.sequences_of(session))
            seen.start()

            def manifest(digest: str, length: int) -> Manifest:
                return Manifest(
                    format=dumpfile.FORMAT,
                    name=path.name,
                    system=self.settings.system,
                    database=self.settings.database,
                    reason=reason,
                    taken=utc(taken),
                    server=version,
                    database_bytes=size,
                    sql_bytes=length,
                    sql_sha256=digest,
                    roles=roles,
                    portrait=seen.result(),
                )

            argv = server.program("pg_dump", "--no-tablespaces", f"--snapshot={snapshot}", "-d", self.settings.database)
            return dumpfile.write(argv, path, self.settings.compression, manifest)


class Seen(threading.Thread):
    """The database is described while it is dumped: both see the same snapshot."""

    def __init__(self, server: Server, session: Session, snapshot: str, sequences: Mapping[str, list[int]]) -> None:
        super().__init__(daemon=True)
        self._of = (server, session, snapshot, sequences)
        self._result: Portrait | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._result = portrait.of(*self._of)
        except BaseException as error:  # raised where the result is asked for
            self._error = error

    def result(self) -> Portrait:
        self.join()
        if self._result is None:
            raise self._error or BackupError("The database could not be described.")
        if not self._result.tables:
            raise EmptyError(f"The database {self._of[1].database} has no table: there is nothing to back up yet.")
        return self._result


class EmptyError(BackupError):
    """Before the first migration; afterwards it is an alarm."""


def role_statements(server: Server, database: Session | None = None) -> list[str]:
    """Without passwords: the stack's state has them, and a dump must not hand out what opens the database.

    `database`: those alone that something in it belongs to or is granted to. The others are the provider's.
    """
    argv = server.program("pg_dumpall", "--globals-only", "--no-role-passwords")
    lines = process.run(argv, "The roles").decode().splitlines()
    statements = [line for line in lines if line.startswith(("CREATE ROLE", "ALTER ROLE", "GRANT"))]
    return statements if database is None else about_roles(statements, database.ask(ROLES_IN_USE))


def utc(text: str) -> str:
    """PostgreSQL writes +00 where Python 3.10 wants +00:00."""
    return iso(datetime.datetime.strptime(text[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=datetime.timezone.utc))


def finish(settings: Settings, shelf: Shelf, patience: float, say: Callable[[str], None]) -> None:
    """Everything that is not in the bucket yet, oldest first; then old local copies go."""
    pending, failed = shelf.pending(), []
    for note in pending:
        try:
            store = vault(settings, shelf)
            stored = store.store(note, patience)
            say(f"{note.name}: {store.place}/{stored.object}, read back and compared")
        except AwayError:
            raise
        except BackupError as error:
            # One that is not right in the bucket must not keep the others from it.
            failed.append(str(error))
    if failed:
        raise BackupError(" ".join(failed))
    for gone in shelf.prune(settings.local_kept, now().timestamp()):
        say(f"{gone}: the local copy is older than {settings.local_kept} days and has been removed")
