"""HTTP/2 on one connection: many requests at once, each with an end of its own.

A server that leaves says which streams it will still answer (GOAWAY); the others were never looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError
from hyperframe.frame import Frame, GoAwayFrame

from rehearsal.load.answer import Answer, BrokenError
from rehearsal.load.plan import Ask
from rehearsal.load.target import Target

RETIRE = 900
"""Requests after which a connection is left: nginx would say so after 1 000."""


class Patient(H2Connection):
    """Goes on listening to a server that leaves: h2 takes its goodbye for the end, and loses what it still answers."""

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list[Frame], list[Event]]:
        before = self.state_machine.state
        frames, events = super()._receive_goaway_frame(frame)
        self.state_machine.state = before
        return frames, events


@dataclass
class Stream:
    answer: asyncio.Future[Answer]
    touched: bool = False
    status: int = 0
    version: str = "nobody"


@dataclass
class Connection:
    host: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    state: H2Connection = field(default_factory=lambda: Patient(H2Configuration(header_encoding="utf-8")))
    streams: dict[int, Stream] = field(default_factory=dict)
    leaving: bool = False
    asked: int = 0
    task: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, target: Target, context: ssl.SSLContext) -> Connection:
        try:
            streams = await asyncio.open_connection(
                target.address, target.port, ssl=context, server_hostname=target.host
            )
        except OSError as error:
            raise BrokenError(f"connect: {type(error).__name__}", untouched=True) from error
        made = cls(target.host, *streams)
        made.state.initiate_connection()
        made._flush()
        made.task = asyncio.create_task(made._listen())
        return made

    @property
    def open_still(self) -> bool:
        return not self.leaving and not self.reader.at_eof() and not self.writer.is_closing()

    def close(self) -> None:
        self.leaving = True
        if self.task:
            self.task.cancel()
        self.writer.close()

    async def ask(self, ask: Ask) -> Answer:
        self.asked += 1
        self.leaving = self.leaving or self.asked >= RETIRE
        stream = Stream(asyncio.get_running_loop().create_future())
        try:
            number = self.state.get_next_available_stream_id()
            self.state.send_headers(number, self._headers(ask), end_stream=True)
        except ProtocolError as error:
            self.leaving = True
            raise BrokenError(f"closed: {type(error).__name__}", untouched=True) from error
        self.streams[number] = stream
        self._flush()
        try:
            return await stream.answer
        finally:
            self.streams.pop(number, None)
            if self.leaving and not self.streams:
                self.writer.close()

    def _headers(self, ask: Ask) -> list[tuple[str, str]]:
        own = [(":method", ask.method), (":scheme", "https"), (":authority", self.host), (":path", ask.path)]
        return own + [(name.lower(), value) for name, value in ask.headers(self.host) if name != "Host"]

    async def _listen(self) -> None:
        try:
            while data := await self.reader.read(65536):
                for event in self.state.receive_data(data):
                    self._take(event)
                self._flush()
        except (OSError, ProtocolError):
            pass
        self.leaving = True
        for stream in list(self.streams.values()):
            self._break(stream, "cut" if stream.touched else "closed")

    def _take(self, event: Event) -> None:
        if isinstance(event, ConnectionTerminated):
            self._goodbye(event.last_stream_id or 0)
            return
        number = getattr(event, "stream_id", None)
        stream = self.streams.get(number) if number else None
        if isinstance(event, DataReceived):
            # Also for a stream that nobody waits for any more, or the window closes for all.
            self.state.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
        if stream is None:
            return
        if isinstance(event, ResponseReceived):
            headers = {str(name): str(value) for name, value in event.headers or []}
            stream.touched = True
            stream.status, stream.version = int(headers[":status"]), headers.get("x-version", "nobody")
        elif isinstance(event, StreamEnded) and not stream.answer.done():
            stream.answer.set_result(Answer(stream.status, stream.version))
        elif isinstance(event, StreamReset):
            refused = event.error_code == ErrorCodes.REFUSED_STREAM
            self._break(stream, "refused" if refused else "reset", untouched=refused or not stream.touched)

    def _goodbye(self, last: int) -> None:
        self.leaving = True
        for number, stream in list(self.streams.items()):
            if number > last:
                self._break(stream, "goaway", untouched=True)

    def _break(self, stream: Stream, kind: str, untouched: bool | None = None) -> None:
        if not stream.answer.done():
            fresh = not stream.touched if untouched is None else untouched
            stream.answer.set_exception(BrokenError(kind, untouched=fresh))

    def _flush(self) -> None:
        with contextlib.suppress(OSError):
            self.writer.write(self.state.data_to_send())
