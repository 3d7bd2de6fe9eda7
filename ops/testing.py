"""`make test`: everything that has to pass before a change lands, cheapest first."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from ops import engine, verdict
from ops.errors import reported

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / ".toolchain" / "reports"

TELLING = ["-v", "--tb=short", "--durations=15", "--durations-min=5"]
# A machine may be busy with other things, and one of the tests has to build the image of a server first.
PATIENT = [*TELLING, "--timeout=900"]
# Tests of the engine and of machines wait more than they compute: three at a time on two cores.
SIDE_BY_SIDE = [*PATIENT, "-n", "3", "--dist", "loadgroup", "--no-loadscope-reorder"]
PHASES = {
    "lint": ["-m", "ops.lint"],
    "unit and policy": ["-m", "pytest", "-q", "--tb=short", "-n", "2", "tests/unit", "tests/policy"],
    "differential": ["-m", "pytest", *TELLING, "tests/differential"],
    "program": ["-m", "pytest", *SIDE_BY_SIDE, "-m", "not long", "tests/program"],
    # On a new machine these come first and build an image that others find.
    "rehearsal, alone": ["-m", "pytest", *PATIENT, "-m", "alone and not long", "tests/rehearsal"],
    "rehearsal": ["-m", "pytest", *SIDE_BY_SIDE, "-m", "not alone and not long", "tests/rehearsal"],
}


def main() -> int:
    started = time.monotonic()
    shutil.rmtree(REPORTS, ignore_errors=True)
    print("=== engine", flush=True)
    # Built here if need be, and not within the time that a single test has.
    engine.ensure(lambda text: print(text, flush=True))
    took = {"engine": time.monotonic() - started}
    for name, arguments in PHASES.items():
        began = time.monotonic()
        print(f"\n=== {name} ({began - started:.0f} s)", flush=True)
        report = REPORTS / f"{name}.xml"
        status = subprocess.run([sys.executable, *arguments, *_reported(arguments, report)], cwd=ROOT, check=False)
        took[name] = time.monotonic() - began
        if status.returncode:
            _tell_failure(name, report, time.monotonic() - started)
            return 1
    print(f"\n{', '.join(f'{name} {seconds:.0f} s' for name, seconds in took.items())}")
    print(f"all passed in {time.monotonic() - started:.0f} s", flush=True)
    return 0


def _reported(arguments: list[str], report: Path) -> list[str]:
    return [f"--junit-xml={report}"] if "pytest" in arguments else []


def _tell_failure(name: str, report: Path, seconds: float) -> None:
    """Last of all, where it is read: which tests failed, and why."""
    print(f"\n=== what failed in {name}", file=sys.stderr)
    for line in verdict.lines(report):
        print(line, file=sys.stderr)
    print(f"\n{name} failed after {seconds:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    with reported():
        sys.exit(main())
