"""Where a server of a rehearsal answers: this machine's loopback, or a neighbour's address."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """An address, and what has to stand before a command so that it runs where that address is."""

    address: str
    prefix: tuple[str, ...] = ()


LOOPBACK = Place("127.0.0.1")
