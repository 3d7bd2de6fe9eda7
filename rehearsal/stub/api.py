"""The rest of the API: what load, limits and caches are measured with."""

from __future__ import annotations

import asyncio
import socket

from aiohttp import web

from rehearsal.stub.health import NO_STORE, QUEUE, full_report, resident_bytes
from rehearsal.stub.ledger import who
from rehearsal.stub.state import STATE

MAX_SECONDS = 300.0
MAX_BYTES = 10_000_000


async def items(request: web.Request) -> web.Response:
    """A list that anyone may cache; ?bytes=N makes it large."""
    size = int(_bounded(request, "bytes", 0, MAX_BYTES))
    body = {"items": ["x" * size] if size else [], **who(request.app[STATE])}
    return web.json_response(body, headers={"Cache-Control": "public, max-age=300"})


async def users(request: web.Request) -> web.Response:
    """A row out of the database."""
    state = request.app[STATE]
    async with state.pool.connection() as held:
        now = await held.fetchval("SELECT now()::text")
    return web.json_response({"now": now, **who(state)}, headers=NO_STORE)


async def slow(request: web.Request) -> web.Response:
    """Answers after ?seconds=N."""
    seconds = _bounded(request, "seconds", 1, MAX_SECONDS)
    await asyncio.sleep(seconds)
    return web.json_response({"slept": seconds, **who(request.app[STATE])}, headers=NO_STORE)


async def hold(request: web.Request) -> web.Response:
    """Holds one connection of the pool for ?seconds=N: the 51st of a pool of 50 has to wait."""
    state = request.app[STATE]
    seconds = _bounded(request, "seconds", 1, MAX_SECONDS)
    async with state.pool.connection() as held:
        await held.execute("SELECT pg_sleep($1)", seconds, timeout=MAX_SECONDS + 10)
    return web.json_response({"held": seconds, **who(state)}, headers=NO_STORE)


async def whoami(request: web.Request) -> web.Response:
    """What the server sees of its visitor."""
    peer = request.transport.get_extra_info("socket") if request.transport else None
    nodelay = bool(peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)) if peer else None
    body = {"remote": request.remote, "headers": dict(request.headers), "tcp_nodelay": nodelay}
    return web.json_response({**body, **who(request.app[STATE])}, headers=NO_STORE)


async def sign_in(request: web.Request) -> web.Response:
    """Login and register: a session cookie, which no cache may ever hand to another visitor."""
    await request.read()
    response = web.json_response({"ok": True, **who(request.app[STATE])}, headers=NO_STORE)
    response.set_cookie("session", "rehearsal", httponly=True, secure=True, samesite="Lax")
    return response


async def enqueue(request: web.Request) -> web.Response:
    state = request.app[STATE]
    waiting = await state.redis.rpush(QUEUE, await request.text())
    return web.json_response({"waiting": waiting, **who(state)}, status=202, headers=NO_STORE)


async def metrics(request: web.Request) -> web.Response:
    """Prometheus' text format."""
    state = request.app[STATE]
    lines = [f'http_requests_total{{status="{code}"}} {count}' for code, count in sorted(state.answers.items())]
    lines += [
        f"http_requests_under_way {state.drain.under_way}",
        f"database_pool_size {state.pool.size}",
        f"database_pool_idle {state.pool.idle}",
        f"socketio_sessions {len(state.sockets)}",
        f"process_resident_memory_bytes {resident_bytes()}",
        f'app_info{{version="{state.settings.version}",instance="{state.settings.instance}"}} 1',
    ]
    return web.Response(text="\n".join(lines) + "\n", headers=NO_STORE)


async def monitoring(request: web.Request) -> web.Response:
    state = request.app[STATE]
    report = await full_report(state)
    report["requests"] = {str(code): count for code, count in sorted(state.answers.items())}
    report["draining"] = state.drain.begun.is_set()
    return web.json_response(report, headers=NO_STORE)


async def queues(request: web.Request) -> web.Response:
    state = request.app[STATE]
    waiting = await state.redis.llen(QUEUE)
    page = f"<!doctype html><title>Queues</title><p>email: {int(waiting)} waiting</p>"
    return web.Response(text=page, content_type="text/html", headers=NO_STORE)


def _bounded(request: web.Request, name: str, default: float, largest: float) -> float:
    try:
        value = float(request.query.get(name, default))
    except ValueError:
        raise web.HTTPBadRequest(text=f"?{name}= must be a number.") from None
    if not 0 <= value <= largest:
        raise web.HTTPBadRequest(text=f"?{name}= must lie between 0 and {largest:.0f}.")
    return value
