"""python -m bench.edgerules: speed of the language, beside firewalker and octorules on the same expressions."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from bench.edgerules.expressions import RULES, requests
from bench.edgerules.others import MissingError, firewalker, octorules
from edgerules.language import Expr, compile_filter, parse

ROUNDS = 7
GOAL_PARSE = 0.100
GOAL_REQUESTS = 5_000


def best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of some rounds: the one that was disturbed least."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def parse_all(texts: Sequence[str]) -> list[Expr]:
    return [parse(text) for text in texts]


def main() -> int:
    parsing = best(lambda: parse_all(RULES))
    filters = [compile_filter(expr) for expr in parse_all(RULES)]
    traffic = requests() * 20
    deciding = best(lambda: [decide(request) for request in traffic for decide in filters])
    rate = len(traffic) / deciding
    print(f"parse and check {len(RULES)} rules: {parsing * 1000:.1f} ms (goal: under {GOAL_PARSE * 1000:.0f} ms)")
    print(f"requests through all {len(RULES)} rules: {rate:,.0f} per second (goal: {GOAL_REQUESTS:,})")
    _beside("octorules", octorules, filters_per_second=None)
    _beside("firewalker", firewalker, filters_per_second=rate * len(RULES))
    return 0 if parsing < GOAL_PARSE and rate > GOAL_REQUESTS else 1


def _beside(
    name: str, tool: Callable[[Sequence[str], int], dict[str, Any]], *, filters_per_second: float | None
) -> None:
    """Ratios on the expressions that the other tool accepts."""
    try:
        found = tool(RULES, ROUNDS)
    except MissingError as missing:
        print(f"{missing} (not compared)")
        return
    accepted = found["accepted"]
    own = best(lambda: parse_all(accepted))
    print(
        f"{name} accepts {len(accepted)} of {len(RULES)}; it parses them in {found['seconds'] * 1000:.1f} ms, "
        f"edgerules in {own * 1000:.1f} ms: ratio {found['seconds'] / own:.2f}"
    )
    if filters_per_second and "decisions" in found:
        theirs = found["decisions"]
        print(f"{name} makes {theirs:,.0f} decisions per second, edgerules {filters_per_second:,.0f}: ", end="")
        print(f"ratio {filters_per_second / theirs:.1f}")


if __name__ == "__main__":
    sys.exit(main())
