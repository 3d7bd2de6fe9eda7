"""The newest backup in the bucket, seen from the operator's machine: it only lists."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from components.backup.onhost.problem import BackupError
from components.backup.onhost.s3 import Bucket
from neurmatic.settings import NeurmaticSettings
from ops.drill.lost import DUMPS, key_of
from ops.drill.steps import spoken
from ops.errors import OperatorError

ENDPOINT = "AWS_ENDPOINT_URL_S3"
NAME = re.compile(r"(?P<name>[a-z]+_(?P<stamp>\d{8}_\d{6})\.sql\.gz)(?P<sealed>\.age)?")


@dataclass(frozen=True)
class Backup:
    name: str
    taken: datetime
    bytes: int
    encrypted: bool
    archived: bool

    @property
    def size(self) -> str:
        return f"{self.bytes / 1e6:.1f} MB" if self.bytes >= 1e6 else f"{self.bytes / 1e3:.1f} kB"


def backups(settings: NeurmaticSettings, state: Mapping[str, Any], endpoint: str | None = None) -> list[Backup]:
    """Oldest first, by the key that the server had: nobody's own account is needed."""
    key, place = key_of(state, DUMPS), settings.storage.backups
    if key is None:
        raise OperatorError(f"The state has no key for the backups in s3://{place.name}: it is older than they are.")
    bucket = Bucket(place.name, settings.storage.region, *key, endpoint or os.environ.get(ENDPOINT))
    try:
        listed = list(bucket.list(place.prefix))
    except BackupError as error:
        raise OperatorError(
            f"The backups in s3://{place.name}/{place.prefix} cannot be listed: {error}. Was the key rotated after the "
            "envelope was written? Then take a newer envelope."
        ) from None
    found = []
    for each in listed:
        match = NAME.fullmatch(each.key.removeprefix(place.prefix))
        if match and match["name"].startswith(f"{settings.PROJECT}_"):
            taken = datetime.strptime(match["stamp"], "%Y%m%d_%H%M%S").replace(tzinfo=timezone.utc)
            found.append(Backup(match["name"], taken, each.size, bool(match["sealed"]), each.archived))
    return sorted(found, key=lambda backup: backup.name)


def chosen(found: Sequence[Backup], settings: NeurmaticSettings, wanted: str | None, now: datetime) -> Backup:
    """The newest, if it is young enough; a named one, whatever its age."""
    where = f"s3://{settings.storage.backups.name}/{settings.storage.backups.prefix}"
    if not found:
        raise OperatorError(f"There is no backup of {settings.PROJECT} in {where}: there is nothing to recover from.")
    if wanted:
        named = [each for each in found if each.name == wanted.removesuffix(".age")]
        if not named:
            last = ", ".join(each.name for each in found[-3:])
            raise OperatorError(f"There is no backup {wanted} in {where}; the last ones are {last}.")
        return named[0]
    newest = found[-1]
    age = (now - newest.taken).total_seconds()
    if age > settings.backup.max_age:
        raise OperatorError(
            f"The newest backup in {where}, {newest.name}, is {spoken(age)} old, and backup.max_age allows "
            f"{spoken(settings.backup.max_age)}: `--backup {newest.name}` takes it all the same."
        )
    return newest


def needs_key(backup: Backup, identity: Path | None) -> None:
    if backup.encrypted and identity is None:
        raise OperatorError(f"{backup.name} is encrypted: --backup-identity names the file of its private key (age).")
    if identity is not None and not identity.is_file():
        raise OperatorError(f"There is no file {identity}: --backup-identity names the private key of the backups.")
