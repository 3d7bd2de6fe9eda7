"""Many people at once: each with a connection of his own that stays open, reading for a while between two requests."""

from __future__ import annotations

import asyncio
import random
import resource
import time
from collections.abc import Callable

from rehearsal.load import http1
from rehearsal.load.answer import Answer, BrokenError
from rehearsal.load.plan import SECONDS, Plan, ask
from rehearsal.load.record import End, Record
from rehearsal.load.target import Target

KIND = "crowd"
FILES = 8192


class Crowd:
    """`plan.people` of them; each arrives within the first moments of thinking, so that they do not come in step."""

    def __init__(self, target: Target, plan: Plan, told: Callable[[Record], None]) -> None:
        self._target, self._plan, self._told = target, plan, told
        self._context = target.context()
        self._offset = time.time() - time.monotonic()
        self._sent = 0
        # The same crowd in every run.
        self._chance = random.Random(plan.people)  # noqa: S311 - nobody has to be unable to guess it

    async def run(self, stop: asyncio.Event) -> End:
        _allow_files()
        began = self._now()
        people = [asyncio.create_task(self._person(number, stop)) for number in range(self._plan.people)]
        _, late = await asyncio.wait([asyncio.create_task(stop.wait())], timeout=self._plan.seconds)
        stop.set()
        end = End(began, self._now(), self._sent)
        await asyncio.gather(*people)
        for task in late:
            task.cancel()
        return end

    async def _person(self, number: int, stop: asyncio.Event) -> None:
        await self._think(stop, self._chance.uniform(0, self._plan.think))
        connection: http1.Connection | None = None
        while not stop.is_set():
            due = self._now()
            self._sent += 1
            outcome, version, again = "", "nobody", False
            try:
                connection, answer, again = await self._ask(number, connection)
                version, outcome = answer.version, str(answer.status) if answer.status >= 400 else ""
            except (BrokenError, asyncio.TimeoutError) as error:
                connection, outcome = None, error.kind if isinstance(error, BrokenError) else "timeout"
            self._told(Record(KIND, due, due, self._now(), outcome, version, "", again, again))
            await self._think(stop, self._chance.uniform(0.5, 1.5) * self._plan.think)
        if connection is not None:
            connection.close()

    async def _ask(self, number: int, connection: http1.Connection | None) -> tuple[http1.Connection, Answer, bool]:
        kept = connection if connection is not None and connection.open_still else None
        try:
            return await asyncio.wait_for(self._once(number, kept), SECONDS)
        except BrokenError as error:
            if not error.untouched:
                raise
            opened, answer, _ = await asyncio.wait_for(self._once(number, None), SECONDS)
            return opened, answer, True

    async def _once(self, number: int, kept: http1.Connection | None) -> tuple[http1.Connection, Answer, bool]:
        connection = kept or await http1.Connection.open(self._target, self._context)
        return connection, await connection.ask(ask(self._plan, "kept GET", number)), False

    async def _think(self, stop: asyncio.Event, seconds: float) -> None:
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except asyncio.TimeoutError:
            return

    def _now(self) -> float:
        return time.monotonic() + self._offset


def _allow_files() -> None:
    """A connection is an open file, and a shell allows its children 1 024 of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
