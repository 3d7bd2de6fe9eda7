"""Writes that can be counted afterwards: a row for every key, and how often it was written."""

from __future__ import annotations

from aiohttp import web

from rehearsal.stub.health import NO_STORE
from rehearsal.stub.state import STATE, State

MAX_KEY = 200


def _column(state: State) -> str:
    """The third migration renames the column: a release from before it fails afterwards, as real ones do."""
    return "attempts" if state.settings.migrations < 3 else "writes"


async def write(request: web.Request) -> web.Response:
    """POST: the key comes as `Idempotency-Key`. A second write with it is counted, not refused."""
    state = request.app[STATE]
    key = request.headers.get("Idempotency-Key", "")
    if not 0 < len(key) <= MAX_KEY:
        raise web.HTTPBadRequest(text=f"The header Idempotency-Key must hold 1 to {MAX_KEY} characters.")
    await request.read()
    column = _column(state)
    async with state.pool.connection() as held:
        count = await held.fetchval(
            f"INSERT INTO ledger AS l (key, instance, version, {column}) VALUES ($1, $2, $3, 1) "  # noqa: S608
            f"ON CONFLICT (key) DO UPDATE SET {column} = l.{column} + 1 RETURNING {column}",
            key,
            state.settings.instance,
            state.settings.version,
        )
    status = 201 if count == 1 else 200
    return web.json_response({"key": key, "writes": count, **who(state)}, status=status, headers=NO_STORE)


async def read(request: web.Request) -> web.Response:
    """GET ?prefix=: every key and how often it was written, so that a client can tell lost from doubled."""
    state = request.app[STATE]
    column = _column(state)
    async with state.pool.connection() as held:
        rows = await held.fetch(
            f"SELECT key, {column} FROM ledger WHERE starts_with(key, $1) ORDER BY key",  # noqa: S608
            request.query.get("prefix", ""),
        )
    return web.json_response({"writes": {row[0]: row[1] for row in rows}, **who(state)}, headers=NO_STORE)


def who(state: State) -> dict[str, str]:
    return {"version": state.settings.version, "instance": state.settings.instance}
