"""Read a file of cases and make it ready to run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgerules.cases.model import KEYS, CaseSpec, CasesSpec, Defaults, Expect, StepSpec
from edgerules.cases.requests import at_place, build
from edgerules.simulator import Request
from edgerules.zone import Document, InputError, Zone, read, validate
from edgerules.zone import load as load_zone


@dataclass(frozen=True)
class Send:
    """Send `request` `repeat` times from `at` on, `every` seconds apart."""

    request: Request
    at: float
    repeat: int
    every: float
    expect: Expect
    line: int


@dataclass(frozen=True)
class Case:
    name: str
    file: str
    line: int
    sends: tuple[Send, ...]

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class CaseFile:
    path: Path
    cases: tuple[Case, ...]
    zone: Zone
    zone_document: Document | None


def load_cases(path: str | Path, zone: Zone | None = None) -> CaseFile:
    """The cases in `path`, for `zone` or for the zone that the file names."""
    document = read(path)
    if not isinstance(document.value, dict):
        raise InputError(f"{document.name}:1: a file of cases is a mapping with the keys zone and cases.")
    spec = validate(CasesSpec, document, KEYS)
    zone_document = None
    if zone is None:
        if spec.zone is None:
            raise InputError(f"{document.name}:1: which zone? Give `zone: FILE` here, or --zone FILE.")
        zone, zone_document = load_zone(Path(path).parent / spec.zone)
    reader = _Reader(document, spec.defaults)
    cases = tuple(reader.case(index, case) for index, case in enumerate(spec.cases))
    if reader.mistakes:
        raise InputError(*reader.mistakes)
    return CaseFile(Path(path), cases, zone, zone_document)


class _Reader:
    def __init__(self, document: Document, defaults: Defaults) -> None:
        self.document = document
        self.mistakes: list[str] = []
        self.defaults: dict[str, Any] = dict(defaults.request)
        for key, value in (("origin", defaults.origin), ("assume", defaults.assume)):
            if value is not None:
                self.defaults.setdefault(key, value)

    def case(self, index: int, spec: CaseSpec) -> Case:
        place = ("cases", index)
        if (spec.request is None) == (not spec.sequence):
            self.mistake(*place, text=f"case {spec.name!r} needs either request or sequence")
        steps = list(spec.sequence)
        paths: list[tuple[Any, ...]] = [(*place, "sequence", number) for number in range(len(steps))]
        if spec.request is not None:
            steps, paths = [StepSpec(request=spec.request, expect=spec.expect)], [place]
        elif spec.expect != Expect():
            self.mistake(*place, "expect", text=f"case {spec.name!r}: put expect into the steps of its sequence")
        if all(step.expect == Expect() for step in steps):
            self.mistake(*place, text=f"case {spec.name!r} expects nothing, so it could not fail")
        return Case(spec.name, self.document.name, self.document.line(*place), self.sends(steps, paths))

    def sends(self, steps: list[StepSpec], paths: list[tuple[Any, ...]]) -> tuple[Send, ...]:
        found: list[Send] = []
        now = 0.0
        for step, path in zip(steps, paths, strict=True):
            at = self.start(step, now, path)
            try:
                request = build(step.request, self.defaults)
            except ValueError as error:
                self.mistakes.append(str(at_place(self.document.where(*path, "request"), error)))
                continue
            line = self.document.line(*path, "request")
            found.append(Send(request, at, step.repeat, float(step.every), step.expect, line))
            now = at + (step.repeat - 1) * step.every
        return tuple(found)

    def start(self, step: StepSpec, now: float, path: tuple[Any, ...]) -> float:
        if step.at is not None and step.after is not None:
            self.mistake(*path, text="give at or after, not both")
        at = now + (step.after or 0) if step.at is None else float(step.at)
        if at < now:
            self.mistake(*path, "at", text=f"{at:g} s is before the step above it ended ({now:g} s)")
        return at

    def mistake(self, *path: Any, text: str) -> None:
        self.mistakes.append(f"{self.document.where(*path)}: {text}.")
