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
class Settings:
    system: str
    """What names begin with: neurmatic_20260101_020000.sql.gz."""
    container: str
    """The container of the live database."""
    database: str
    user: str
    folder: str
    """Local copies, their notes, and status.json."""
    scratch: str
    """Where a throw-away server keeps its data while a backup is tried."""
    log: str
    notify: str
    bucket: str
    prefix: str
    region: str
    key_file: str
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
        if isinstance(self.migration, Mapping):
            lists = {key: tuple(value) if isinstance(value, list) else value for key, value in self.migration.items()}
            object.__setattr__(self, "migration", Migration(**lists))


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
