"""python -m bench.edgerules: speed of the language, beside firewalker and octorules on the same expressions."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.edgerules import zones
from bench.edgerules.expressions import RULES, requests
from bench.edgerules.others import MissingError, firewalker, octorules
from edgerules.language import Expr, check_all, compile_filter, parse

CORPUS = Path(__file__).parents[2] / "tests" / "unit" / "edgerules" / "language" / "data"
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
    _documentation()
    zones.measure()
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


def _documentation() -> None:
    """How many of the documentation's own filter expressions each tool judges as the documentation does."""
    valid = [text for _, result, text in _corpus("valid.tsv") if result == "filter"]
    invalid = [row[-1] for row in _corpus("invalid.tsv")]
    print(f"documented filters: {len(valid)} valid, {len(invalid)} invalid; judged rightly:")
    _judged("edgerules", [text for text in (*valid, *invalid) if _accepts(text)], valid, invalid)
    for name, tool in (("octorules", octorules), ("firewalker", firewalker)):
        try:
            _judged(name, tool([*valid, *invalid], 1)["accepted"], valid, invalid)
        except MissingError as missing:
            print(f"{missing} (not compared)")


def _accepts(text: str) -> bool:
    return not any(finding.severity == "error" for finding in check_all(text))


def _judged(name: str, accepted: Sequence[str], valid: Sequence[str], invalid: Sequence[str]) -> None:
    right = sum(text in accepted for text in valid), sum(text not in accepted for text in invalid)
    print(f"  {name}: {right[0]} of {len(valid)} accepted, {right[1]} of {len(invalid)} refused")


def _corpus(name: str) -> list[list[str]]:
    lines = (CORPUS / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


if __name__ == "__main__":
    sys.exit(main())
