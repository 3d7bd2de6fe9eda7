"""A folder that rclone reaches, such as one of OneDrive: what is put there is read back before it counts.

A backup there is two files: itself, and its SHA-256 beside it in the format of sha256sum. The second is written last:
a backup without it is half of one, and is neither listed nor counted.
"""

from __future__ import annotations

import configparser
import datetime
import hashlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from components.backup.onhost import process, s3
from components.backup.onhost.problem import AwayError, BackupError, RefusedError
from components.backup.onhost.s3 import Object
from components.backup.onhost.settings import Drive, Settings
from components.backup.onhost.shelf import NEVER_PRUNED, STAMP, Note, Shelf, bare, iso, now, write

SIDECAR = ".sha256"
LONGEST_SECONDS = 3 * 3600
LOGGED_OUT = ("invalid_grant", "InvalidAuthenticationToken", "unauthenticated", "token expired", "empty token found")
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
AT_ONCE = 5
"""So many go in one run: a clock that is wrong must not empty the remote in one night."""


class Remote:
    """rclone, with a configuration that it may renew its tokens in."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        self.place = drive.remote.rstrip("/")
        self._config = working_copy(drive)

    def path(self, name: str) -> str:
        return f"{self.place}{name}" if self.place.endswith(":") else f"{self.place}/{name}"

    def argv(self, *arguments: str) -> list[str]:
        patience = ["--contimeout", "30s", "--timeout", "5m", "--retries", "1", "--low-level-retries", "3"]
        return ["rclone", "--config", str(self._config), "--log-level", "ERROR", *patience, *arguments]

    def run(self, what: str, *arguments: str, stdin: bytes = b"") -> bytes:
        try:
            return process.run(self.argv(*arguments), what, stdin, LONGEST_SECONDS)
        except BackupError as error:
            raise _judged(error) from None

    def files(self) -> dict[str, int]:
        """Name -> size. A folder that is not there yet is an empty one."""
        try:
            text = self.run(f"{self.place} cannot be listed", "lsjson", "--files-only", "--no-mimetype", self.place)
        except AwayError as error:
            if "directory not found" in str(error):
                return {}
            raise
        listed: list[dict[str, Any]] = json.loads(text)
        return {str(each["Name"]): int(each["Size"]) for each in listed}

    def digest(self, name: str) -> str:
        """Of every byte, read back."""
        seen = hashlib.sha256()
        argv = self.argv("cat", self.path(name))
        try:
            with process.running(argv, f"{name} cannot be read back", stdout=subprocess.PIPE) as reading:
                for piece in process.chunks(process.source(reading)):
                    seen.update(piece)
        except BackupError as error:
            raise _judged(error) from None
        return seen.hexdigest()


def _judged(error: BackupError) -> BackupError:
    """A login that is refused gets no better by waiting."""
    if any(words in str(error) for words in LOGGED_OUT):
        return BackupError(
            f"{error}. The remote refuses the secret rclone_config: renew it (`rclone config reconnect`), set it "
            "again, then `./infra up`."
        )
    return AwayError(str(error))


def working_copy(drive: Drive) -> Path:
    """As the program wrote it last, with the tokens that rclone has renewed since."""
    given, working = Path(drive.config), Path(drive.working)
    try:
        text = given.read_text()
    except OSError:
        raise BackupError(f"There is no {given}: `./infra up` writes it.") from None
    _has_section(text, drive.remote.partition(":")[0])
    mark, digest = working.with_name(f"{working.name}.from"), hashlib.sha256(text.encode()).hexdigest()
    if not working.is_file() or not mark.is_file() or mark.read_text() != digest:
        working.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write(working, text, 0o600)
        write(mark, digest, 0o600)
    return working


def _has_section(text: str, name: str) -> None:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        parser.clear()
    if not parser.has_option(name, "type"):
        raise BackupError(
            f"The secret rclone_config has no section [{name}] with a type: set it to what `rclone config show {name}` "
            "prints, then `./infra up`."
        )


class DriveVault:
    """What vault.Vault is for S3."""

    def __init__(self, settings: Settings, shelf: Shelf, drive: Drive) -> None:
        self.settings, self.shelf, self.remote = settings, shelf, Remote(drive)
        self.kept = drive.kept

    @property
    def place(self) -> str:
        return self.remote.place

    def store(self, note: Note, patience: float) -> Note:
        """Uploaded, compared, read back, and then its checksum beside it. Killed in between, it is done again."""
        path = self.shelf.path(note)
        patiently(lambda: self._put(path, note.sha256), patience)
        return self.shelf.keep(replace(note, object=path.name, uploaded_at=iso(now())))

    def _put(self, path: Path, digest: str) -> None:
        name, there = path.name, self.remote
        files = there.files()
        if name in files and f"{name}{SIDECAR}" in files:
            self._confirm(name, digest)
            return
        there.run(f"{name} cannot be uploaded", "copyto", "--ignore-times", str(path), there.path(name))
        # By the remote's own checksums, where it has any; then by every byte.
        check = ("check", "--one-way", "--include", f"/{name}", str(path.parent), there.place)
        there.run(f"{name} is not what was uploaded", *check)
        self._confirm(name, digest)
        line = f"{digest}  {name}\n".encode()
        there.run("The checksum cannot be uploaded", "rcat", there.path(f"{name}{SIDECAR}"), stdin=line)
        if self._sidecar(name) != digest:
            raise BackupError(f"{there.path(name)}{SIDECAR} is not what was uploaded: it does not count as a backup.")

    def _confirm(self, name: str, digest: str) -> None:
        if self.remote.digest(name) != digest:
            raise BackupError(f"{self.remote.path(name)} is not what was uploaded: it does not count as a backup.")

    def _sidecar(self, name: str) -> str:
        text = self.remote.run("The checksum cannot be read", "cat", self.remote.path(f"{name}{SIDECAR}")).decode()
        digest, _, of = text.strip().partition("  ")
        if of != name or len(digest) != 64:
            raise RefusedError(f"{self.remote.path(name)}{SIDECAR} is no checksum of {name}.")
        return digest

    def listed(self) -> list[Object]:
        """Oldest first, by name; only what has its checksum beside it."""
        files = self.remote.files()
        whole = {name: size for name, size in files.items() if f"{name}{SIDECAR}" in files and self._named(name)}
        return [Object(name, size, "") for name, size in sorted(whole.items())]

    def name_of(self, key: str) -> str:
        return bare(key)

    def _named(self, name: str) -> bool:
        return bool(self.shelf.named.fullmatch(bare(name)))

    def find(self, name: str) -> str | None:
        return next((each.key for each in self.listed() if bare(each.key) == name), None)

    def fetch(self, key: str, target: Path, _say: Callable[[str], None], _wait: bool) -> Path:
        partial = target.with_name(f".{target.name}.partial")
        wanted = self._sidecar(key)
        patiently(lambda: self._download(key, partial), 600)
        if s3.digest_of(partial) != wanted:
            partial.unlink()
            raise RefusedError(f"{self.remote.path(key)} is damaged: it is not what its checksum says.")
        partial.replace(target)
        return target

    def _download(self, key: str, path: Path) -> None:
        path.touch(0o600)
        self.remote.run(f"{key} cannot be fetched", "copyto", "--ignore-times", self.remote.path(key), str(path))

    def expire(self) -> Iterator[str]:
        """What is older than it is kept for, told as it goes: never one of the newest, and only behind a new one that
        was restored and read back."""
        listed = self.listed()
        newest = [note for note in self.shelf.notes() if note.complete][-1:]
        if not newest or not listed or newest[0].object != listed[-1].key:
            return
        last = _moment(listed[-1].key, self.shelf)
        old = [
            each.key
            for each in listed[:-NEVER_PRUNED]
            if (last - _moment(each.key, self.shelf)).total_seconds() > self.kept * 86400
        ]
        for key in old[:AT_ONCE]:
            for name in (key, f"{key}{SIDECAR}"):
                self.remote.run(f"{name} cannot be removed", "deletefile", self.remote.path(name))
            yield f"{key}: older than {self.kept} days, removed from {self.place}"
        if len(old) > AT_ONCE:
            yield f"{len(old) - AT_ONCE} more are older than {self.kept} days: {AT_ONCE} go with each backup"


def _moment(name: str, shelf: Shelf) -> datetime.datetime:
    found = shelf.named.fullmatch(bare(name))
    stamp = found[1] if found else ""
    return datetime.datetime.strptime(stamp, STAMP).replace(tzinfo=datetime.timezone.utc)


def patiently(action: Callable[[], Any], seconds: float) -> None:
    """Again and again while the remote is away."""
    deadline, pause = time.monotonic() + seconds, FIRST_PAUSE
    while True:
        try:
            action()
            return
        except AwayError:
            if time.monotonic() + pause > deadline:
                raise
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
