"""What the tests of the backend's image stand on: a database, a Redis, a network, and how to ask."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from rehearsal.docker import docker
from rehearsal.images.throwaway import Container, throwaway

CONNECTED = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'prod' AND backend_type = 'client backend'"


@dataclass(frozen=True)
class Stage:
    """Where a backend can run."""

    network: str
    postgres: Container
    tag: str

    def environment(self, pool: int, database: str = "shop", **more: str) -> dict[str, str]:
        return {
            "DATABASE_URL": f"postgresql://prod:word@postgres:5432/{database}?connection_limit={pool}&pool_timeout=2",
            "REDIS_URL": "redis://:word@redis:6379",
            **{name: name.lower() * 8 for name in ("JWT_SECRET", "JWT_REFRESH_SECRET", "SESSION_SECRET")},
            **more,
        }

    def sql(self, statement: str, database: str = "shop") -> str:
        return self.postgres.run("psql", "-U", "owner", "-d", database, "-Atc", statement)

    def migrate(self, database: str = "shop", **more: str) -> str:
        flags = as_flags(self.environment(1, database, **more))
        return docker("run", "--rm", "--network", self.network, *flags, self.tag, "npx", "prisma", "migrate", "deploy")

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        self.sql(f"CREATE DATABASE {name} OWNER prod")
        try:
            yield name
        finally:
            self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def migrate_and_watch(self, database: str) -> tuple[int, str]:
        """Exit code and words of a migration that is expected to fail."""
        flags = ["--network", self.network, *as_flags(self.environment(1, database))]
        with throwaway(self.tag, "migrate", flags=flags) as container:
            return int(docker("wait", container.id)), container.logs()

    def connected(self) -> int:
        """Connections that the application holds right now; closed ones take a moment to go."""
        return int(self.sql(CONNECTED))

    def flags(self, pool: int, **more: str) -> list[str]:
        fence = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
        return [*fence, "--network", self.network, *as_flags(self.environment(pool, **more))]

    def backend(self, *flags: str, pool: int = 5, **more: str) -> AbstractContextManager[Container]:
        return throwaway(self.tag, flags=[*self.flags(pool, **more), "--publish", "127.0.0.1::3000", *flags])


def as_flags(environment: Mapping[str, str]) -> list[str]:
    return [part for name, value in environment.items() for part in ("--env", f"{name}={value}")]


def ask(container: Container, path: str, method: str = "GET", **headers: str) -> tuple[int, Any]:
    """Status and JSON of an answer of the backend."""
    address = f"http://127.0.0.1:{container.published(3000)}{path}"
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(address, method=method, headers=names)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def wait_until_ready(container: Container) -> None:
    container.wait_until(lambda: ask(container, "/api/v1/health/ready")[0] == 200, "the backend is ready")
