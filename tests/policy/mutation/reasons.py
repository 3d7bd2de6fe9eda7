"""Why nobody has to notice a mutant: reasons.yaml, matched by type, input and flip."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from tests.policy.mutation.mutants import Mutant

FILE = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True)
class Cover:
    types: tuple[str, ...]
    inputs: tuple[str, ...]
    flips: tuple[str, ...]

    def fits(self, mutant: Mutant) -> bool:
        return (
            _fits(mutant.resource["type"], self.types)
            and _fits_input(mutant.pattern, self.inputs)
            and _fits(mutant.flip, self.flips)
        )


@dataclass(frozen=True)
class Reason:
    text: str
    covers: tuple[Cover, ...]

    def cover(self, mutant: Mutant) -> Cover | None:
        return next((each for each in self.covers if each.fits(mutant)), None)


@lru_cache(maxsize=100_000)
def _fits(text: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(text, glob) for glob in globs)


@lru_cache(maxsize=100_000)
def _fits_input(pattern: str, globs: tuple[str, ...]) -> bool:
    """Step by step: the * of an index must not stand for several steps."""
    steps = pattern.split(".")
    wanted = [glob.split(".") for glob in globs]
    return any(len(each) == len(steps) and all(map(fnmatchcase, steps, each)) for each in wanted)


def load(file: Path = FILE) -> list[Reason]:
    entries = yaml.safe_load(file.read_text()) or []
    return [_reason(entry, f"{file.name}, entry {number}") for number, entry in enumerate(entries, start=1)]


def _reason(entry: Any, where: str) -> Reason:
    if set(entry) != {"reason", "covers"} or len(entry["reason"]) < 20:
        raise ValueError(f"{where}: give a reason in a sentence, and what it covers.")
    return Reason(entry["reason"], tuple(_cover(each, where) for each in entry["covers"]))


def _cover(entry: Any, where: str) -> Cover:
    if set(entry) - {"flips"} != {"types", "inputs"}:
        raise ValueError(f"{where}: a cover has types and inputs, and flips where it is not for all of them.")
    return Cover(tuple(entry["types"]), tuple(entry["inputs"]), tuple(entry.get("flips", ["*"])))
