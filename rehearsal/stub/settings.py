"""What the backend reads from its environment, with the names that the real one uses."""

from __future__ import annotations

import math
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit, urlunsplit

REQUIRED = ("DATABASE_URL", "REDIS_URL", "JWT_SECRET", "JWT_REFRESH_SECRET", "SESSION_SECRET")
DEFAULT_POOL = 5
DEFAULT_POOL_TIMEOUT = 10.0


class SettingsError(Exception):
    """One sentence for the container's log."""


@dataclass(frozen=True)
class Database:
    """A Prisma address taken apart: its query holds the pool, which PostgreSQL itself would not understand."""

    dsn: str
    pool: int
    pool_timeout: float
    behind_pgbouncer: bool


@dataclass(frozen=True)
class Faults:
    """What goes wrong on demand. A release with a fault is an image with the variable baked in."""

    crash_at_start: bool = False
    unhealthy: bool = False
    ignore_sigterm: bool = False
    die_after: float = 0.0
    start_delay: float = 0.0
    error_rate: float = 0.0
    memory_mb: int = 0
    port: int = 0
    migration: bool = False


@dataclass(frozen=True)
class Settings:
    database: Database
    redis_url: str
    host: str
    port: int
    version: str
    instance: str
    migrations: int
    drain_seconds: float
    idle_seconds: float
    faults: Faults


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings of the server; every missing variable is named in one go."""
    required = (*REQUIRED, *environment.get("FAULT_REQUIRES", "").split())
    missing = [name for name in required if not environment.get(name)]
    if missing:
        raise SettingsError(
            f"Missing required environment variable(s): {', '.join(missing)}. The server does not start."
        )
    faults = read_faults(environment)
    return Settings(
        database=read_database(environment),
        redis_url=environment["REDIS_URL"],
        host=environment.get("HOST") or "0.0.0.0",  # noqa: S104 - a container's own network
        port=faults.port or read_whole(environment, "PORT", 3000),
        version=environment.get("APP_VERSION") or "0.0.0",
        instance=environment.get("INSTANCE") or socket.gethostname(),
        migrations=read_whole(environment, "APP_MIGRATIONS", 2),
        drain_seconds=_number(environment, "DRAIN_SECONDS", 25),
        idle_seconds=_number(environment, "DRAIN_IDLE_SECONDS", 2),
        faults=faults,
    )


def read_database(environment: Mapping[str, str]) -> Database:
    url = urlsplit(environment.get("DATABASE_URL", ""))
    if url.scheme not in ("postgres", "postgresql") or not url.hostname:
        raise SettingsError("DATABASE_URL is not an address of the form postgresql://user:password@host:5432/database.")
    query = {name: values[-1] for name, values in parse_qs(url.query).items()}
    return Database(
        dsn=urlunsplit((url.scheme, url.netloc, url.path, "", "")),
        pool=max(1, read_whole(query, "connection_limit", DEFAULT_POOL)),
        pool_timeout=_number(query, "pool_timeout", DEFAULT_POOL_TIMEOUT),
        behind_pgbouncer=query.get("pgbouncer") == "true",
    )


def read_faults(environment: Mapping[str, str]) -> Faults:
    return Faults(
        crash_at_start=_switch(environment, "FAULT_CRASH_AT_START"),
        unhealthy=_switch(environment, "FAULT_UNHEALTHY"),
        ignore_sigterm=_switch(environment, "FAULT_IGNORE_SIGTERM"),
        die_after=_number(environment, "FAULT_DIE_AFTER", 0),
        start_delay=_number(environment, "FAULT_START_DELAY", 0),
        error_rate=_number(environment, "FAULT_ERROR_RATE", 0),
        memory_mb=read_whole(environment, "FAULT_MEMORY_MB", 0),
        port=read_whole(environment, "FAULT_PORT", 0),
        migration=_switch(environment, "FAULT_MIGRATION"),
    )


def _switch(environment: Mapping[str, str], name: str) -> bool:
    word = environment.get(name, "")
    if word not in ("", "0", "1"):
        raise SettingsError(f"{name}={word}: say 1 or 0.")
    return word == "1"


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    word = environment.get(name)
    try:
        value = float(word) if word else float(default)
    except ValueError:
        raise SettingsError(f"{name}={word}: this is not a number.") from None
    if value < 0 or not math.isfinite(value):
        raise SettingsError(f"{name}={word}: this must be a number that is not negative.")
    return value


def read_whole(environment: Mapping[str, str], name: str, default: int) -> int:
    value = _number(environment, name, default)
    if value != int(value):
        raise SettingsError(f"{name}={environment[name]}: this must be a whole number.")
    return int(value)
