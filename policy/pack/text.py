"""What a person reads: one short block for each violation, and a table at the end."""

from __future__ import annotations

from collections.abc import Iterable

from rules.frame import About

from .ledger import Ledger, Violation

# More than this many open values are counted, not listed.
LISTED = 12


def block(violation: Violation) -> str:
    """The engine itself prints the rule, its severity, the resource and the reason above it."""
    about = violation.about
    return f"{violation.property}: {violation.problem}\n  Fix: {about.fix}\n  Answers: {sources(about)}"


def sources(about: About) -> str:
    return ", ".join(about.frameworks) or "own rule"


def name_of(urn: str) -> str:
    return urn.rpartition("::")[2]


def summary(ledger: Ledger, disabled: Iterable[str]) -> str:
    """Empty when every rule has judged everything and found nothing: then a table would only hide real news."""
    standing, excepted, off = ledger.standing(), ledger.excepted(), sorted(disabled)
    if not (standing or excepted or ledger.unjudged or off):
        return ""
    rows = [("subject", "judged", "stop", "warn", "excepted", "not known yet"), *_rows(ledger)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines += [f"excepted: {each.about.id} on {name_of(each.urn)} {_why(each)}" for each in excepted]
    if off:
        lines.append(f"switched off by this stack: {', '.join(off)}")
    return "\n".join(lines)


def _why(violation: Violation) -> str:
    given = violation.exception
    return f"until {given.expires.isoformat()} ({given.owner}: {given.reason})" if given else ""


def _rows(ledger: Ledger) -> Iterable[tuple[str, ...]]:
    subjects = sorted({rule.split("-")[0] for rule in ledger.judged})
    standing, excepted = ledger.standing(), ledger.excepted()
    for subject in subjects:
        own = [each for each in standing if each.about.subject == subject]
        yield (
            subject,
            str(sum(count for rule, count in ledger.judged.items() if rule.split("-")[0] == subject)),
            str(sum(each.level != "advisory" for each in own)),
            str(sum(each.level == "advisory" for each in own)),
            str(sum(each.about.subject == subject for each in excepted)),
            str(sum(any(rule.split("-")[0] == subject for rule in rules) for rules in ledger.unjudged.values())),
        )


def open_values(ledger: Ledger) -> list[tuple[str, str]]:
    """One sentence for each value that nobody could judge, with the resource it belongs to."""
    entries = sorted(ledger.unjudged.items())
    told = [
        (urn, f"{path} is not known yet, so {', '.join(sorted(rules))} could not judge it; `up` will.")
        for (urn, path), rules in entries[:LISTED]
    ]
    if len(entries) > LISTED:
        told.append(("", f"{len(entries) - LISTED} more values are not known yet and were not judged; `up` will."))
    return told
