"""Which backup is meant, and its file on this server."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from components.backup.onhost import dumpfile, s3
from components.backup.onhost.dumpfile import Identity, Manifest
from components.backup.onhost.problem import BackupError, RefusedError
from components.backup.onhost.settings import Settings
from components.backup.onhost.shelf import Shelf, bare, now
from components.backup.onhost.vault import vault

LATEST = "latest"


@dataclass
class Chooser:
    settings: Settings
    shelf: Shelf
    say: Callable[[str], None]
    wait: bool = False

    def file(self, wanted: str) -> Path:
        """`latest`, a name, an address in the bucket, or a file."""
        if wanted == LATEST:
            return self._latest()
        if wanted.startswith("s3://"):
            return self._fetched(self._key(wanted))
        drive = self.settings.drive
        if drive and wanted.startswith(f"{drive.remote}/"):
            return self._fetched(wanted.rpartition("/")[2])
        path = Path(wanted)
        if path.name != wanted or path.is_file():
            return path
        return self._named(bare(wanted))

    def _latest(self) -> Path:
        notes = self.shelf.notes()
        here = notes[-1].name if notes else ""
        try:
            store = vault(self.settings, self.shelf)
            listed = store.listed()
        except BackupError as error:
            if not here:
                raise
            self.say(f"What is elsewhere cannot be asked ({error}): the newest backup on this server is taken.")
            return self._checked(here)
        newest = listed[-1].key if listed else ""
        name = store.name_of(newest)
        if not name and not here:
            raise BackupError(f"There is no backup, neither in {self.shelf.folder} nor in {store.place}.")
        return self._checked(here) if here >= name else self._fetched(newest)

    def from_bucket(self) -> Path:
        """The newest one as another server would get it."""
        store = vault(self.settings, self.shelf)
        listed = store.listed()
        if not listed:
            raise BackupError(f"There is no backup in {store.place}/{self.settings.prefix}.")
        return self._fetched(listed[-1].key)

    def _named(self, name: str) -> Path:
        if not self.shelf.named.fullmatch(name):
            raise BackupError(f"{name} is neither a file nor the name of a backup: `backup.sh --list` names them.")
        if (self.shelf.folder / f"{name}{self.shelf.ending}").is_file():
            return self._checked(name)
        key = vault(self.settings, self.shelf).find(name)
        if key:
            return self._fetched(key)
        raise BackupError(f"There is no backup {name}: `backup.sh --list` names them.")

    def _checked(self, name: str) -> Path:
        """The local copy is the one that was restored on trial."""
        path = self.shelf.folder / f"{name}{self.shelf.ending}"
        note = next((each for each in self.shelf.notes() if each.name == name), None)
        if note is not None and s3.digest_of(path) != note.sha256:
            raise RefusedError(f"{path} has changed since it was written: take {self._elsewhere(name)}.")
        return path

    def _elsewhere(self, name: str) -> str:
        drive = self.settings.drive
        if drive:
            return f"{drive.remote}/{name}{self.shelf.ending}"
        return f"s3://{self.settings.bucket}/{self.settings.prefix}{name}"

    def _key(self, address: str) -> str:
        bucket, _, key = address.removeprefix("s3://").partition("/")
        if bucket != self.settings.bucket:
            raise BackupError(f"The key on this server opens s3://{self.settings.bucket} alone, not {bucket}.")
        return key

    def _fetched(self, key: str) -> Path:
        folder = self.shelf.folder / "fetched"
        folder.mkdir(mode=0o700, exist_ok=True)
        store = vault(self.settings, self.shelf)
        self.say(f"Fetching {store.place}/{key}")
        return store.fetch(key, folder / key.rpartition("/")[2], self.say, self.wait)


def judged(settings: Settings, path: Path, identity: Identity | None, major: int, latest: bool) -> Manifest:
    """Everything that can be known about a file without a database; refused unless all of it is right.

    Settings without a database's name take any: for one elsewhere, as in the rehearsal of a restore.
    """
    told = dumpfile.check(path, identity)
    name = bare(path.name)
    if told.name != name:
        raise RefusedError(f"{path.name} holds the content of {told.name}: it was renamed, or put in its place.")
    if told.system != settings.system:
        raise RefusedError(f"{name} is a backup of {told.system}, and this is {settings.system}.")
    if settings.database and told.database != settings.database:
        raise RefusedError(f"{name} is a backup of the database {told.database}, and this is {settings.database}.")
    if not told.portrait.tables:
        raise RefusedError(f"{name} is a backup of an empty database.")
    if int(told.server.split(".")[0]) > major:
        raise RefusedError(f"{name} comes from PostgreSQL {told.server}, and this server is older ({major}).")
    age = (now() - datetime.datetime.fromisoformat(told.taken)).total_seconds()
    if latest and age > settings.max_age:
        raise RefusedError(
            f"The newest backup, {name}, is {age / 3600:.0f} hours old, which `latest` does not promise: "
            "name it to restore it all the same."
        )
    return told
