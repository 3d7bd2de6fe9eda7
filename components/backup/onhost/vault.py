"""The bucket: what is put there is read back and compared before it counts, and nothing in it is ever replaced."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from components.backup.onhost import process, s3
from components.backup.onhost.drive import DriveVault
from components.backup.onhost.problem import BackupError, RefusedError
from components.backup.onhost.s3 import Bucket, Object, S3Error
from components.backup.onhost.settings import Settings
from components.backup.onhost.shelf import Note, Shelf, bare, iso, now

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
T = TypeVar("T")


def bucket(settings: Settings) -> Bucket:
    try:
        key = json.loads(Path(settings.key_file).read_text())
        id, secret = key["id"], key["secret"]
    except (OSError, ValueError, KeyError):
        raise BackupError(f"There is no key for S3 in {settings.key_file}: `./infra up` writes it.") from None
    endpoint = settings.endpoint or os.environ.get("AWS_ENDPOINT_URL_S3")
    return Bucket(settings.bucket, settings.region, id, secret, endpoint)


def patiently(action: Callable[[], T], seconds: float) -> T:
    """Again and again while S3 is away or busy; a wrong key is told at once."""
    deadline, pause = time.monotonic() + seconds, FIRST_PAUSE
    while True:
        try:
            return action()
        except S3Error as error:
            if error.wrong_key:
                raise BackupError(f"{error}. Has the key of the bucket been changed? `./infra up` writes it.") from None
            if not error.temporary or time.monotonic() + pause > deadline:
                raise
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def vault(settings: Settings, shelf: Shelf) -> Vault | DriveVault:
    """Where the backups of these settings go."""
    return DriveVault(settings, shelf, settings.drive) if settings.drive else Vault(settings, shelf)


class Vault:
    def __init__(self, settings: Settings, shelf: Shelf) -> None:
        self.settings, self.shelf, self.bucket = settings, shelf, bucket(settings)

    def store(self, note: Note, patience: float) -> Note:
        """Uploaded, read back, and then complete. A run that was killed in between goes on here."""
        wanted = f"{self.settings.prefix}{note.name}{'.age' if self.settings.encrypt_to else ''}"
        if note.object != wanted:
            note = self.shelf.keep(replace(note, object=wanted, identity=self._new_identity()))
        with self._as_uploaded(note) as path:
            patiently(lambda: self._put(note, path), patience)
        patiently(lambda: self._confirm(note), patience)
        return self.shelf.keep(replace(note, identity="", uploaded_at=iso(now())))

    def _put(self, note: Note, path: Path) -> None:
        about = {"taken": note.taken, "bytes": str(path.stat().st_size), "sha256": s3.digest_of(path)}
        about |= {"dump-bytes": str(note.bytes), "reason": note.reason}
        try:
            self.bucket.put(note.object, path, about)
        except S3Error as error:
            # An earlier try whose answer was lost: what lies there is compared like any other.
            if error.status != 412:
                raise

    def _confirm(self, note: Note) -> None:
        """Every byte, out of the bucket, decrypted where it is encrypted, is what was restored."""
        digest = hashlib.sha256()
        with self.bucket.get(note.object) as answer, tempfile.NamedTemporaryFile(dir=runtime()) as key:
            if not note.identity:
                for piece in s3.whole(answer):
                    digest.update(piece)
            else:
                key.write(note.identity.encode())
                key.flush()
                for piece in decrypted(s3.whole(answer), Path(key.name), self.shelf.folder):
                    digest.update(piece)
        if digest.hexdigest() != note.sha256:
            raise BackupError(
                f"s3://{self.bucket.name}/{note.object} is not what was uploaded: it does not count as a backup."
            )

    def _new_identity(self) -> str:
        """Of a key for this one object: the server has no other that could read what it encrypts."""
        if not self.settings.encrypt_to:
            return ""
        return process.run(["age-keygen"], "age-keygen").decode()

    @contextlib.contextmanager
    def _as_uploaded(self, note: Note) -> Iterator[Path]:
        plain = self.shelf.path(note)
        if not note.identity or not self.settings.encrypt_to:
            yield plain
            return
        recipient = process.run(["age-keygen", "-y"], "age-keygen", note.identity.encode()).decode().strip()
        path = plain.with_name(f".{plain.name}.age.partial")
        try:
            argv = ["age", "--recipient", self.settings.encrypt_to, "--recipient", recipient, "--output", str(path)]
            process.run([*argv, str(plain)], "The backup cannot be encrypted")
            yield path
        finally:
            path.unlink(missing_ok=True)

    def listed(self) -> list[Object]:
        """Oldest first, by name."""
        found = self.bucket.list(self.settings.prefix)
        return sorted((each for each in found if self._is_backup(each.key)), key=lambda each: each.key)

    @property
    def place(self) -> str:
        return f"s3://{self.bucket.name}"

    def name_of(self, key: str) -> str:
        return bare(key.removeprefix(self.settings.prefix))

    def find(self, name: str) -> str | None:
        return next((each.key for each in self.bucket.list(self.settings.prefix + name)), None)

    def expire(self) -> Iterator[str]:
        """Only the bucket's lifecycle deletes: the key that is here cannot."""
        return iter(())

    def _is_backup(self, key: str) -> bool:
        return bool(self.shelf.named.fullmatch(self.name_of(key)))

    def fetch(self, key: str, target: Path, say: Callable[[str], None], wait: bool) -> Path:
        """Out of the bucket into a file; out of the archive, if need be, in two goes."""
        about = patiently(lambda: self.bucket.head(key), 60)
        if about.archived:
            self._from_archive(about, say, wait)
        partial = target.with_name(f".{target.name}.partial")
        patiently(lambda: self._download(key, partial), 600)
        digest = s3.digest_of(partial)
        if about.metadata.get("sha256", digest) != digest:
            partial.unlink()
            raise RefusedError(f"s3://{self.bucket.name}/{key} is damaged: it is not what was uploaded.")
        partial.replace(target)
        return target

    def _download(self, key: str, path: Path) -> None:
        with self.bucket.get(key) as answer, path.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            for piece in s3.whole(answer):
                file.write(piece)

    def _from_archive(self, about: Object, say: Callable[[str], None], wait: bool) -> None:
        if not about.coming:
            self.bucket.retrieve(about.key)
            say(f"{about.key} is in the archive ({about.storage_class}): S3 has been asked for it.")
        if not wait:
            raise BackupError(
                f"{about.key} is on its way out of the archive, which takes up to 5 hours (12 from DEEP_ARCHIVE): "
                "the same command goes on when it is there; --wait stays until then."
            )
        say("It takes up to 5 hours (12 from DEEP_ARCHIVE); this waits and looks every minute.")
        while self.bucket.head(about.key).archived:
            time.sleep(LONGEST_PAUSE if wait else 0)


def decrypted(pieces: Iterator[bytes], identity: Path, folder: Path) -> Iterator[bytes]:
    """Through a file: age reads to the end before it is asked, and two pipes at once can wait for each other."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".partial") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        argv = ["age", "--decrypt", "--identity", str(identity), file.name]
        with process.running(argv, "What lies in the bucket cannot be decrypted", stdout=subprocess.PIPE) as opening:
            yield from process.chunks(process.source(opening))


def runtime() -> str:
    """In memory where that is possible: a key is written there for a moment."""
    return "/run" if os.access("/run", os.W_OK) else tempfile.gettempdir()
