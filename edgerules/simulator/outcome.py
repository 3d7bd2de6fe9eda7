"""What became of a request: allowed, stopped by a rule, or unknown; never a guess."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgerules.language import Unknown

ALLOWED, STOPPED, UNDECIDED = "allowed", "stopped", "unknown"

HeaderValue = list[str] | Unknown


@dataclass(frozen=True)
class Stop:
    """An end of the way at the edge. `status` is None where no HTTP answer is given or it is not known."""

    rule: str
    action: str
    status: int | None = None
    location: str | None = None
    content_type: str | None = None
    phase: str = ""
    because: str = ""  # for a stop that is only possible: what is not known


@dataclass(frozen=True)
class Step:
    """Something that happened on the way, for people."""

    phase: str
    rule: str
    action: str
    note: str = ""


@dataclass
class Cached:
    """The cache decision. UNKNOWN where it hangs on an answer that the case does not state."""

    eligible: bool | Unknown
    edge_ttl: int | Unknown | None = None
    browser_ttl: int | Unknown | None = None
    status: str | None = None  # cf-cache-status; None when it is not known
    rules: list[str] = field(default_factory=list)


@dataclass
class Outcome:
    verdict: str
    stop: Stop | None = None
    maybe: list[Stop] = field(default_factory=list)  # stops that may have come first
    status: int | None = None  # None: not known, or no HTTP answer at all
    headers: dict[str, HeaderValue] = field(default_factory=dict)
    headers_complete: bool = True  # False: the origin's own headers are not stated
    cache: Cached | None = None
    to_origin: dict[str, str] = field(default_factory=dict)  # what rules changed on the way to the origin
    steps: list[Step] = field(default_factory=list)

    @property
    def rule(self) -> str | None:
        """The rule that decided, if one did beyond doubt."""
        return self.stop.rule if self.stop and not self.maybe else None

    @property
    def action(self) -> str | None:
        return self.stop.action if self.stop and not self.maybe else None

    def summary(self) -> str:
        """`stopped by block-admin (block, 403)`; one line, also for what is not known."""
        doubts = "; ".join(f"{stop.rule} ({stop.because})" for stop in self.maybe)
        if self.verdict == ALLOWED:
            return f"allowed ({self.status})" if self.status else "allowed"
        if self.verdict == UNDECIDED:
            return f"unknown: perhaps stopped by {doubts}"
        stop = self.stop or Stop("nobody", "stop")
        status = f", {stop.status}" if stop.status else ""
        text = f"stopped by {stop.rule} ({stop.action}{status})"
        return f"{text}, if not earlier by {doubts}" if doubts else text
