"""What all handlers share."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from redis.asyncio import Redis

from rehearsal.stub.database import Pool
from rehearsal.stub.drain import Drain
from rehearsal.stub.settings import Settings

# Typed keys are younger than the aiohttp of Debian 12, and the newer one warns of plain ones.
STATE: Any = web.AppKey("state", object) if hasattr(web, "AppKey") else "state"


@dataclass
class State:
    settings: Settings
    pool: Pool
    redis: Redis
    drain: Drain
    started: float
    answers: Counter[int] = field(default_factory=Counter)
    """Answers by status, for /api/v1/metrics."""
    error_debt: float = 0.0
    """How much of an answer FAULT_ERROR_RATE still owes a 500."""
    sockets: set[str] = field(default_factory=set)
    """Socket.IO sessions on this instance."""
    held_memory: list[bytearray] = field(default_factory=list)
    """What FAULT_MEMORY_MB holds on to."""
