"""The state of one request on its way through the zone."""

from __future__ import annotations

from collections.abc import Iterator

from edgerules.language import UNKNOWN, Unknown
from edgerules.simulator.fields import Fields
from edgerules.simulator.outcome import Cached, HeaderValue, Step, Stop
from edgerules.simulator.program import Compiled
from edgerules.simulator.request import Request

Answer = bool | Unknown


class Run:
    __slots__ = (
        "at",
        "cache",
        "fields",
        "headers",
        "headers_complete",
        "maybe",
        "origin_changes",
        "perhaps_skipped",
        "request",
        "skipped",
        "status",
        "steps",
        "stop",
        "trace",
    )

    def __init__(self, request: Request, fields: Fields, at: float, trace: bool) -> None:
        self.request = request
        self.fields = fields
        self.at = at
        self.trace = trace
        self.stop: Stop | None = None
        self.maybe: list[Stop] = []
        self.steps: list[Step] = []
        self.skipped: set[str] = set()
        self.perhaps_skipped: dict[str, str] = {}  # phase -> the rule that perhaps skips it
        self.cache: Cached | None = None
        self.origin_changes: dict[str, str] = {}
        self.status: int | None = None
        self.headers: dict[str, HeaderValue] = {}
        self.headers_complete = True

    def note(self, rule: Compiled, action: str, note: str = "") -> None:
        self.steps.append(Step(rule.phase, rule.name, action, note))

    def matches(self, rules: list[Compiled]) -> Iterator[tuple[Compiled, Answer]]:
        """The rules that match or may match. Nobody may change fields before the iteration ends."""
        fields = self.fields
        for rule in rules:
            answer = rule.match(fields)
            if answer is False:
                if self.trace:
                    self.note(rule, "no match")
                continue
            yield rule, answer

    def end(self, stop: Stop, answer: Answer) -> bool:
        """Stop here, or remember that it may have been here. True when the way has ended."""
        if answer is UNKNOWN:
            self.maybe.append(stop)
            self.steps.append(Step(stop.phase, stop.rule, f"{stop.action}?", stop.because))
            return False
        self.stop = stop
        self.steps.append(Step(stop.phase, stop.rule, stop.action, _ending(stop)))
        return True

    def why_unknown(self, rule: Compiled) -> str:
        """What would have to be known to decide about `rule`."""
        missing = sorted(name for name in rule.reads if self.fields[name] is UNKNOWN)
        return ", ".join(missing) + " not stated" if missing else "cannot be decided offline"


def _ending(stop: Stop) -> str:
    return " ".join(str(part) for part in (stop.status, stop.location) if part)
