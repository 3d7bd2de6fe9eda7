"""The report for people: what cannot be taken back first. python -m ops.review.markdown REPORT.json

Every name and message in it may come from a stranger's pull request, so each stands in code: there it is neither a
link nor a picture, mentions nobody, and ends where it seems to end. Standard library only.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from ops.review.report import Change, EdgeReview, ReportError, Review, StackReview, Verdict, Violation, read

MARKER = "<!-- infrastructure-review -->"
LONGEST = 60_000
MOST_CHANGES = 40
MOST_DIFFERENCES = 6
MOST_LINES = 30
MOST_NAMES = 8
MOST_CASES = 10
SIGNS = {"create": "+", "update": "~", "replace": "+-", "delete": "-", "unprotect": "!"}
WORDS = {
    "create": "to create",
    "update": "to update",
    "replace": "to replace",
    "delete": "to delete",
    "unprotect": "no longer protected",
}


def markdown(review: Review) -> str:
    parts = [_head(review), *_first(review), *_policies(review), *_edges(review), *_changes(review), *_rest(review)]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(parts))
    if len(text) > LONGEST:
        text = text[:LONGEST].rpartition("\n")[0]
        # A block that was cut open would swallow what follows.
        text += "\n```\n" if len(re.findall(r"^```", text, re.MULTILINE)) % 2 else ""
        text += "\n\nThe report is longer than a comment may be: the rest is in the job's summary and artifact.\n"
    return text


def code(text: str, limit: int = 120) -> str:
    """One line of somebody else's text, as code."""
    line = " ".join(_printable(text).split()).replace("`", "'")
    line = line if len(line) <= limit else f"{line[: limit - 3]}..."
    return f"`{line}`" if line else "(empty)"


def block(text: str, limit: int = 1_500) -> str:
    """Several lines of somebody else's text, as code."""
    lines = (_printable(line).rstrip().replace("```", "'''") for line in text[:limit].strip().splitlines())
    return "\n".join(["```text", *lines, "```"])


def _printable(text: str) -> str:
    """Without what steers a terminal or turns the direction of reading."""
    return "".join(" " if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs", "Co") else char for char in text)


def _head(review: Review) -> str:
    changes = sum(len(stack.changes) for stack in review.stacks)
    stopping = sum(violation.stops for stack in review.stacks for violation in stack.violations)
    failed = [stack for stack in review.stacks if stack.errors]
    cases = sum(len(edge.failures) for edge in review.edges)
    reasons = [
        _count(stopping, "policy violation"),
        _count(len(failed), "preview that failed", "previews that failed"),
        _count(cases, "edge case that fails", "edge cases that fail"),
    ]
    found = [reason for reason in reasons if not reason.startswith("0 ")]
    verdict = f"stopped by {', '.join(found)}" if found else (_count(changes, "change") if changes else "no changes")
    stacks = ", ".join(f"{stack.system} {stack.stack}" for stack in review.stacks)
    commits = f"{code(review.head)} previewed on top of {code(review.base)}"
    return f"{MARKER}\n## Infrastructure: {verdict}\n\n{commits}, on the embedded clouds: {code(stacks)}.\n"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one}" if number == 1 else f"{number} {many or one + 's'}"


def _first(review: Review) -> Iterator[str]:
    """What cannot be taken back, then what users notice, then what is made anew."""
    changes = [(stack, change) for stack in review.stacks for change in stack.changes]
    groups = (
        ("Data that would be deleted", [(each, each[1].loses) for each in changes if each[1].loses]),
        ("Protection that would go", [(each, "") for each in changes if each[1].op == "unprotect"]),
        ("Outages", [(each, each[1].outage) for each in changes if each[1].outage]),
        ("Replacements", [(each, "") for each in changes if each[1].op == "replace" and not _told(each[1])]),
    )
    for title, found in groups:
        if not found:
            continue
        yield f"### {title}\n"
        for (stack, change), what in found[:MOST_LINES]:
            words = WORDS.get(change.op, change.op)
            why = f": {_plain(what)}" if what else ""
            yield f"- {code(change.name)} ({_kind(change)}, {_where(stack)}), {_plain(words)}{why}"
        yield from _more(found, MOST_LINES)
        yield ""


def _told(change: Change) -> bool:
    return bool(change.loses or change.outage)


def _policies(review: Review) -> Iterator[str]:
    found = [(stack, each) for stack in review.stacks for each in stack.violations]
    stops, warns = (list(_alike(pair for pair in found if pair[1].stops is stopping)) for stopping in (True, False))
    yield "### Policies\n"
    if not found:
        yield "Nothing is violated.\n"
    for where, violation in stops[:MOST_LINES]:
        yield f"**Stops** {where}, by {code(violation.rule)}\n\n{block(violation.message)}\n"
    yield from _more(stops, MOST_LINES)
    for where, violation in warns[:MOST_LINES]:
        yield f"- Warns {where}, by {code(violation.rule)}: {code(violation.message, 300)}"
    yield from _more(warns, MOST_LINES)
    yield from _said(review)


