"""python -m tests.differential.run --pairs 100000 --seed 1: the long comparison with Cloudflare's engine."""

from __future__ import annotations

import argparse
import sys
import time

from tests.differential.compare import compare
from tests.differential.oracle import OracleMissingError, build

_BATCH = 20_000


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare edgerules with wirefilter-engine 0.6.1 on random pairs.")
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    try:
        build()
    except OracleMissingError as missing:
        print(missing, file=sys.stderr)
        return 2
    return _run(options.pairs, options.seed)


def _run(pairs: int, seed: int) -> int:
    started, totals, differences = time.monotonic(), {"1": 0, "0": 0, "error": 0}, 0
    for batch in range(0, pairs, _BATCH):
        outcome = compare(min(_BATCH, pairs - batch), seed + batch)
        for answer, count in outcome.answers.items():
            totals[answer] += count
        differences += len(outcome.differences)
        for line in outcome.differences[:10]:
            print(line)
    seconds = time.monotonic() - started
    print(
        f"{pairs} pairs from seed {seed}: {totals['1']} true, {totals['0']} false, "
        f"{totals['error']} refused by both, {differences} differences, {seconds:.0f} s"
    )
    return 1 if differences else 0


if __name__ == "__main__":
    raise SystemExit(main())
