"""Which of these addresses and ports take a TCP connection: run by a neighbour, prints the open ones as JSON.

    python knock.py SECONDS ADDRESS PORTS [ADDRESS PORTS ...]      PORTS: 22,80 or 1-65535

Standard library alone. Silence, a refusal and no route are all the same here: not open.
"""

from __future__ import annotations

import json
import resource
import select
import socket
import sys
import time
from collections.abc import Iterable, Iterator

BATCH = 4000


def knock(targets: Iterable[tuple[str, int]], seconds: float) -> Iterator[tuple[str, int]]:
    """A batch at a time, all of it at once: what is silent costs the same second for all."""
    waiting = list(targets)
    while waiting:
        batch, waiting = waiting[:BATCH], waiting[BATCH:]
        yield from _together(batch, seconds)


def _together(targets: list[tuple[str, int]], seconds: float) -> Iterator[tuple[str, int]]:
    poll = select.epoll()
    tried = {}
    for target in targets:
        door = socket.socket(socket.AF_INET6 if ":" in target[0] else socket.AF_INET)
        door.setblocking(False)
        door.connect_ex(target)
        poll.register(door, select.EPOLLOUT)
        tried[door.fileno()] = (door, target)
    deadline = time.monotonic() + seconds
    while tried and (left := deadline - time.monotonic()) > 0:
        for number, _ in poll.poll(left):
            door, target = tried.pop(number)
            poll.unregister(number)
            if door.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                yield target
            door.close()
    for door, _ in tried.values():
        door.close()
    poll.close()


def targets_of(words: list[str]) -> Iterator[tuple[str, int]]:
    for address, ports in zip(words[::2], words[1::2], strict=True):
        for part in ports.split(","):
            first, _, last = part.partition("-")
            for port in range(int(first), int(last or first) + 1):
                yield address, port


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, BATCH + 200), most))
    print(json.dumps(list(knock(targets_of(sys.argv[2:]), float(sys.argv[1])))))
