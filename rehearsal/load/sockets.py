"""A visitor with an open WebSocket: Socket.IO, as the application's own pages speak it."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import aiohttp
import socketio  # type: ignore[import-untyped]
from aiohttp.abc import AbstractResolver, ResolveResult

from rehearsal.load.answer import Answer, BrokenError
from rehearsal.load.plan import SECONDS, Ask
from rehearsal.load.target import Target


class Session:
    """Reconnects when its server has gone, as Socket.IO's clients do; one message at a time."""

    def __init__(self, target: Target, visitor: str) -> None:
        self._target, self._visitor = target, visitor
        self._client: Any = None
        self._http: aiohttp.ClientSession | None = None
        self._gone = asyncio.Event()
        self.turn = asyncio.Lock()

    @property
    def open_still(self) -> bool:
        return self._client is not None and self._client.connected and not self._gone.is_set()

    async def ask(self, ask: Ask) -> Answer:
        call = asyncio.ensure_future(self._client.call("echo", ask.number, timeout=2 * SECONDS))
        gone = asyncio.ensure_future(self._gone.wait())
        try:
            await asyncio.wait({call, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not call.done():
                raise BrokenError("socket closed", untouched=True)
            said = call.result()
        except (socketio.exceptions.SocketIOError, aiohttp.ClientError, OSError) as error:
            raise BrokenError(f"socket: {type(error).__name__}", untouched=True) from error
        finally:
            call.cancel()
            gone.cancel()
            await asyncio.gather(call, gone, return_exceptions=True)
        if said["data"] != ask.number:
            raise BrokenError("another message's answer", untouched=False)
        return Answer(200, str(said["version"]))

    async def connect(self) -> None:
        await self.close()
        self._gone = asyncio.Event()
        connector = aiohttp.TCPConnector(resolver=_There(self._target), ssl=self._target.context())
        self._http = aiohttp.ClientSession(connector=connector)
        client = socketio.AsyncClient(reconnection=False, http_session=self._http, handle_sigint=False)
        client.on("disconnect", lambda *_: self._gone.set())
        url = f"https://{self._target.host}:{self._target.port}"
        try:
            await client.connect(
                url, headers={"CF-Connecting-IP": self._visitor}, transports=["websocket"], wait_timeout=SECONDS
            )
        except (socketio.exceptions.SocketIOError, aiohttp.ClientError, OSError, ValueError) as error:
            raise BrokenError(f"socket: {type(error).__name__}", untouched=True) from error
        self._client = client

    async def close(self) -> None:
        if self._client is not None and self._client.connected:
            await self._client.disconnect()
        self._client = None
        if self._http is not None:
            await self._http.close()
            self._http = None


class _There(AbstractResolver):
    """Every name is at the target's address: as with an entry in a hosts file."""

    def __init__(self, target: Target) -> None:
        self._target = target

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = ResolveResult(
            hostname=host, host=self._target.address, port=port, family=socket.AF_INET, proto=0, flags=0
        )
        return [found]

    async def close(self) -> None:
        """Nothing is held."""
