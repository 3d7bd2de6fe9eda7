"""Which requests the edge would treat otherwise, and which committed cases it would not keep."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from edgerules.cases import load_cases, run_file
from edgerules.diff import Report, Sent, diff, read_corpus
from edgerules.simulator import Edge, Outcome
from edgerules.zone import InputError, Zone, load
from ops.review.rehearsal import HEAD, Tree
from ops.review.report import EdgeReview, Verdict

# The zones that have committed cases are production's.
STACK = "production"
CASES = "edge.cases.yaml"


class ExportError(Exception):
    """Why a version of the project has no zone to show."""


def review_edge(base: Tree, system: str) -> EdgeReview:
    with tempfile.TemporaryDirectory(prefix="review-zones-") as folder:
        try:
            new = load(str(_export(HEAD, system, Path(folder) / "head.yaml")))
            failures, corpus = _cases(HEAD, system, new[0])
        except (ExportError, InputError) as error:
            return EdgeReview(system, failures=[f"The zone could not be tried: {error}"])
        try:
            old = load(str(_export(base, system, Path(folder) / "base.yaml")))
        except (ExportError, InputError) as error:
            return EdgeReview(system, failures=failures, unjudged=[f"The zone of the base could not be read: {error}"])
        corpus += _only_of(base, system, new[0], corpus)
        return _compared(system, diff(Edge(*old), Edge(*new), corpus), failures)


def _export(tree: Tree, system: str, target: Path) -> Path:
    """The zone that a version's own code makes of its own stack file."""
    command = [sys.executable, "-m", "ops.edge.export", str(tree.stack_file(system, STACK))]
    done = subprocess.run(
        command, cwd=tree.root, env=tree.environment(os.environ), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ExportError((done.stderr.strip().splitlines() or ["its export failed"])[-1])
    target.write_text(done.stdout)
    return target


def _cases(tree: Tree, system: str, zone: Zone) -> tuple[list[str], list[Sent]]:
    file = tree.root / system / CASES
    if not file.is_file():
        return [], []
    failures = [text for result in run_file(load_cases(str(file), zone)) for text in result.failures]
    return [_first_lines(text, tree.root) for text in failures], read_corpus(str(file), zone)


def _first_lines(failure: str, root: Path) -> str:
    """Which case, and what it expected: the rest is what `python -m edgerules test` is for."""
    case, _, rest = failure.replace(f"{root}/", "").partition("\n")
    return f"{case.partition(': ')[2] or case}: {rest.strip().splitlines()[0] if rest.strip() else ''}"


def _only_of(base: Tree, system: str, zone: Zone, known: list[Sent]) -> list[Sent]:
    """Requests that the base's cases make and the head's do not: a deleted case hides nothing."""
    file, asked = base.root / system / CASES, {str(sent.request) for sent in known}
    try:
        before = read_corpus(str(file), zone) if file.is_file() else []
    except InputError:
        return []
    return [sent for sent in before if str(sent.request) not in asked]


def _compared(system: str, report: Report, failures: list[str]) -> EdgeReview:
    verdicts = [Verdict(str(each.sent.request), _short(each.old), _short(each.new)) for each in report.changes]
    unknown = f"{report.unknown} of {report.total} requests depend on what only Cloudflare knows."
    return EdgeReview(system, report.total, verdicts, failures, [unknown] if report.unknown else [])


def _short(outcome: Outcome) -> str:
    return " ".join(outcome.summary().split())
