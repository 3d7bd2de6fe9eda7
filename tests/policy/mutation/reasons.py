"""Why nobody has to notice a mutant: reasons.yaml, matched by type, input and flip."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

import yaml

from tests.policy.mutation.mutants import Mutant

FILE = Path(__file__).with_suffix(".yaml")
KEYS = {"types", "inputs", "flips", "reason"}


@dataclass(frozen=True)
class Reason:
    types: tuple[str, ...]
    inputs: tuple[str, ...]
    flips: tuple[str, ...]
    text: str

    def covers(self, mutant: Mutant) -> bool:
        return _fits(mutant.resource["type"], self.types) and self._covers(mutant.pattern, mutant.flip)

    def _covers(self, pattern: str, flip: str) -> bool:
        return _fits(pattern, self.inputs) and _fits(flip, self.flips)


@lru_cache(maxsize=100_000)
def _fits(text: str, globs: tuple[str, ...]) -> bool:
    # An input's index is written *, and so is any text: both read the same to whoever writes a reason.
    return any(fnmatchcase(text, glob) for glob in globs)


def load(file: Path = FILE) -> list[Reason]:
    entries = yaml.safe_load(file.read_text()) or []
    return [_reason(entry, f"{file.name}, entry {number}") for number, entry in enumerate(entries, start=1)]


def _reason(entry: dict[str, object], where: str) -> Reason:
    unknown = set(entry) - KEYS
    if unknown or len(str(entry.get("reason", ""))) < 20:
        raise ValueError(f"{where}: give types, inputs, flips (optional) and a reason in a sentence.")
    return Reason(
        _words(entry.get("types", "*")),
        _words(entry.get("inputs", "*")),
        _words(entry.get("flips", "*")),
        str(entry["reason"]).strip(),
    )


def _words(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list) else (str(value),)
