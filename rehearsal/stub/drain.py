"""How the server ends: no new connection, what is under way is finished, then exit 0."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
TICK = 0.02


class Drain:
    """Counts requests under way and, once it has begun, asks every client to come back elsewhere."""

    def __init__(self) -> None:
        self.under_way = 0
        self.begun = asyncio.Event()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.under_way += 1
        try:
            return self._last(await handler(request))
        except web.HTTPException as refusal:
            self._last(refusal)
            raise
        finally:
            self.under_way -= 1

    def _last(self, response: web.StreamResponse) -> web.StreamResponse:
        """While draining, "Connection: close": a connection that is kept would lose its next request."""
        if self.begun.is_set() and not response.prepared:
            response.force_close()
        return response

    async def wait_until_quiet(self, server: web.Server, seconds: float, idle_seconds: float) -> bool:
        """True when every request got its answer in time.

        Idle connections stay for a moment: a request that is already on its way down one of them would be lost.
        """
        deadline = time.monotonic() + seconds
        quiet_since = time.monotonic()
        while server.connections:
            now = time.monotonic()
            if self.under_way:
                quiet_since = now
            if now >= deadline or now - quiet_since >= idle_seconds:
                break
            await asyncio.sleep(TICK)
        return self.under_way == 0
