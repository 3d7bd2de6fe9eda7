"""`make policy-docs`: docs/policies.md, from the rules themselves and from coverage.tsv."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pulumi_policy import EnforcementLevel
from rules import RULES
from rules.frame import About, Rule

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "policies.md"
TOOLS = {
    "Checkov": "3.3.30, checks for aws_s3_*, aws_iam_* and Docker",
    "KICS": "queries for docker-compose, S3 and IAM, by the beginning of their id",
    "Trivy": "trivy-checks of November 2026, S3, IAM and Dockerfile",
    "Prowler": "November 2026, services s3, iam and cloudflare",
}
SUBJECTS = {
    "exposure": "Who can reach what",
    "tls": "Nothing travels in the clear",
    "storage": "Buckets are private and keep what they hold",
    "identity": "As little as the task needs",
    "containers": "A container that is broken into stays a container",
    "hosts": "Commands on hosts",
    "credentials": "Nobody guesses them, nobody reads them",
    "edge": "Every public name stands behind Cloudflare",
    "data": "What cannot be made again is not lost",
    "naming": "What it is, whose it is",
}
WHEN = {
    EnforcementLevel.MANDATORY: "stops",
    EnforcementLevel.ADVISORY: "warns",
    EnforcementLevel.DISABLED: "on request",
}
HEAD = """\
# Policies

Every rule of the policy pack in `policy/`, written by `make policy-docs` from the rules themselves: change those. How
to use, configure and except them is in [policy-pack.md](policy-pack.md).

*stops*: a preview or update ends. *warns*: it goes on. *on request*: sleeps until a stack switches it on by name,
because it costs money or does not fit machines. *(stack)*: judged when all resources are known, about how they stand
to each other; all others are judged before anything exists.
"""


@dataclass(frozen=True)
class Answer:
    tool: str
    check: str
    rules: tuple[str, ...]
    reason: str


def answers() -> list[Answer]:
    """Which of our rules answers which check of another tool: by the table, and by what the rules say themselves."""
    claims: dict[tuple[str, str], list[str]] = {}
    for rule in RULES:
        for claim in rule.about.frameworks:
            claims.setdefault(check_of(claim), []).append(rule.about.id)
    with (HERE / "coverage.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [_answer(row, claims.get((row["tool"], row["check"]), [])) for row in rows]


def check_of(claim: str) -> tuple[str, str]:
    """CKV_AWS_21 is Checkov's; the others say whose they are."""
    tool, _, check = claim.partition(" ")
    return ("Checkov", claim) if claim.startswith("CKV") else (tool, check)


def _answer(row: dict[str, str], claimed: list[str]) -> Answer:
    listed = [rule for rule in row["answered by"].split(", ") if rule]
    return Answer(row["tool"], row["check"], tuple(dict.fromkeys([*listed, *claimed])), row["why not"])


def page() -> str:
    return "\n".join([HEAD, *_counts(), *_rules(), *_coverage(), ""])


def _counts() -> Iterator[str]:
    levels = Counter(WHEN[rule.about.level] for rule in RULES)
    yield f"{len(RULES)} rules: " + ", ".join(f"{count} {level}" for level, count in levels.most_common()) + ".\n"


def _rules() -> Iterator[str]:
    for subject, title in SUBJECTS.items():
        own = [rule for rule in RULES if rule.about.subject == subject]
        yield f"## {subject}: {title} ({len(own)})\n"
        yield "| rule | severity | when | why | fix | answers |"
        yield "|---|---|---|---|---|---|"
        for rule in sorted(own, key=lambda rule: rule.about.id):
            when = WHEN[rule.about.level] + ("" if isinstance(rule, Rule) else " (stack)")
            if isinstance(rule, Rule) and rule.remediate:
                when += ", can remediate"
            yield _row(rule.about, when)
        yield ""


def _row(about: About, when: str) -> str:
    cells = (f"`{about.id}`", about.severity.value, when, about.reason, about.fix, ", ".join(about.frameworks))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _coverage() -> Iterator[str]:
    known = answers()
    yield "## What other checkers look for, and what answers it here\n"
    yield "| tool | checks | answered | do not apply |"
    yield "|---|---|---|---|"
    for tool, what in TOOLS.items():
        own = [each for each in known if each.tool == tool]
        done = sum(bool(each.rules) for each in own)
        yield f"| {tool} ({what}) | {len(own)} | {done} | {len(own) - done} |"
    for tool in TOOLS:
        own = [each for each in known if each.tool == tool]
        yield f"\n### {tool}\n"
        yield "| check | answered by |"
        yield "|---|---|"
        yield from _answer_rows(own)


def _answer_rows(own: Iterable[Answer]) -> Iterator[str]:
    """Checks with the same answer share a line."""
    grouped: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for each in own:
        grouped.setdefault((each.rules, each.reason), []).append(each.check)
    for (rules, reason), checks in sorted(grouped.items(), key=lambda item: (not item[0][0], item[1])):
        answer = ", ".join(f"`{rule}`" for rule in rules) if rules else f"does not apply: {reason}"
        yield f"| {', '.join(checks)} | {answer} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(HERE.parent)} has {len(RULES)} rules\n")
