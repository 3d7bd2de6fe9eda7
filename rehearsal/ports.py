"""Ports of loopback for servers that take a number: not those that the kernel gives to connections meanwhile."""

from __future__ import annotations

import random
import socket

# Below where Linux, macOS and Docker take the ports from that they choose themselves.
RANGE = range(20_000, 32_000)
TRIES = 200


def free() -> int:
    """One that nobody listens on now, and that is unlikely to be taken before it is used."""
    for port in random.sample(RANGE, TRIES):
        if can_be_taken(port) is None:
            return port
    raise OSError(f"None of {TRIES} ports from {RANGE.start} to {RANGE.stop} of 127.0.0.1 is free.")


def can_be_taken(port: int) -> OSError | OverflowError | None:
    """None, or what stands in the way."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            return error
    return None
