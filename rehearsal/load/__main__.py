"""The client's own process: a plan on standard input, a line for each request on standard output.

It ends when it is told to, when its time is over, and when the one who started it is gone.
"""

from __future__ import annotations

import asyncio
import json
import sys

from rehearsal.load.client import Client
from rehearsal.load.crowd import Crowd
from rehearsal.load.plan import Plan
from rehearsal.load.record import Record
from rehearsal.load.target import Target

FLUSH = 0.1


async def main() -> None:
    given = json.loads(sys.stdin.readline())
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    # The next thing that is said, or the end of the one who would say it.
    loop.add_reader(sys.stdin, stop.set)

    def told(record: Record) -> None:
        sys.stdout.write(record.line())

    flushing = asyncio.create_task(_flush())
    target, plan = Target(**given["target"]), Plan(**given["plan"])
    asker = Crowd(target, plan, told) if plan.people else Client(target, plan, told)
    end = await asker.run(stop)
    flushing.cancel()
    sys.stdout.write(end.line())
    sys.stdout.flush()


async def _flush() -> None:
    while True:
        await asyncio.sleep(FLUSH)
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
