"""What a converge or a check says: one JSON object per line, one line per item, and a last line about the whole.

    {"item": "file:/etc/ssh/sshd_config.d/10-infra.conf", "state": "changed", "reason": "...", "diff": "..."}
    {"run": "check", "seconds": 0.6, "release": "debian-12", "container": true, "confirm": "", ...}

`state` is one of
- ok        as desired,
- changed   apply: it differed and was put right. check: it differs, and apply would put it right,
- failed    it could not be put right, or not even looked at; `reason` is one sentence,
- extra     somebody's own addition (a user, a key, a listener, a firewall rule) that the desired state does not know,
- compared  it differs, and cannot be written here (in a container: kernel settings without a namespace, swap, time).

`reason` and `diff` are empty for ok. A diff is unified and never holds the content of a secret file.

`confirm` is a token when a guarded change waits for the second login, else empty; `confirmed` the last one that has
been confirmed. `run` is check, apply or converge (as the engine runs it: lines that are ok are left out, and a run that
failed says its sentences and nothing else). A report without its last line comes
from a run that was cut off. Standard library only: the script on the server writes what this module reads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

OK, CHANGED, FAILED, EXTRA, COMPARED = "ok", "changed", "failed", "extra", "compared"
END = ("run", "seconds", "release", "container", "confirm", "confirmed", "facts")
STATES = (OK, CHANGED, FAILED, EXTRA, COMPARED)


class ReportError(Exception):
    """The text is no report; the sentence says what it is instead."""


@dataclass(frozen=True)
class Line:
    item: str
    state: str
    reason: str = ""
    diff: str = ""

    @property
    def kind(self) -> str:
        return self.item.partition(":")[0]

    @property
    def name(self) -> str:
        return self.item.partition(":")[2]


@dataclass(frozen=True)
class Report:
    lines: tuple[Line, ...] = ()
    run: str = ""
    seconds: float = 0.0
    release: str = ""
    container: bool = False
    confirm: str = ""
    confirmed: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def of(self, *states: str) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.state in states)

    @property
    def drift(self) -> tuple[Line, ...]:
        """What is not as desired and could be; in a check."""
        return self.of(CHANGED, FAILED, EXTRA)

    @property
    def fingerprint(self) -> str:
        """Empty without drift; the same for the same drift."""
        if not self.drift:
            return ""
        text = json.dumps([[line.item, line.state, line.diff] for line in self.drift])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def parse(text: str) -> Report:
    lines: list[Line] = []
    end: dict[str, Any] | None = None
    for number, row in enumerate(text.splitlines(), 1):
        try:
            data = json.loads(row)
        except ValueError:
            raise ReportError(f"Line {number} of the server's report is no JSON: {row[:80]!r}") from None
        if isinstance(data, dict) and "run" in data:
            end = data
        else:
            lines.append(_line(data, number))
    if end is None:
        raise ReportError("The server's report ends early: the run was cut off. Run it again.")
    known = {name: value for name, value in end.items() if name in END}
    return Report(tuple(lines), **known)


def token(output: str) -> str:
    """For the second login after a converge. It stays the same while nothing guarded changes; none without output."""
    if not output:
        return ""
    report = parse(output)
    return report.confirm or report.confirmed


def _line(data: Any, number: int) -> Line:
    try:
        line = Line(**data)
    except TypeError:
        raise ReportError(f"Line {number} of the server's report is not about an item.") from None
    if line.state not in STATES:
        raise ReportError(f"Line {number} of the server's report has the state {line.state!r}.")
    return line


def write(line: Line) -> str:
    """Empty parts are left out: most lines are ok, and the whole is kept in the stack's state."""
    data = {name: value for name, value in asdict(line).items() if value or name in ("item", "state")}
    return json.dumps(data, ensure_ascii=False)


def write_end(report: Report) -> str:
    data = asdict(report)
    del data["lines"]
    return json.dumps(data, ensure_ascii=False)


def sentences(lines: Iterable[Line]) -> list[str]:
    return [f"{line.item}: {line.reason}" for line in lines]
