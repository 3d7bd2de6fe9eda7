"""`make test`: everything that has to pass before a change lands, cheapest first."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from ops import engine
from ops.errors import reported

ROOT = Path(__file__).resolve().parent.parent

# The engine and rehearsal tests start processes and machines of their own: one at a time on two cores.
PHASES = {
    "lint": ["-m", "ops.lint"],
    "unit and policy": ["-m", "pytest", "-q", "-n", "2", "tests/unit", "tests/policy"],
    "differential": ["-m", "pytest", "-v", "tests/differential"],
    "program": ["-m", "pytest", "-v", "--durations=10", "-m", "not long", "tests/program"],
    # On a new machine the first of these tests builds the images that the others find.
    "rehearsal": ["-m", "pytest", "-v", "--durations=10", "--timeout=900", "-m", "not long", "tests/rehearsal"],
}


def main() -> int:
    started = time.monotonic()
    print("=== engine", flush=True)
    # Built here if need be, and not within the time that a single test has.
    engine.ensure(lambda text: print(text, flush=True))
    for name, arguments in PHASES.items():
        print(f"\n=== {name} ({time.monotonic() - started:.0f} s)", flush=True)
        if subprocess.run([sys.executable, *arguments], cwd=ROOT, check=False).returncode:
            print(f"\n{name} failed after {time.monotonic() - started:.0f} s", file=sys.stderr)
            return 1
    print(f"\nall passed in {time.monotonic() - started:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    with reported():
        sys.exit(main())
