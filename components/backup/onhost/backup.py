"""`backup.sh`: now, daily, before a deploy, and every hour a look at what is missing."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

from components.backup.onhost import engine, scratch
from components.backup.onhost.choose import Chooser, judged
from components.backup.onhost.problem import BackupError
from components.backup.onhost.report import Report
from components.backup.onhost.settings import Settings
from components.backup.onhost.shelf import Shelf, now
from components.backup.onhost.take import EmptyError, Taker, finish
from components.backup.onhost.vault import Vault

DAILY, BEFORE_DEPLOY, MANUAL = "daily", "before-deploy", "manual"
DEPLOY_PATIENCE = 20.0
ANY_MAJOR = 99
LATE = 25 * 3600.0


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", choices=(DAILY, BEFORE_DEPLOY, MANUAL), default=MANUAL, help="why it is made")
    parser.add_argument("--list", action="store_true", help="what there is, here and in the bucket")
    parser.add_argument("--watch", action="store_true", help="catch up on what is missing, and say when it is too old")
    parser.add_argument("--drill", action="store_true", help="restore the newest one out of the bucket, on trial")


def run(settings: Settings, given: argparse.Namespace) -> int:
    work = Backup(settings, Report(settings), Shelf(settings.folder, settings.system))
    if given.list:
        return work.show()
    try:
        with work.shelf.locked():
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
        if engine.live(self.settings.container) is None and not self.shelf.notes():
            self.report.say("There is no database on this server yet: nothing to back up.")
            return 0
        try:
            note = taker.take(reason)
        except EmptyError as error:
            if self.shelf.notes():
                raise
            self.report.say(str(error))
            return 0
        for warning in taker.warnings:
            self.report.tell("warning", warning)
        return self._to_bucket(reason, note.name)

    def _to_bucket(self, reason: str, name: str) -> int:
        deploy = reason == BEFORE_DEPLOY
        try:
            finish(self.settings, self.shelf, DEPLOY_PATIENCE if deploy else self.settings.patience, self.report.say)
        except BackupError as error:
            said = f"{name} was restored on trial and is on the server, but not in the bucket: {error}"
            if not deploy:
                return self.failed(said)
            # A deploy needs a dump that restores; the hourly look brings it to the bucket.
            self.shelf.publish(said)
            self.report.tell("warning", said)
            return 0
        self.shelf.publish("")
        if self.settings.tell_success:
            self.report.tell("info", f"{name} was backed up, restored on trial and read back from the bucket.")
        return 0

    def watch(self) -> int:
        """Each hour: what failed is done again, and silence is not taken for success."""
        if self.shelf.missed(now(), LATE) and engine.live(self.settings.container) is not None:
            self.report.say("The daily backup is missing: it is made now.")
            return self.now(DAILY)
        if self.shelf.pending():
            finish(self.settings, self.shelf, self.settings.patience, self.report.say)
            self.shelf.publish("")
        silent = self.shelf.silence(self.settings.max_age, now())
        return self.failed(silent) if silent else 0

    def drill(self) -> int:
        """Once a month: the bucket alone, as on the day when this server is gone."""
        if self.settings.encrypt_to:
            self.report.tell(
                "warning",
                "The monthly drill needs the key that is not here: `./infra restore --check --identity FILE`.",
            )
            return 0
        started = time.monotonic()
        try:
            live = engine.needed(self.settings.container, self.settings.user)
            path = Chooser(self.settings, self.shelf, self.report.say).from_bucket()
            told = judged(self.settings, path, None, ANY_MAJOR, latest=True)
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
            where = "in the bucket" if note.uploaded_at else "NOT in the bucket yet"
            print(f"{note.name}  {note.bytes:>12}  {note.reason:<14} restored on trial, {where}, and here")
        try:
            listed = Vault(self.settings, self.shelf).listed()
        except BackupError as error:
            print(f"The bucket cannot be listed: {error}")
            return 1
        for each in listed:
            name = each.key.removeprefix(self.settings.prefix)
            if name.removesuffix(".age") not in here:
                print(f"{name}  {each.size:>12}  in the bucket ({each.storage_class})")
        silent = self.shelf.silence(self.settings.max_age, now())
        print(silent or f"{len(here)} here, {len(listed)} in the bucket.")
        return 1 if silent else 0
