"""Backups on the server: each with a note of how far it has come, and the status that health checks read."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from components.backup.onhost.problem import BackupError
from components.backup.onhost.settings import Settings

STAMP = "%Y%m%d_%H%M%S"
LOCK_SECONDS = 3600.0
NEVER_PRUNED = 3
AHEAD_SECONDS = 300


@dataclass(frozen=True)
class Note:
    name: str
    """neurmatic_20260101_020000.sql.gz, without what a seal adds"""
    taken: str
    reason: str
    bytes: int
    sha256: str
    verified_at: str
    uploaded_at: str = ""
    """When what lies in the bucket had been read back and compared. Empty: not yet."""
    object: str = ""
    identity: str = ""
    """A key for reading back this one, until that has happened."""

    @property
    def complete(self) -> bool:
        return bool(self.verified_at and self.uploaded_at)


CLEAR = ".clear"
ENDINGS = (".age", ".gpg")


def bare(name: str) -> str:
    """The name that a backup has, however it is sealed."""
    return next((name.removesuffix(each) for each in ENDINGS if name.endswith(each)), name)


class Shelf:
    def __init__(self, folder: str, system: str, ending: str = "") -> None:
        """`ending`: of backups that are sealed here already."""
        self.folder, self.system, self.ending = Path(folder), system, ending
        self.named = re.compile(rf"{re.escape(system)}_(\d{{8}}_\d{{6}})\.sql\.gz")

    @classmethod
    def of(cls, settings: Settings, folder: str = "") -> Shelf:
        """The server's own; or another one, for what is no backup of its database."""
        place = Path(settings.folder, folder)
        place.mkdir(parents=True, exist_ok=True)
        return cls(str(place), settings.system, ".gpg" if settings.gpg else "")

    @contextlib.contextmanager
    def locked(self, seconds: float = LOCK_SECONDS) -> Iterator[None]:
        """One job at a time: a second one waits for the first."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as handle:
            deadline = time.monotonic() + seconds
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise BackupError(f"Another backup or restore has been at work for {seconds:.0f} s.") from None
                    time.sleep(0.5)
            for partial in self.folder.glob(".*.partial"):
                partial.unlink(missing_ok=True)
            shutil.rmtree(self.folder / CLEAR, ignore_errors=True)
            yield

    def notes(self) -> list[Note]:
        """Oldest first; a note without its dump counts for nothing."""
        found = [self._read(path) for path in sorted(self.folder.glob(f"{self.system}_*.json"))]
        return [note for note in found if note is not None and self.path(note).is_file()]

    def _read(self, path: Path) -> Note | None:
        known = {each.name for each in fields(Note)}
        try:
            return Note(**{key: value for key, value in json.loads(path.read_text()).items() if key in known})
        except (OSError, ValueError, TypeError):
            return None

    def keep(self, note: Note) -> Note:
        write(self.folder / f"{note.name.removesuffix('.sql.gz')}.json", json.dumps(asdict(note), indent=2), 0o600)
        return note

    def path(self, note: Note) -> Path:
        return self.folder / f"{note.name}{self.ending}"

    def next_name(self, now: datetime.datetime) -> tuple[str, bool]:
        """Later than every other name, also when the clock has gone back: then, true."""
        stamps = [found[1] for path in self.folder.iterdir() if (found := self.named.fullmatch(bare(path.name)))]
        newest = max(stamps, default="")
        stamp, back = now.strftime(STAMP), False
        if newest and stamp <= newest:
            last = datetime.datetime.strptime(newest, STAMP).replace(tzinfo=datetime.timezone.utc)
            back = (last - now).total_seconds() > 1
            stamp = (last + datetime.timedelta(seconds=1)).strftime(STAMP)
        return f"{self.system}_{stamp}.sql.gz", back

    def prune(self, days: int, now: float) -> list[str]:
        """Old local copies, if they lie in the bucket; the newest ones stay, whatever the clock says."""
        gone = []
        for note in self.notes()[:-NEVER_PRUNED]:
            path = self.path(note)
            if note.complete and path.stat().st_mtime < now - days * 86400:
                self._forget(note)
                gone.append(note.name)
        return gone

    def forget_all_but(self, newest: int) -> None:
        for note in self.notes()[:-newest]:
            self._forget(note)

    def _forget(self, note: Note) -> None:
        self.path(note).unlink()
        (self.folder / f"{note.name.removesuffix('.sql.gz')}.json").unlink(missing_ok=True)

    def pending(self) -> list[Note]:
        return [note for note in self.notes() if not note.uploaded_at]

    def publish(self, error: str) -> None:
        """What a health check reads: the newest backup that counts, and what went wrong since."""
        whole = [note for note in self.notes() if note.complete]
        last = whole[-1] if whole else None
        status = {
            "last_success": last.taken if last else "",
            "last_verified": last.verified_at if last else "",
            "verified": last is not None,
            "name": last.name if last else "",
            "error": error,
            "pending": [note.name for note in self.pending()],
        }
        write(self.folder / "status.json", json.dumps(status, indent=2) + "\n", 0o644)

    def error(self) -> str:
        try:
            return str(json.loads((self.folder / "status.json").read_text())["error"])
        except (OSError, ValueError, KeyError):
            return ""

    def since(self) -> datetime.datetime:
        """When backups were set up here: before the first one is due, its absence is no alarm."""
        mark = self.folder / ".since"
        if not mark.exists():
            write(mark, "", 0o600)
        return datetime.datetime.fromtimestamp(mark.stat().st_mtime, datetime.timezone.utc)

    def missed(self, now: datetime.datetime, period: float) -> bool:
        """Nothing was dumped for longer than the schedule has it: a run failed, or was killed."""
        notes = self.notes()
        last = datetime.datetime.fromisoformat(notes[-1].taken) if notes else self.since()
        return (now - last).total_seconds() > period

    def silence(self, longest: int, now: datetime.datetime) -> str:
        """Why nobody should feel safe; empty if the newest backup that counts is young enough."""
        whole = [note for note in self.notes() if note.complete]
        if not whole:
            alone = (now - self.since()).total_seconds() > longest
            return "There is no backup that was restored and lies in the bucket." if alone else ""
        age = (now - datetime.datetime.fromisoformat(whole[-1].taken)).total_seconds()
        if age < -AHEAD_SECONDS:
            return f"The newest backup {whole[-1].name} is from the future: compare the server's clock."
        if age > longest:
            return f"The newest good backup, {whole[-1].name}, is {age / 3600:.0f} hours old."
        return ""


def write(path: Path, text: str, mode: int) -> None:
    """The old content or the new one, never half of it."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def iso(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.timezone.utc).isoformat(timespec="seconds")


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)
