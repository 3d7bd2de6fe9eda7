"""The server: routes, what wraps them, start and end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time

from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from rehearsal.stub import api, health, ledger, sockets
from rehearsal.stub.database import Pool, QueryError, UnavailableError
from rehearsal.stub.drain import Drain, Handler
from rehearsal.stub.settings import Settings
from rehearsal.stub.state import STATE, State

KEEPALIVE_SECONDS = 75.0  # longer than nginx keeps its upstream connections, so that nginx is the one who closes
STEP_MB = 16
FATAL = 70

log = logging.getLogger("backend")


def build(state: State) -> web.Application:
    app = web.Application(middlewares=[state.drain.middleware, count, guard, fault])
    app[STATE] = state
    app.on_response_prepare.append(sign)
    app.add_routes(
        [
            web.get("/api/v1/health", health.health),
            web.get("/api/v1/health/live", health.live),
            web.get("/api/v1/health/ready", health.ready),
            web.get("/api/v1/metrics", api.metrics),
            web.get("/api/v1/monitoring/status", api.monitoring),
            web.get("/admin/queues", api.queues),
            web.get("/api/v1/items", api.items),
            web.get("/api/v1/users/me", api.users),
            web.get("/api/v1/slow", api.slow),
            web.get("/api/v1/hold", api.hold),
            web.get("/api/v1/whoami", api.whoami),
            web.post("/api/v1/auth/login", api.sign_in),
            web.post("/api/v1/auth/register", api.sign_in),
            web.post("/api/v1/jobs", api.enqueue),
            web.get("/api/v1/ledger", ledger.read),
            web.post("/api/v1/ledger", ledger.write),
        ]
    )
    return app


async def sign(request: web.Request, response: web.StreamResponse) -> None:
    """Every answer says which release and which instance gave it."""
    settings = request.app[STATE].settings
    response.headers["X-Version"] = settings.version
    response.headers["X-Instance"] = settings.instance


@web.middleware
async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
    answers = request.app[STATE].answers
    try:
        response = await handler(request)
    except web.HTTPException as error:
        answers[error.status] += 1
        raise
    answers[response.status] += 1
    return response


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Without its database or Redis a request gets an honest 503."""
    try:
        return await handler(request)
    except (UnavailableError, RedisError) as error:
        log.error("%s %s: %s", request.method, request.path, error)
        return web.json_response({"error": "temporarily unavailable"}, status=503, headers=health.NO_STORE)
    except QueryError as error:  # a schema that this release does not know, for one
        log.error("%s %s: %s", request.method, request.path, error)
        return web.json_response({"error": "internal error"}, status=500, headers=health.NO_STORE)


@web.middleware
async def fault(request: web.Request, handler: Handler) -> web.StreamResponse:
    """FAULT_ERROR_RATE: that share of the API's answers is a 500, evenly spread; health stays well."""
    state = request.app[STATE]
    if state.settings.faults.error_rate and not request.path.startswith("/api/v1/health"):
        state.error_debt += state.settings.faults.error_rate
        if state.error_debt >= 1:
            state.error_debt -= 1
            return web.json_response({"error": "fault on demand"}, status=500, headers=health.NO_STORE)
    return await handler(request)


async def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    await asyncio.sleep(settings.faults.start_delay)
    state = _fresh_state(settings)
    _take_memory(state)
    app = build(state)
    socket_server = sockets.attach(app)
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=KEEPALIVE_SECONDS, handle_signals=False)
    await runner.setup()
    assert runner.server is not None  # noqa: S101 - set by setup()
    leave = _listen_to_signals(settings)
    listening = await asyncio.get_running_loop().create_server(runner.server, settings.host, settings.port)
    background = [asyncio.create_task(work) for work in (_open_pool(state), _misbehave(state))]
    _say(f"{settings.version} listens on {settings.host}:{settings.port}")
    await leave.wait()
    state.drain.begun.set()
    listening.close()
    await sockets.say_goodbye(socket_server, state)
    quiet = await state.drain.wait_until_quiet(runner.server, settings.drain_seconds, settings.idle_seconds)
    await _close(runner, state, background)
    _say("drained" if quiet else f"gave up after {settings.drain_seconds:.0f} s with requests under way")
    return 0 if quiet else 1


def _fresh_state(settings: Settings) -> State:
    return State(
        settings=settings,
        pool=Pool(settings.database),
        redis=Redis.from_url(settings.redis_url),
        drain=Drain(),
        started=time.monotonic(),
    )


def _listen_to_signals(settings: Settings) -> asyncio.Event:
    leave = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, leave.set)
    ignore = settings.faults.ignore_sigterm
    loop.add_signal_handler(signal.SIGTERM, (lambda: _say("ignores SIGTERM")) if ignore else leave.set)
    return leave


async def _open_pool(state: State) -> None:
    trying = asyncio.create_task(state.pool.keep_trying())
    said = ""
    while not trying.done():
        await asyncio.wait([trying], timeout=5)
        if not trying.done() and state.pool.problem != said:
            said = state.pool.problem
            _say(f"the database pool cannot be opened: {said}")
    _say(f"the database pool is open: {state.pool.size} connections")


def _take_memory(state: State) -> None:
    """Before it listens: how far it gets would be a matter of the machine's speed otherwise."""
    while len(state.held_memory) * STEP_MB < state.settings.faults.memory_mb:
        state.held_memory.append(bytearray(b"x" * (STEP_MB << 20)))


async def _misbehave(state: State) -> None:
    """The fault that comes with time."""
    if state.settings.faults.die_after:
        asyncio.get_running_loop().call_later(state.settings.faults.die_after, _die)


def _die() -> None:
    _say("dies on demand")
    os._exit(FATAL)


async def _close(runner: web.AppRunner, state: State, background: list[asyncio.Task[None]]) -> None:
    for task in background:
        task.cancel()
    await asyncio.gather(*background, return_exceptions=True)
    assert runner.server is not None  # noqa: S101 - set by setup()
    await runner.server.shutdown(timeout=0.5)  # cuts what the drain gave up on; cleanup() would wait for it again
    await runner.cleanup()
    await state.pool.close()
    await getattr(state.redis, "aclose", state.redis.close)()  # renamed after the version of Debian 12


def _say(text: str) -> None:
    print(f"backend: {text}", file=sys.stderr, flush=True)
