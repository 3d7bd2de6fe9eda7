"""A mistake in a stack file, as one line that a person can act on; and what such a line must never show."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]

_SECRET_KEY = re.compile(r"pass|secret|token|api_?key|private|credential|dsn|webhook", re.IGNORECASE)
_NOT_SECRET_KEY = re.compile(r"_(?:age|paths?|timeout|lifetime)$")
_SECRET_VALUE = re.compile(
    r"(?i:-----BEGIN|SG\.|\bgh[a-z]_|github_pat_|AKIA|ASIA|xox[a-z]-|hooks\.slack\.com|sentry\.io|AGE-SECRET|eyJ[\w-]{8})"
    r"|://[^/@\s]*@"  # an address with a user in it
    r"|(?=[^\s]*[0-9])(?=[^\s]*[A-Za-z])[A-Za-z0-9+/=_-]{24,}"  # long and random-looking
)
_PUBLIC_VALUE = re.compile(r'"(?:ssh-|ecdsa-|sk-ssh-|sha256:|age1)')


@dataclass(frozen=True)
class Mistake:
    """`path` begins below the project's name. `about` are further settings that the sentence rests on."""

    path: Path
    text: str
    line: int | None = None
    about: tuple[Path, ...] = ()

    def key(self, project: str) -> str:
        return dotted(project, self.path)

    def touches(self, paths: Iterable[Path]) -> bool:
        """Whether it rests on one of these settings, or on something inside or around one."""
        own = (self.path, *self.about)
        return any(mine[: len(other)] == other or other[: len(mine)] == mine for mine in own for other in paths)


class SettingsError(Exception):
    """Everything that is wrong with a stack's settings, one line each."""

    def __init__(self, project: str, mistakes: Sequence[Mistake]):
        self.project = project
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(f"{each.key(project)}: {each.text}" for each in self.mistakes))


def dotted(project: str, path: Path) -> str:
    """neurmatic:edge.records[2].name"""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{printable(part, 60)}"
    return f"{project}:{text[1:]}" if text else project


def shown(path: Path, given: Any) -> str:
    """What somebody gave, short and on one line, or why it is not shown."""
    if isinstance(given, dict):
        return "a mapping"
    if isinstance(given, list | tuple):
        return "a list"
    text = printable(json.dumps(given, ensure_ascii=False, default=str), 80)
    if looks_secret(path, text):
        return "a value that may be a secret and is not shown"
    return text


def looks_secret(path: Path, text: str) -> bool:
    named = any(
        _SECRET_KEY.search(part) and not _NOT_SECRET_KEY.search(part) for part in path[1:] if isinstance(part, str)
    )
    return named or (not _PUBLIC_VALUE.match(text) and _SECRET_VALUE.search(text) is not None)


def printable(text: str, longest: int) -> str:
    """Without anything that could break the line or play tricks with a terminal."""
    cut = text if len(text) <= longest else text[: longest - 3] + "..."
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in cut)


def unknown_key(name: str, known: Iterable[str]) -> str:
    """The sentence about a key that does not exist, with the one that was probably meant."""
    names = sorted(known)
    near = difflib.get_close_matches(name.lower().replace("-", "_")[:80], names, n=1, cutoff=0.6)
    if near:
        return f"there is no such key; did you mean {near[0]}?"
    return f"there is no such key; known are {', '.join(names)}"
