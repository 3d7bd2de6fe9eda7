"""The health endpoints: /api/v1/health, /live and /ready."""

from __future__ import annotations

import asyncio
import resource
import time
from typing import Any

from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from rehearsal.stub.database import UNREACHABLE, UnavailableError
from rehearsal.stub.state import STATE, State

QUEUE = "bull:email:wait"
BACKLOG = 1000
MEMORY_DEGRADED = 0.9
CHECK_SECONDS = 2.0

Report = dict[str, Any]


async def health(request: web.Request) -> web.Response:
    report = await full_report(request.app[STATE])
    return web.json_response(report, status=503 if report["status"] == "unhealthy" else 200, headers=NO_STORE)


async def live(request: web.Request) -> web.Response:
    state = request.app[STATE]
    status = 503 if state.settings.faults.unhealthy else 200
    return web.json_response({"alive": status == 200}, status=status, headers=NO_STORE)


async def ready(request: web.Request) -> web.Response:
    """Ready for traffic: the pool is wholly open, and the server is not about to leave."""
    state = request.app[STATE]
    ok = state.pool.open and not state.drain.begun.is_set() and not state.settings.faults.unhealthy
    return web.json_response({"ready": ok}, status=200 if ok else 503, headers=NO_STORE)


NO_STORE = {"Cache-Control": "no-store"}


async def full_report(state: State) -> Report:
    database, redis = await asyncio.gather(_database(state), _redis(state.redis))
    services = {"database": database, "redis": redis, "queues": await _queues(state.redis), "memory": _memory()}
    return {
        "status": _overall(state, services),
        "version": state.settings.version,
        "instance": state.settings.instance,
        "uptime": round(time.monotonic() - state.started, 1),
        "services": services,
    }


def _overall(state: State, services: dict[str, Report]) -> str:
    """Without its database the application is of no use; without the rest it limps."""
    if state.settings.faults.unhealthy or services["database"]["status"] != "healthy":
        return "unhealthy"
    return "healthy" if all(part["status"] == "healthy" for part in services.values()) else "degraded"


async def _database(state: State) -> Report:
    pool = {"size": state.pool.size, "idle": state.pool.idle, "limit": state.settings.database.pool}
    try:
        took = await asyncio.wait_for(state.pool.milliseconds(), CHECK_SECONDS)
    except (UnavailableError, *UNREACHABLE) as error:
        return {"status": "unhealthy", "error": str(error) or type(error).__name__, "pool": pool}
    return {"status": "healthy", "latency_ms": took, "pool": pool}


async def _redis(redis: Redis) -> Report:
    start = time.perf_counter()
    try:
        await asyncio.wait_for(redis.ping(), CHECK_SECONDS)
    except (RedisError, OSError, asyncio.TimeoutError) as error:
        return {"status": "unhealthy", "error": str(error) or type(error).__name__}
    return {"status": "healthy", "latency_ms": round((time.perf_counter() - start) * 1000, 2)}


async def _queues(redis: Redis) -> Report:
    try:
        waiting = int(await asyncio.wait_for(redis.llen(QUEUE), CHECK_SECONDS))
    except (RedisError, OSError, asyncio.TimeoutError):
        return {"status": "unhealthy", "waiting": None}
    return {"status": "healthy" if waiting < BACKLOG else "degraded", "waiting": waiting}


def _memory() -> Report:
    used, limit = resident_bytes(), memory_limit()
    full = limit is not None and used > MEMORY_DEGRADED * limit
    return {"status": "degraded" if full else "healthy", "used_bytes": used, "limit_bytes": limit}


def resident_bytes() -> int:
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
    except OSError:  # not Linux: the peak is the next best
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def memory_limit() -> int | None:
    """What the container may use: cgroup v2 first, then v1, where "no limit" is a huge number."""
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(path) as file:
                word = file.read().strip()
        except OSError:
            continue
        return int(word) if word.isdigit() and int(word) < 1 << 60 else None
    return None
