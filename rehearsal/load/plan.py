"""What is asked, how often, and by whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

VISITORS = 20_000
SECONDS = 15.0
"""After that an answer has not come."""
SLOW = 10.0
SOCKETS = 20
MOST = 3600.0
"""Nobody asks for longer than this, whatever happens to the one who waits for the end."""

READ, WRITE = "/api/v1/users/me", "/api/v1/ledger"

SHORT = {"new GET": 10, "new POST": 10, "kept GET": 30, "kept POST": 25, "HTTP/2 GET": 15, "HTTP/2 POST": 10}
"""Of 100 requests, each class as many: over a new connection, a kept one, or as a stream of HTTP/2."""
EVERY = {**SHORT, "kept GET": 26, "kept POST": 23, "slow": 1, "WebSocket": 5}


@dataclass(frozen=True)
class Plan:
    """`rate` requests a second, whether or not the answers come: a slow server does not slow its visitors down."""

    rate: float = 40.0
    seconds: float = MOST
    prefix: str = "load"
    mix: Mapping[str, int] = field(default_factory=lambda: dict(SHORT))
    slow: float = SLOW
    people: int = 0
    """With some, there is no rate: so many connections stay open, and each asks after having thought."""
    think: float = 5.0

    @property
    def expected(self) -> float:
        """Requests a second."""
        return self.people / self.think if self.people else self.rate


@dataclass(frozen=True)
class Ask:
    """One request. A key makes it a write that the application's ledger counts."""

    kind: str
    number: int
    path: str
    visitor: str
    key: str = ""

    @property
    def method(self) -> str:
        return "POST" if self.key else "GET"

    def headers(self, host: str) -> list[tuple[str, str]]:
        """As Cloudflare passes on what a signed-in visitor asks: such answers are never cached."""
        named = [("Host", host), ("CF-Connecting-IP", self.visitor), ("Authorization", "Bearer rehearsal")]
        return [*named, ("Idempotency-Key", self.key), ("Content-Length", "0")] if self.key else named


def asks(plan: Plan) -> Iterator[Ask]:
    """Without an end; the classes evenly mixed."""
    number = 0
    while True:
        for kind in cycle(plan.mix):
            number += 1
            yield ask(plan, kind, number)


def ask(plan: Plan, kind: str, number: int) -> Ask:
    if kind == "slow":
        return Ask(kind, number, f"/api/v1/slow?seconds={plan.slow:g}", visitor(number))
    if kind.endswith("POST"):
        return Ask(kind, number, WRITE, visitor(number), f"{plan.prefix}-{number}")
    return Ask(kind, number, READ, visitor(number))


def cycle(mix: Mapping[str, int]) -> list[str]:
    """Whoever is furthest behind his share is next."""
    total, given, order = sum(mix.values()), dict.fromkeys(mix, 0), []
    for place in range(1, total + 1):
        kind = max(mix, key=lambda each: mix[each] * place / total - given[each])
        given[kind] += 1
        order.append(kind)
    return order


def visitor(number: int) -> str:
    """One of 20 000 addresses out of the range for measurements (RFC 2544)."""
    high, low = divmod(number * 7919 % VISITORS, 250)
    return f"198.18.{high}.{low + 1}"
