"""What the program tells the scripts: one file beside them, written by the converge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from components.backup.onhost.problem import BackupError


@dataclass(frozen=True)
class Migration:
    """How the application brings a database to its release (components/containers/migration.py)."""

    network: str
    user: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    secrets: str
    """The folder of the backend's secret files."""
    mounted: str
    """Where a container sees them."""
    memory: int
    cpus: float


@dataclass(frozen=True)
class Address:
    """A database elsewhere, reached with TLS."""

    host: str
    port: int
    user: str
    """Who dumps: reads everything, and writes nothing."""
    ssl_mode: str
    authority: str
    """File of the certificates that may have signed the server's."""
    password: str
    """A file as libpq reads it (pgpass)."""
    image: str
    """Where the client tools come from, and the throw-away server: PostgreSQL of the database's own version."""
    memory: int = 256


@dataclass(frozen=True)
class Drive:
    """A folder that rclone reaches."""

    remote: str
    """onedrive:neuropilot-backups"""
    config: str
    """The rclone.conf that the program writes."""
    working: str
    """A copy that rclone may write to: it keeps renewed tokens there."""
    kept: int
    """How long backups stay there, in days."""


@dataclass(frozen=True)
class Gpg:
    """Backups leave memory encrypted, also on this server."""

    fingerprint: str
    key: str
    """File of the public key."""


@dataclass(frozen=True)
class Guarded:
    """What must be true of the database besides its content: components/backup/onhost/guards.py."""

    tables: tuple[str, ...]
    log: str
    """The table that only grows."""
    variables: tuple[str, ...]
    """What the policies look at."""
    app: str
    migrator: str


@dataclass(frozen=True)
class Settings:
    system: str
    """What names begin with: neurmatic_20260101_020000.sql.gz."""
    database: str
    user: str
    """Whose the database is, or who dumps it where it is elsewhere."""
    folder: str
    """Local copies, their notes, and status.json."""
    scratch: str
    """Where a throw-away server keeps its data while a backup is tried."""
    log: str
    notify: str
    container: str = ""
    """The container of the live database; or `address`."""
    address: Address | None = None
    bucket: str = ""
    """Where backups go; or `drive`."""
    prefix: str = ""
    region: str = ""
    key_file: str = ""
    drive: Drive | None = None
    gpg: Gpg | None = None
    guarded: Guarded | None = None
    encrypt_to: str | None = None
    endpoint: str | None = None
    """Another S3 than AWS."""
    compression: int = 9
    local_kept: int = 30
    max_age: int = 36 * 3600
    patience: int = 45 * 60
    """How long an upload is tried before it is left to the next hour, in seconds."""
    scratch_memory: int = 512
    slice: str = ""
    tell_success: bool = False
    migration: Migration | None = None

    def __post_init__(self) -> None:
        for name, kind in SECTIONS.items():
            given = getattr(self, name)
            if isinstance(given, Mapping):
                lists = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
                object.__setattr__(self, name, kind(**lists))

    @property
    def sealed(self) -> bool:
        """Whether a backup elsewhere can be opened with a key alone that is not here."""
        return bool(self.encrypt_to or self.gpg)


SECTIONS: dict[str, Any] = {
    "address": Address,
    "drive": Drive,
    "gpg": Gpg,
    "guarded": Guarded,
    "migration": Migration,
}


def read(path: Path) -> Settings:
    try:
        data: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BackupError(f"The settings {path} cannot be read ({error}): `./infra up` writes them.") from None
    known = {each.name for each in fields(Settings)}
    try:
        return Settings(**{key: value for key, value in data.items() if key in known})
    except (TypeError, AttributeError) as error:
        raise BackupError(
            f"The settings {path} do not fit these scripts ({error}): `./infra up` writes both."
        ) from None
