"""How long a warm preview of production takes, beside two floors measured in the same run.

    python -m bench.preview [--runs 5]

`empty` is a program without a line, `naive` one that imports the same SDKs and declares as many plain resources, both
without policies. Machines differ and are noisy: what counts are the ratios, from runs that take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.preview.programs import EMPTY, naive, with_records
from ops.session import Session, open_session
from ops.target import Target
from rehearsal.workspace import WORKSPACES

NAME = "bench"
GROWTH = (1, 100, 1000)


@dataclass(frozen=True)
class Subject:
    name: str
    folder: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Run:
    seconds: float
    megabytes: float
    """Of the largest process."""


def main() -> int:
    options = parse()
    session = open_session(Target("neurmatic", "production", NAME))
    try:
        production = Subject("production, policies", session.folder, session.environment)
        resources = count_resources(production)
        floors = [
            variant(session, "empty", EMPTY, policies=False),
            variant(session, "naive", naive(resources), policies=False),
        ]
        grown = [more_records(session, count) for count in GROWTH]
        grown += [variant(session, f"naive, {GROWTH[-1]} more", naive(resources + GROWTH[-1]), policies=False)]
        measured = take_turns([*floors, production, *grown], options.runs)
    finally:
        shutil.rmtree(WORKSPACES / NAME, ignore_errors=True)
    print(report(measured, resources))
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.preview")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each, after one that warms up")
    return parser.parse_args()


def variant(session: Session, name: str, program: str, policies: bool) -> Subject:
    folder = copy(session, name)
    (folder / "__main__.py").write_text(program)
    project = folder / "Pulumi.yaml"
    project.write_text(re.sub(r"^main: .*$", f"main: {folder}", project.read_text(), flags=re.MULTILINE))
    unchecked = {key: value for key, value in session.environment.items() if key != "PULUMI_OPTION_POLICY_PACK"}
    return Subject(name, folder, session.environment if policies else unchecked)


def more_records(session: Session, count: int) -> Subject:
    folder = copy(session, f"records-{count}")
    stack_file = folder / "Pulumi.production.yaml"
    stack_file.write_text(with_records(stack_file.read_text(), count))
    return Subject(f"production, {count} more", folder, session.environment)


def copy(session: Session, name: str) -> Path:
    return Path(shutil.copytree(session.folder, session.folder.parent / name))


def count_resources(subject: Subject) -> int:
    command = ["pulumi", "--non-interactive", "preview", "--json", "--stack", "production"]
    result = subprocess.run(
        command, cwd=subject.folder, env=dict(subject.environment), capture_output=True, text=True, check=True
    )
    return int(sum(json.loads(result.stdout)["changeSummary"].values()))


def take_turns(subjects: Iterable[Subject], runs: int) -> dict[str, list[Run]]:
    """A, B, C, A, B, C: a slow minute of the machine hits all of them."""
    listed = list(subjects)
    measured: dict[str, list[Run]] = {subject.name: [] for subject in listed}
    for turn in range(runs + 1):
        for subject in listed:
            if sys.stderr.isatty():
                print(f"run {turn} of {runs}: {subject.name}    ", end="\r", file=sys.stderr, flush=True)
            ran = preview(subject)
            if turn:
                measured[subject.name].append(ran)
    return measured


def preview(subject: Subject) -> Run:
    command = ["pulumi", "--non-interactive", "preview", "--stack", "production"]
    with tempfile.TemporaryFile() as said:
        started = time.monotonic()
        process = subprocess.Popen(
            command, cwd=subject.folder, env=dict(subject.environment), stdout=said, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        if status:
            said.seek(0)
            raise SystemExit(f"{subject.name} did not preview:\n{said.read().decode(errors='replace')[-1500:]}")
    return Run(seconds, usage.ru_maxrss / 1024)


def report(measured: Mapping[str, list[Run]], resources: int) -> str:
    lines = ["| preview | median s | min | max | times empty | times naive | MB |", "|---|---|---|---|---|---|---|"]
    for name, runs in measured.items():
        seconds = [run.seconds for run in runs]
        lines.append(
            f"| {name} | {statistics.median(seconds):.2f} | {min(seconds):.2f} | {max(seconds):.2f} "
            f"| {ratio(measured, name, 'empty'):.2f} | {ratio(measured, name, 'naive'):.2f} "
            f"| {max(run.megabytes for run in runs):.0f} |"
        )
    own = each_further(measured, *(f"production, {count} more" for count in (GROWTH[0], GROWTH[-1])))
    plain = each_further(measured, "naive", f"naive, {GROWTH[-1]} more")
    lines += [
        "",
        f"production declares {resources} resources; each further one costs {own:.1f} ms, "
        f"in the naive program without policies {plain:.1f} ms.",
    ]
    return "\n".join(lines)


def each_further(measured: Mapping[str, list[Run]], few: str, many: str) -> float:
    """Milliseconds for each of the resources that the second has more."""
    pairs = zip(measured[few], measured[many], strict=True)
    return statistics.median(b.seconds - a.seconds for a, b in pairs) * 1000 / GROWTH[-1]


def ratio(measured: Mapping[str, list[Run]], name: str, floor: str) -> float:
    """Turn by turn, so that both sides of each ratio saw the same machine."""
    pairs = zip(measured[name], measured[floor], strict=True)
    return statistics.median(one.seconds / other.seconds for one, other in pairs)


if __name__ == "__main__":
    sys.exit(main())
