"""Socket.IO on /socket.io/, by polling and by WebSocket. Sessions live in this process: proxies must be sticky."""

from __future__ import annotations

from typing import Any

import socketio  # type: ignore[import-untyped]
from aiohttp import web

from rehearsal.stub.ledger import who
from rehearsal.stub.state import STATE, State


def attach(app: web.Application) -> Any:
    state: State = app[STATE]
    # No CORS handling here: nginx answers for it, and two sets of headers are refused by browsers.
    server = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins=[])

    async def connect(sid: str, environ: dict[str, Any]) -> None:
        state.sockets.add(sid)
        await server.emit("hello", who(state), to=sid)

    async def disconnect(sid: str, *reason: str) -> None:
        state.sockets.discard(sid)

    async def echo(sid: str, data: Any) -> dict[str, Any]:
        return {"data": data, **who(state)}

    server.on("connect", connect)
    server.on("disconnect", disconnect)
    server.on("echo", echo)
    server.attach(app)
    return server


async def say_goodbye(server: Any, state: State) -> None:
    """Ends every session, so that no long poll keeps the server from leaving; clients reconnect elsewhere."""
    for sid in list(state.sockets):
        await server.disconnect(sid)
