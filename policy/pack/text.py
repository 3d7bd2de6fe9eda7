"""What a person reads: one short block for each violation, and a table at the end."""

from __future__ import annotations

from collections.abc import Iterable

from rules.frame import About

from .ledger import Ledger, Violation

# More than this many lines, and names in a line, are counted and not listed.
LISTED, SHOWN = 12, 4


def block(violation: Violation) -> str:
    """The engine itself prints the rule, its severity, the resource and the reason above it."""
    about = violation.about
    return f"{violation.property}: {violation.problem}\n  Fix: {about.fix}\n  Answers: {sources(about)}"


def sources(about: About) -> str:
    return ", ".join(about.frameworks) or "own rule"


def name_of(urn: str) -> str:
    return urn.rpartition("::")[2]


def summary(ledger: Ledger, disabled: Iterable[str]) -> str:
    """Empty when nothing was found, excepted or switched off: then a table would only hide what else is said."""
    standing, excepted, off = ledger.standing(), ledger.excepted(), sorted(disabled)
    if not (standing or excepted or off):
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


def open_values(ledger: Ledger) -> str:
    """What nobody could judge, once, with the rules that will: the same property of several resources in one line."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for (urn, path), rules in sorted(ledger.unjudged.items()):
        grouped.setdefault((path, ", ".join(sorted(rules))), []).append(name_of(urn))
    lines = [f"  {path} of {_some(names)} ({rules})" for (path, rules), names in grouped.items()]
    if len(lines) > LISTED:
        lines = [*lines[:LISTED], f"  and {len(lines) - LISTED} more"]
    count = len(ledger.unjudged)
    values = "1 value is not known yet and was" if count == 1 else f"{count} values are not known yet and were"
    return "\n".join([f"{values} not judged:", *lines]) if lines else ""


def _some(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= SHOWN else f"{', '.join(names[:SHOWN])} and {len(names) - SHOWN} more"
