"""What a review found, as plain data.

The report travels from a run that executes a stranger's code to one that may write comments. The latter reads it with
`read`, which accepts this shape within these limits and nothing else, and renders it itself. Standard library only.
"""

from __future__ import annotations

import dataclasses
import json
import typing
from dataclasses import dataclass, field
from typing import Any, TypeVar

OPS = ("create", "update", "replace", "delete", "unprotect")
LONGEST_TEXT = 4_000
MOST_ITEMS = 5_000
LARGEST_REPORT = 4_000_000

Made = TypeVar("Made")


class ReportError(Exception):
    """Why a file is no report, in one sentence."""


@dataclass(frozen=True)
class Difference:
    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Change:
    """What becomes of one resource."""

    op: str
    name: str
    type: str
    component: str
    differences: list[Difference] = field(default_factory=list)
    loses: str = ""
    """What is gone for good."""
    outage: str = ""
    """What users notice."""

    def __post_init__(self) -> None:
        if self.op not in OPS:
            raise ReportError(f"What becomes of a resource is one of {', '.join(OPS)}.")


@dataclass(frozen=True)
class Violation:
    rule: str
    resource: str
    message: str
    stops: bool


@dataclass(frozen=True)
class StackReview:
    system: str
    stack: str
    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0
    violations: list[Violation] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """Why the preview ended, where no policy ended it."""
    says: list[str] = field(default_factory=list)
    """What the program says of this change and did not say before it."""
    unjudged: list[str] = field(default_factory=list)
    incomplete: bool = False
    """The preview ended before every resource had been seen."""

    @property
    def stopped(self) -> bool:
        return bool(self.errors) or any(violation.stops for violation in self.violations)


@dataclass(frozen=True)
class Verdict:
    """One request that the edge treats otherwise than before."""

    request: str
    before: str
    after: str


@dataclass(frozen=True)
class EdgeReview:
    system: str
    requests: int = 0
    verdicts: list[Verdict] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """Committed cases that the zone does not keep."""
    unjudged: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Review:
    base: str
    head: str
    stacks: list[StackReview] = field(default_factory=list)
    edges: list[EdgeReview] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def stopped(self) -> bool:
        return any(stack.stopped for stack in self.stacks) or any(edge.failures for edge in self.edges)


def write(review: Review) -> str:
    return json.dumps(dataclasses.asdict(review), indent=1) + "\n"


def read(text: str) -> Review:
    """The report in `text`, or a ReportError: whoever wrote it may have meant harm."""
    if len(text) > LARGEST_REPORT:
        raise ReportError(f"The report is larger than {LARGEST_REPORT} characters.")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise ReportError("The report is not JSON.") from None
    return _object(Review, data, "report")


def _object(cls: type[Made], data: Any, where: str) -> Made:
    if not isinstance(data, dict):
        raise ReportError(f"{where} must be an object.")
    types = typing.get_type_hints(cls)
    if set(data) - set(types):
        raise ReportError(f"{where} has fields that this version does not know.")
    missing = [each.name for each in dataclasses.fields(cls) if _required(each) and each.name not in data]  # type: ignore[arg-type]
    if missing:
        raise ReportError(f"{where} lacks {', '.join(missing)}.")
    return cls(**{name: _value(types[name], value, f"{where}.{name}") for name, value in data.items()})


def _required(each: dataclasses.Field[Any]) -> bool:
    return each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING


def _value(kind: Any, value: Any, where: str) -> Any:
    if typing.get_origin(kind) is list:
        if not isinstance(value, list) or len(value) > MOST_ITEMS:
            raise ReportError(f"{where} must be a list of at most {MOST_ITEMS} items.")
        return [_value(typing.get_args(kind)[0], item, f"{where}[{index}]") for index, item in enumerate(value)]
    if dataclasses.is_dataclass(kind):
        return _object(kind, value, where)  # type: ignore[arg-type]
    if type(value) is not kind or (kind is str and len(value) > LONGEST_TEXT):
        raise ReportError(f"{where} must be of type {kind.__name__}, and no longer than {LONGEST_TEXT} characters.")
    return value
