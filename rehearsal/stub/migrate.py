"""`prisma migrate deploy` in small: the same table, the same order, the same refusals."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]

from rehearsal.stub.settings import SettingsError, read_database, read_faults, read_whole

FOLDER = Path(__file__).resolve().parent / "migrations"
LOCK = 72707369  # Prisma's own advisory lock
LOCK_SECONDS = 10.0
CONNECT_SECONDS = 10.0
TABLE = """
CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id varchar(36) PRIMARY KEY,
    checksum varchar(64) NOT NULL,
    finished_at timestamptz,
    migration_name varchar(255) NOT NULL,
    logs text,
    rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count integer NOT NULL DEFAULT 0
)
"""


class MigrationError(Exception):
    """One sentence for the log of the deployment."""


@dataclass(frozen=True)
class Migration:
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def known(environment: Mapping[str, str]) -> list[Migration]:
    """The migrations that this release ships: the first APP_MIGRATIONS of them, and the failing one on demand."""
    files = sorted(FOLDER.glob("*.sql"))[: read_whole(environment, "APP_MIGRATIONS", 2)]
    found = [Migration(file.stem, file.read_text()) for file in files]
    if read_faults(environment).migration:
        found.append(Migration("20269999000000_fault", "ALTER TABLE no_such_table ADD COLUMN fault text;"))
    return found


async def deploy(environment: Mapping[str, str]) -> list[str]:
    """Apply what is pending; the names of what was applied."""
    database = read_database(environment)
    try:
        held = await asyncpg.connect(database.dsn, timeout=CONNECT_SECONDS)
    except (OSError, asyncio.TimeoutError, asyncpg.PostgresError) as error:
        raise MigrationError(f"P1001: Can't reach the database server: {error or 'timed out'}") from None
    try:
        await _lock(held)
        await held.execute(TABLE)
        return await _apply_pending(held, known(environment))
    finally:
        await held.close()


async def _lock(held: Any) -> None:
    """Two deployments at once must not both migrate."""
    for _ in range(int(LOCK_SECONDS * 10)):
        if await held.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
            return
        await asyncio.sleep(0.1)
    raise MigrationError(f"P1002: Another migration holds the lock; waited {LOCK_SECONDS:.0f} s.")


async def _apply_pending(held: Any, migrations: list[Migration]) -> list[str]:
    rows = await held.fetch("SELECT migration_name, finished_at, rolled_back_at FROM _prisma_migrations")
    failed = [row[0] for row in rows if row[1] is None and row[2] is None]
    if failed:
        raise MigrationError(f"P3009: The migration {failed[0]} failed before; resolve it first. Nothing was applied.")
    done = {row[0] for row in rows if row[1] is not None}
    pending = [migration for migration in migrations if migration.name not in done]
    for migration in pending:
        await _apply(held, migration)
    return [migration.name for migration in pending]


async def _apply(held: Any, migration: Migration) -> None:
    identity = str(uuid.uuid4())
    await held.execute(
        "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)",
        identity,
        migration.checksum,
        migration.name,
    )
    try:
        await held.execute(migration.sql)
    except asyncpg.PostgresError as error:
        await held.execute("UPDATE _prisma_migrations SET logs = $2 WHERE id = $1", identity, str(error))
        raise MigrationError(f"P3018: The migration {migration.name} failed to apply: {error}") from None
    await held.execute(
        "UPDATE _prisma_migrations SET finished_at = now(), applied_steps_count = 1 WHERE id = $1", identity
    )


def main(environment: Mapping[str, str]) -> int:
    try:
        applied = asyncio.run(deploy(environment))
    except (MigrationError, SettingsError) as error:
        print(f"Error: {error}", flush=True)
        return 1
    for name in applied:
        print(f"Applying migration `{name}`")
    print("All migrations have been successfully applied." if applied else "No pending migrations to apply.")
    return 0
