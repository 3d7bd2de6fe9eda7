"""Cloudflare's own addresses: who may reach the origin, and whose word about the visitor's address is believed."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from components.values import Cidr

LIST = Path(__file__).parent / "files" / "cloudflare-addresses.txt"


@lru_cache
def cloudflare_addresses() -> tuple[Cidr, ...]:
    """IPv4 and IPv6 ranges, in Cloudflare's order."""
    return tuple(line for line in LIST.read_text().splitlines() if line and not line.startswith("#"))


def as_of() -> str:
    """The date of the list; Cloudflare announces changes, the last one came after years."""
    return next(line.removeprefix("# as of ") for line in LIST.read_text().splitlines() if line.startswith("# as of "))
