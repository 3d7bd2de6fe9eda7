"""HTTP/1.1 on one connection, knowing when the first byte of an answer came.

By h11 and not by a whole client: those ask again by themselves, and what they ask again cannot be counted.
"""

from __future__ import annotations

import asyncio
import ssl

import h11

from rehearsal.load.answer import Answer, BrokenError
from rehearsal.load.plan import Ask
from rehearsal.load.target import Target


class Connection:
    def __init__(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._host, self._reader, self._writer = host, reader, writer
        self._state = h11.Connection(h11.CLIENT)
        self.used = False

    @classmethod
    async def open(cls, target: Target, context: ssl.SSLContext) -> Connection:
        try:
            streams = await asyncio.open_connection(
                target.address, target.port, ssl=context, server_hostname=target.host
            )
        except OSError as error:
            raise BrokenError(f"connect: {type(error).__name__}", untouched=True) from error
        return cls(target.host, *streams)

    @property
    def open_still(self) -> bool:
        return not self._reader.at_eof() and not self._writer.is_closing() and self._state.our_state is h11.IDLE

    def close(self) -> None:
        self._writer.close()

    async def ask(self, ask: Ask) -> Answer:
        touched = False
        try:
            self._send(ask)
            status, version = 0, "nobody"
            while True:
                event = self._state.next_event()
                if event is h11.NEED_DATA:
                    data = await self._reader.read(65536)
                    touched = touched or bool(data)
                    self._state.receive_data(data)
                elif isinstance(event, h11.Response):
                    status, version = event.status_code, dict(event.headers).get(b"x-version", b"nobody").decode()
                elif isinstance(event, h11.EndOfMessage):
                    self._next()
                    return Answer(status, version)
        except (OSError, h11.ProtocolError) as error:
            self.close()
            raise BrokenError("cut" if touched else f"closed: {type(error).__name__}", untouched=not touched) from error
        except asyncio.CancelledError:
            self.close()
            raise

    def _send(self, ask: Ask) -> None:
        self.used = True
        request = h11.Request(method=ask.method, target=ask.path, headers=ask.headers(self._host))
        ends = self._state.send(h11.EndOfMessage()) if (head := self._state.send(request)) is not None else b""
        self._writer.write((head or b"") + (ends or b""))

    def _next(self) -> None:
        if self._state.our_state is h11.DONE and self._state.their_state is h11.DONE:
            self._state.start_next_cycle()
        else:
            self.close()
