"""The pool of database connections: opened wholly at start, so that the arithmetic is put to the test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg  # type: ignore[import-untyped]

from rehearsal.stub.settings import Database

QueryError = asyncpg.PostgresError
RETRY_SECONDS = 0.5
UNREACHABLE = (OSError, asyncio.TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class UnavailableError(Exception):
    """No connection to be had."""


class Pool:
    """All connections or none: a server that got only some of them reports itself unhealthy."""

    def __init__(self, settings: Database) -> None:
        self.settings = settings
        self.problem = "the pool is not open yet"
        self._pool: Any = None

    @property
    def open(self) -> bool:
        return self._pool is not None

    @property
    def size(self) -> int:
        return int(self._pool.get_size()) if self._pool else 0

    @property
    def idle(self) -> int:
        return int(self._pool.get_idle_size()) if self._pool else 0

    async def keep_trying(self) -> None:
        """The database may start after the server."""
        while not self.open:
            try:
                await self._open()
            except UNREACHABLE as error:
                self.problem = f"{type(error).__name__}: {error}"
                await asyncio.sleep(RETRY_SECONDS)

    async def _open(self) -> None:
        limit = self.settings.pool
        pool = asyncpg.create_pool(
            self.settings.dsn,
            min_size=limit,
            max_size=limit,
            max_inactive_connection_lifetime=0,  # held for good, as Prisma's engine holds them
            command_timeout=60,
            # PgBouncer's transaction pooling hands every statement to another connection.
            statement_cache_size=0 if self.settings.behind_pgbouncer else 100,
        )
        try:
            await pool
        except BaseException:
            pool.terminate()
            raise
        self._pool = pool

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        if self._pool is None:
            raise UnavailableError(self.problem)
        try:
            held = await self._pool.acquire(timeout=self.settings.pool_timeout)
        except UNREACHABLE as error:
            raise UnavailableError(f"{type(error).__name__}: {error}") from error
        try:
            yield held
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError) as error:
            raise UnavailableError(f"{type(error).__name__}: {error}") from error
        finally:
            await self._pool.release(held)

    async def milliseconds(self) -> float:
        """How long the database takes to answer at all."""
        start = time.perf_counter()
        async with self.connection() as held:
            await held.fetchval("SELECT 1", timeout=2)
        return round((time.perf_counter() - start) * 1000, 2)

    async def close(self) -> None:
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), timeout=5)
            except asyncio.TimeoutError:
                self._pool.terminate()
