"""Asks by a plan and says what came back; the only one in its process.

A request is due when the plan says, and its time counts from then: neither a slow server nor a slow client hides the
wait. It has failed when no complete answer came, or one that says so, after one more try on a fresh connection, which
it gets only if no byte of an answer had come.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rehearsal.load import http1, http2
from rehearsal.load.answer import Answer, BrokenError
from rehearsal.load.plan import SECONDS, SOCKETS, Ask, Plan, asks, visitor
from rehearsal.load.record import End, Record
from rehearsal.load.target import Target

STREAMS = 4
"""Connections of HTTP/2: a proxy in front of many visitors has several."""
WAITING = 2000
"""With so many under way nothing more is sent: the report then says that the rate was not held."""
TICK = 0.002

if TYPE_CHECKING:
    from rehearsal.load.sockets import Session

Told = Callable[[Record], None]


class Client:
    def __init__(self, target: Target, plan: Plan, told: Told) -> None:
        self._target, self._plan, self._told = target, plan, told
        self._http1, self._http2 = target.context(), target.context(("h2",))
        self._kept: list[http1.Connection] = []
        self._streams: list[http2.Connection] = []
        self._sessions = sessions(target) if "WebSocket" in plan.mix else []
        self._under_way: set[asyncio.Task[None]] = set()
        self._begun = 0
        # One clock for all: that of the machine, but never set back.
        self._offset = time.time() - time.monotonic()

    async def run(self, stop: asyncio.Event) -> End:
        """Until `stop`, or until the plan's time is over; then waits for what is under way."""
        began, source = self._now(), asks(self._plan)
        due, last = began, began + self._plan.seconds
        while True:
            until = min(self._now(), last)
            while due <= until:
                ask = next(source)
                if len(self._under_way) < WAITING:
                    self._spawn(ask, due)
                due += 1 / self._plan.rate
            if stop.is_set() or until >= last:
                break
            await asyncio.sleep(TICK)
        await asyncio.sleep(0)  # what was due just now begins
        end = End(began, until, self._begun)
        if self._under_way:
            await asyncio.wait(self._under_way)
        await self._leave()
        return end

    def _spawn(self, ask: Ask, due: float) -> None:
        task = asyncio.create_task(self._one(ask, due))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _one(self, ask: Ask, due: float) -> None:
        self._begun += 1
        began, outcome, version, tries = self._now(), "", "nobody", Tries()
        try:
            answer = await self._answer(ask, tries)
            version = answer.version
            outcome = str(answer.status) if answer.status >= 400 else ""
        except BrokenError as error:
            outcome = error.kind
        self._told(Record(ask.kind, due, began, self._now(), outcome, version, ask.key, tries.again, tries.on_idle))

    async def _answer(self, ask: Ask, tries: Tries) -> Answer:
        try:
            return await self._within(ask, tries, fresh=False)
        except BrokenError as error:
            if not error.untouched:
                raise
            tries.again = True
            return await self._within(ask, tries, fresh=True)

    async def _within(self, ask: Ask, tries: Tries, fresh: bool) -> Answer:
        limit = SECONDS + (self._plan.slow if ask.kind == "slow" else 0)
        try:
            return await asyncio.wait_for(self._once(ask, tries, fresh), limit)
        except asyncio.TimeoutError:
            raise BrokenError("timeout", untouched=False) from None

    async def _once(self, ask: Ask, tries: Tries, fresh: bool) -> Answer:
        if ask.kind == "WebSocket":
            return await self._by_socket(ask, tries, fresh)
        if ask.kind.startswith("HTTP/2"):
            return await self._by_stream(ask, tries, fresh)
        return await self._by_connection(ask, tries, fresh)

    async def _by_connection(self, ask: Ask, tries: Tries, fresh: bool) -> Answer:
        keep = ask.kind.startswith("kept")
        connection = None if fresh or not keep else self._idle()
        if connection is None:
            connection = await http1.Connection.open(self._target, self._http1)
        used = connection.used
        try:
            answer = await connection.ask(ask)
        except BrokenError as error:
            tries.on_idle = tries.on_idle or (used and error.untouched)
            raise
        if keep and connection.open_still:
            self._kept.append(connection)
        else:
            connection.close()
        return answer

    def _idle(self) -> http1.Connection | None:
        """What the server has closed meanwhile is seen before anything is sent, as in any client's pool."""
        while self._kept:
            connection = self._kept.pop()
            if connection.open_still:
                return connection
            connection.close()
        return None

    async def _by_stream(self, ask: Ask, tries: Tries, fresh: bool) -> Answer:
        self._streams = [each for each in self._streams if each.open_still]
        if fresh or len(self._streams) < STREAMS:
            connection = await http2.Connection.open(self._target, self._http2)
            self._streams.insert(0, connection)
        else:
            connection = self._streams[ask.number % STREAMS]
        used = connection.asked > 0
        try:
            return await connection.ask(ask)
        except BrokenError as error:
            tries.on_idle = tries.on_idle or (used and error.untouched)
            raise

    async def _by_socket(self, ask: Ask, tries: Tries, fresh: bool) -> Answer:
        session = self._sessions[ask.number % SOCKETS]
        async with session.turn:
            if fresh or not session.open_still:
                await session.connect()
            return await session.ask(ask)

    async def _leave(self) -> None:
        for connection in self._kept:
            connection.close()
        for stream in self._streams:
            stream.close()
        for session in self._sessions:
            await session.close()

    def _now(self) -> float:
        return time.monotonic() + self._offset


def sessions(target: Target) -> list[Session]:
    from rehearsal.load.sockets import Session  # noqa: PLC0415  half a second that most runs do not need

    return [Session(target, visitor(number)) for number in range(SOCKETS)]


class Tries:
    """What became of one request on its way."""

    def __init__(self) -> None:
        self.again = self.on_idle = False
