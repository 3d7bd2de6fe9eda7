"""`backup.sh`: now, daily, before a deploy, and every hour a look at what is missing."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

from components.backup.onhost import gpg, scratch, source
from components.backup.onhost.choose import Chooser, judged
from components.backup.onhost.problem import AwayError, BackupError
from components.backup.onhost.report import Report
from components.backup.onhost.settings import Settings
from components.backup.onhost.shelf import Shelf, now
from components.backup.onhost.take import EmptyError, Taker, finish
from components.backup.onhost.vault import vault

DAILY, BEFORE_DEPLOY, MANUAL = "daily", "before-deploy", "manual"
DEPLOY_PATIENCE = 20.0
ANY_MAJOR = 99
LATE = 25 * 3600.0
TRIES = "tried"


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", choices=(DAILY, BEFORE_DEPLOY, MANUAL), default=MANUAL, help="why it is made")
    parser.add_argument("--list", action="store_true", help="what there is, here and in the bucket")
    parser.add_argument("--watch", action="store_true", help="catch up on what is missing, and say when it is too old")
    parser.add_argument("--drill", action="store_true", help="restore the newest one out of the bucket, on trial")
    parser.add_argument("--skip-upload", action="store_true", help="a try: it stays here, beside the backups")


def run(settings: Settings, given: argparse.Namespace) -> int:
    work = Backup(settings, Report(settings), Shelf.of(settings))
    if given.list:
        return work.show()
    try:
        with work.shelf.locked():
            if given.skip_upload:
                return work.tried()
            return work.drill() if given.drill else work.watch() if given.watch else work.now(given.reason)
    except BackupError as error:
        return work.failed(str(error))
    except Exception as error:  # whatever it is, somebody has to hear of it
        return work.failed(f"{type(error).__name__}: {error} (a defect of these scripts, or of this server)")


@dataclass
class Backup:
    settings: Settings
    report: Report
    shelf: Shelf

    def now(self, reason: str) -> int:
        taker = Taker(self.settings, self.shelf, self.report.say)
        if not source.exists(self.settings) and not self.shelf.notes():
            self.report.say("There is no database on this server yet: nothing to back up.")
            return 0
        try:
            note = taker.take(reason)
        except EmptyError as error:
            if self.shelf.notes():
                raise
            self.report.say(str(error))
            return 0
        self._tell(taker)
        return self._to_bucket(reason, note.name)

    def _tell(self, taker: Taker) -> None:
        soon = gpg.ends_soon(self.settings.gpg) if self.settings.gpg else ""
        for warning in [*taker.warnings, *([soon] if soon else [])]:
            self.report.tell("warning", warning)
        if taker.alarms:
            self.report.tell("critical", f"Database {self.settings.database}: {' '.join(taker.alarms)}")

    def tried(self) -> int:
        """As a backup is made, and where it would be sealed: but it counts for nothing and goes nowhere."""
        shelf = Shelf.of(self.settings, TRIES)
        taker = Taker(self.settings, shelf, self.report.say)
        note = taker.take(MANUAL)
        shelf.forget_all_but(1)
        for alarm in taker.alarms:
            self.report.say(alarm)
        self.report.say(f"A try: {shelf.path(note)} is whole, and nothing was uploaded.")
        return 1 if taker.alarms else 0

    def _to_bucket(self, reason: str, name: str) -> int:
        deploy = reason == BEFORE_DEPLOY
        try:
            finish(self.settings, self.shelf, DEPLOY_PATIENCE if deploy else self.settings.patience, self.report.say)
        except BackupError as error:
            said = f"{name} was restored on trial and is on the server, but not {self.here}: {error}"
            if not deploy:
                return self.failed(said)
            # A deploy needs a dump that restores; the hourly look brings it to the bucket.
            self.shelf.publish(said)
            self.report.tell("warning", said)
            return 0
        self.shelf.publish("")
        self._expire()
        if self.settings.tell_success:
            place = self.settings.drive.remote if self.settings.drive else "the bucket"
            self.report.tell("info", f"{name} was backed up, restored on trial and read back from {place}.")
        return 0

    def _expire(self) -> None:
        """Old ones elsewhere go when a new one counts, and at no other time."""
        try:
            for line in vault(self.settings, self.shelf).expire():
                self.report.say(line)
        except AwayError as error:
            self.report.tell("warning", f"Old backups are not removed: {error}")

    @property
    def here(self) -> str:
        return "on the remote" if self.settings.drive else "in the bucket"

    def watch(self) -> int:
        """Each hour: what failed is done again, and silence is not taken for success."""
        if self.shelf.missed(now(), LATE) and source.exists(self.settings):
            self.report.say("The daily backup is missing: it is made now.")
            return self.now(DAILY)
        if self.shelf.pending():
            finish(self.settings, self.shelf, self.settings.patience, self.report.say)
            self.shelf.publish("")
        silent = self.shelf.silence(self.settings.max_age, now())
        return self.failed(silent) if silent else 0

    def drill(self) -> int:
        """Once a month: the bucket alone, as on the day when this server is gone."""
        if self.settings.sealed:
            self.report.tell(
                "warning",
                "The monthly drill needs the key that is not here: `./infra restore --check --identity FILE`.",
            )
            return 0
        started = time.monotonic()
        try:
            path = Chooser(self.settings, self.shelf, self.report.say).from_bucket()
            told = judged(self.settings, path, None, ANY_MAJOR, latest=True)
            with source.opened(self.settings) as (_, live):
                scratch.proven(self.settings, live, path, told)
            path.unlink()
        except BackupError as error:
            self.report.tell("critical", f"Drill: {error}")
            return 1
        took = f"{time.monotonic() - started:.0f} s"
        self.report.say(f"Drill: {told.name}, {told.portrait.rows} rows, out of the bucket and restored in {took}")
        return 0

    def failed(self, why: str) -> int:
        self.shelf.publish(why)
        self.report.tell("critical", f"Backup of {self.settings.database}: {why}")
        return 1

    def show(self) -> int:
        here = {note.name: note for note in self.shelf.notes()}
        for note in here.values():
            where = self.here if note.uploaded_at else f"NOT {self.here} yet"
            print(f"{note.name}  {note.bytes:>12}  {note.reason:<14} restored on trial, {where}, and here")
        try:
            store = vault(self.settings, self.shelf)
            listed = store.listed()
        except BackupError as error:
            print(f"What is {self.here} cannot be listed: {error}")
            return 1
        for each in listed:
            if store.name_of(each.key) not in here:
                of = f" ({each.storage_class})" if each.storage_class else ""
                print(f"{each.key.removeprefix(self.settings.prefix)}  {each.size:>12}  {self.here}{of}")
        silent = self.shelf.silence(self.settings.max_age, now())
        print(silent or f"{len(here)} here, {len(listed)} {self.here}.")
        return 1 if silent else 0
