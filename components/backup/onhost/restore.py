"""`restore.sh`: a backup becomes the live database, or stands beside it under another name.

Nothing is touched until the restored database is there, whole and migrated; then it takes the live one's name in one
transaction, and the old one is kept under a name of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from components.backup.onhost import clients, process, scratch, source
from components.backup.onhost.choose import LATEST, Chooser, judged
from components.backup.onhost.database import Server
from components.backup.onhost.dumpfile import Check, Lent, Manifest, opened
from components.backup.onhost.engine import Live
from components.backup.onhost.migrate import migrate
from components.backup.onhost.prepare import create_database, create_roles, drop_database, refuse_missing_roles
from components.backup.onhost.problem import BackupError
from components.backup.onhost.report import Report
from components.backup.onhost.settings import Settings
from components.backup.onhost.shelf import NEVER_PRUNED, STAMP, Shelf, now
from components.backup.onhost.swap import swap
from components.backup.onhost.take import EmptyError, Taker

NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
LOADING = "-c synchronous_commit=off -c maintenance_work_mem=128MB"
LONGEST = 63
REASON, ELSEWHERE = "before-restore", "elsewhere"
RESERVED = ("postgres", "template0", "template1")


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("backup", nargs="?", default=LATEST, help="latest (default), a name, s3://BUCKET/KEY or a file")
    parser.add_argument("--into", metavar="DATABASE", help="beside the live database, under this name")
    parser.add_argument("--latest", action="store_const", const=LATEST, dest="backup", help="the newest, as by default")
    parser.add_argument("--identity", type=Path, metavar="FILE", help="private key of an encrypted backup (age, gpg)")
    parser.add_argument("--passphrase", type=Path, metavar="FILE", help="passphrase of that key, if it has one (gpg)")
    parser.add_argument(
        "--address", type=Path, metavar="FILE", help="a database elsewhere: its owner's postgresql:// address"
    )
    parser.add_argument("--wait", action="store_true", help="stay until an archived backup has been fetched back")
    parser.add_argument("--check", action="store_true", help="only look whether the backup is whole and restores")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--without-safety", action="store_true", help="go on when the live database cannot be dumped any more"
    )


def run(settings: Settings, given: argparse.Namespace) -> int:
    report = Report(settings)
    shelf = Shelf.of(settings)
    with shelf.locked():
        work = Restore(settings, report, shelf, given)
        try:
            work.run()
        except BackupError as error:
            report.say(f"Not restored, and {work.database} is as it was: {error}")
            return 1
        if not given.into and not given.check:
            report.tell("warning", f"{work.database} was restored from a backup.")
    return 0


@dataclass
class Restore:
    settings: Settings
    report: Report
    shelf: Shelf
    given: argparse.Namespace

    def __post_init__(self) -> None:
        self.database = self.settings.database
        self.identity = Lent(self.given.identity, self.given.passphrase) if self.given.identity else None

    def run(self) -> None:
        if self.settings.address is None and self.given.address:
            raise BackupError("The database is on this server, and nowhere else: leave out --address.")
        if self.settings.address is None:
            with source.opened(self.settings) as (server, live):
                return self._with(server, live)
        if self.given.check:
            # On the day when the database is gone as well.
            with clients.clients(self.settings.address, clients.owner_of(self.settings)) as (server, live):
                return self._proven(live, clients.own_major(server))
        if self.given.address is None:
            raise BackupError(
                "Whoever dumps this database cannot write to it: give a file with its owner's address "
                "(postgresql://...) with --address, or use `./infra restore`, which lends it."
            )
        login = clients.login(self._lent(self.given.address), self.settings.address)
        self.database = login.database
        with clients.logged_in(login, clients.owner_of(self.settings)) as (server, live):
            clients.same_major(server, "postgres", login.address.image)
            return self._with(server, live)

    def _lent(self, path: Path) -> str:
        try:
            return path.read_text()
        except OSError as error:
            raise BackupError(f"{path} cannot be read: {error.strerror}.") from None

    def _with(self, server: Server, live: Live) -> None:
        into = self.given.into
        major = int(server.ask("postgres", "SHOW server_version_num")) // 10000
        if self.given.check:
            return self._proven(live, major)
        self._sweep(server)
        if into:
            self._refuse_name(server, into)
        path, told = self._chosen(major)
        self._room(told)
        if not into:
            self._confirm(told)
        name = into or self._new_name("new")
        try:
            self._load(server, name, path, told)
            if not into:
                self._take_over(server, live, name)
        except BaseException:
            drop_database(server, name)
            raise
        if path.parent.name == "fetched":
            path.unlink()
        return None

    def _proven(self, live: Live, major: int) -> None:
        path, told = self._chosen(major)
        scratch.proven(self.settings, live, path, told, self.identity)
        self.report.say(f"{told.name} is whole: it was restored on trial, and nothing is missing.")

    def _chosen(self, major: int) -> tuple[Path, Manifest]:
        chooser = Chooser(self.settings, self.shelf, self.report.say, self.given.wait)
        path = chooser.file(self.given.backup)
        own = self.database == self.settings.database
        wanted = self.settings if own else replace(self.settings, database="")
        told = judged(wanted, path, self.identity, major, self.given.backup == LATEST)
        self.report.say(
            f"{told.name}: taken {told.taken}, {len(told.portrait.tables)} tables, {told.portrait.rows} rows"
        )
        return path, told

    def _refuse_name(self, server: Server, into: str) -> None:
        if not NAME.fullmatch(into) or into in RESERVED:
            raise BackupError(
                f"--into {into}: a name has small letters, digits and _, and is not one of PostgreSQL's own."
            )
        if into in server.databases():
            raise BackupError(f"There is a database {into} already: give another name to --into.")

    def _room(self, told: Manifest) -> None:
        if self.settings.address:
            return
        free, wanted = (
            shutil.disk_usage(Path(self.settings.scratch).parent).free,
            told.database_bytes * 3 // 2 + (256 << 20),
        )
        if free < wanted:
            raise BackupError(
                f"The restored database needs {wanted >> 20} MB beside the live one, and {free >> 20} MB are free."
            )

    def _confirm(self, told: Manifest) -> None:
        if self.given.yes:
            return
        of = "its state" if told.database == self.database else f"the state of {told.database}"
        self.report.say(
            f"{self.database} will be replaced by {of} of {told.taken}; what was written since is then "
            "only in the old database, which is kept. Type the name of the database to go on:"
        )
        try:
            typed = input().strip()
        except EOFError:
            typed = ""
        if typed != self.database:
            raise BackupError("The name was not typed.")

    def _load(self, server: Server, name: str, path: Path, told: Manifest) -> None:
        elsewhere = self.settings.address is not None
        if elsewhere:
            refuse_missing_roles(server, told.roles)
        else:
            create_roles(server, told.roles)
        create_database(server, name, told.portrait, mine=elsewhere)
        checking = Check(path.name)
        with opened(path, self.identity) as pieces:
            server.load(name, checking.reading(pieces), "" if elsewhere else LOADING)
        if checking.manifest() != told:
            raise BackupError(f"{path.name} has changed while it was read.")
        scratch.compare(server, name, told)
        self.report.say(f"{told.name}: loaded into {name}, nothing is missing")
        process.run(server.program("vacuumdb", "--analyze-only", "--quiet", "-d", name), "The statistics")

    def _take_over(self, server: Server, engine: Live, name: str) -> None:
        live = self.database
        if migrate(self.settings, name):
            self.report.say("The migrations of the running release are there.")
        if live in server.databases():
            self._safety(server, engine)
        kept = self._new_name("before")
        swap(server, live, name, kept)
        self.report.say(f"{live} is restored. The database as it was is {kept}: drop it when nobody needs it any more.")

    def _safety(self, server: Server, live: Live) -> None:
        """A dump besides the database that is kept: it leaves the server with the next look at the bucket.

        Of another database than this server's own it stays here, and is none of the backups.
        """
        own = self.database == self.settings.database
        shelf = self.shelf if own else Shelf.of(self.settings, ELSEWHERE)
        try:
            Taker(replace(self.settings, database=self.database), shelf, self.report.say).of(server, live, REASON)
            if not own:
                shelf.forget_all_but(NEVER_PRUNED)
                self.report.say(f"What was in {self.database} is in {shelf.folder} as well.")
        except EmptyError:
            self.report.say("The live database is empty: there is nothing to keep.")
        except BackupError as error:
            if not self.given.without_safety:
                raise BackupError(
                    f"the live database cannot be dumped ({error}): --without-safety goes on, and keeps it as it is."
                ) from None
            self.report.say(f"The live database cannot be dumped ({error}); it is kept as it is.")

    def _new_name(self, role: str) -> str:
        ending = f"_{role}_{now().strftime(STAMP)}"
        return self.database[: LONGEST - len(ending)] + ending

    def _sweep(self, server: Server) -> None:
        """What a killed restore left half loaded."""
        half = re.compile(rf"{re.escape(self.database[:40])}.*_new_\d{{8}}_\d{{6}}")
        for name in server.databases():
            if half.fullmatch(name):
                with contextlib.suppress(BackupError):
                    drop_database(server, name)