def _alike(found: Iterable[tuple[StackReview, Violation]]) -> Iterator[tuple[str, Violation]]:
    """The same words about several resources once, with all of their names."""
    groups: dict[tuple[str, str], list[tuple[StackReview, Violation]]] = {}
    for stack, violation in found:
        groups.setdefault((violation.rule, violation.message), []).append((stack, violation))
    for group in groups.values():
        names = [f"{code(each.resource)} ({_where(stack)})" for stack, each in group]
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        yield ", ".join(names[:MOST_NAMES]) + more, group[0][1]


def _said(review: Review) -> Iterator[str]:
    for stack in review.stacks:
        for error in stack.errors[:MOST_LINES]:
            yield f"\n**The preview of {_where(stack)} failed**\n\n{block(error)}\n"
        if stack.says:
            yield f"\nThe program of {_where(stack)} says:\n\n{block(chr(10).join(stack.says[:MOST_LINES]))}\n"


def _edges(review: Review) -> Iterator[str]:
    for edge in review.edges:
        if edge.verdicts or edge.failures:
            yield from _edge(edge)


def _edge(edge: EdgeReview) -> Iterator[str]:
    yield f"### Edge of {_plain(edge.system)}\n"
    if edge.failures:
        yield f"{_count(len(edge.failures), 'committed case is', 'committed cases are')} not kept:\n"
        yield from (f"- {code(failure, 300)}" for failure in edge.failures[:MOST_CASES])
        yield from _more(edge.failures, MOST_CASES)
        yield ""
    if edge.verdicts:
        yield f"{len(edge.verdicts)} of {_count(edge.requests, 'request')} would be answered otherwise:\n"
        yield from _verdicts(edge.verdicts)
        yield ""


def _verdicts(verdicts: list[Verdict]) -> Iterator[str]:
    """Requests that fare alike in one line, with one of them."""
    groups: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault((verdict.before, verdict.after), []).append(verdict)
    for (before, after), group in list(groups.items())[:MOST_LINES]:
        more = f" and {len(group) - 1} more" if len(group) > 1 else ""
        yield f"- {code(before)}, then {code(after)}: {code(group[0].request)}{more}"
    yield from _more(groups, MOST_LINES)


def _changes(review: Review) -> Iterator[str]:
    if not any(stack.changes for stack in review.stacks):
        return
    yield "### Changes\n"
    for stack in review.stacks:
        if not stack.changes:
            yield f"{_where(stack)}: none.\n"
            continue
        counts = Counter(change.op for change in stack.changes)
        summary = ", ".join(f"{counts[op]} {words}" for op, words in WORDS.items() if counts[op])
        cut = " (as far as the preview came)" if stack.incomplete else ""
        yield f"<details><summary>{_where(stack)}: {summary}, {stack.unchanged} as they are{cut}</summary>\n"
        yield from _by_component(stack.changes)
        yield "</details>\n"


def _by_component(changes: list[Change]) -> Iterator[str]:
    ordered = sorted(changes, key=lambda change: (change.component, list(SIGNS).index(change.op), change.name))
    for component, group in groupby(ordered[:MOST_CHANGES], key=lambda change: change.component):
        yield f"\n{code(component)}\n"
        for change in group:
            sign = SIGNS[change.op]
            yield f"- `{sign}` {code(change.name)} ({_kind(change)}){_differences(change)}"
    yield from _more(changes, MOST_CHANGES)
    yield ""


def _differences(change: Change) -> str:
    shown = [
        f"{code(each.path, 60)} {code(each.old, 50)} to {code(each.new, 50)}"
        for each in change.differences[:MOST_DIFFERENCES]
    ]
    more = len(change.differences) - len(shown)
    return (": " + "; ".join(shown) if shown else "") + (f"; {more} more" if more else "")


def _rest(review: Review) -> Iterator[str]:
    lines = [code(note, 300) for note in review.notes]
    lines += [f"{_where(stack)}: {code(text, 300)}" for stack in review.stacks for text in stack.unjudged]
    lines += [f"{_plain(edge.system)}: {code(text, 300)}" for edge in review.edges for text in edge.unjudged]
    if lines:
        yield "### What could not be judged\n"
        yield from (f"- {line}" for line in lines[:MOST_LINES])
        yield from _more(lines, MOST_LINES)
        yield ""


def _more(items: Iterable[object], shown: int) -> Iterator[str]:
    more = len(list(items)) - shown
    if more > 0:
        yield f"- and {more} more"


def _kind(change: Change) -> str:
    return _plain(change.type.rsplit(":", 1)[-1])


def _where(stack: StackReview) -> str:
    return _plain(f"{stack.system} {stack.stack}")


def _plain(text: str) -> str:
    """Words of our own; whatever else somebody put there is taken out."""
    # A dot within a word could make an address of it, which code hosts turn into a link.
    return re.sub(r"[^\w ,.:'-]|_|\.(?=\w)", " ", _printable(text))[:200]


def main(arguments: list[str]) -> int:
    try:
        print(markdown(read(Path(arguments[0]).read_text(encoding="utf-8"))))
    except (ReportError, OSError, UnicodeDecodeError, IndexError) as error:
        print(f"No report could be shown: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
