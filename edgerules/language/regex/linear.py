"""Matching in linear time, as the engine does it, for patterns on which Python's backtracking could run for ages.

The pattern becomes a little program of byte sets, forks and places; all its threads advance together, one byte at a
time, and each step that was taken once is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edgerules.language.regex.tree import (
    NEWLINE,
    WORD,
    Bytes,
    ByteSet,
    Capture,
    Choice,
    Part,
    Place,
    Repeat,
    Sequence,
)

_MATCH = 0
_REMEMBERED = 20_000
_MANY = 8

Threads = frozenset[int]


@dataclass(frozen=True)
class Instruction:
    """A byte of `members`, a place by name, or (neither) a fork; then it goes on at any of `to`."""

    to: tuple[int, ...]
    members: ByteSet | None = None
    place: str | None = None


def is_risky(part: Part) -> bool:
    """Whether something that repeats often holds something else with several ways to match."""
    if isinstance(part, Repeat):
        often = part.most is None or part.most > _MANY
        return (often and _varies(part.part)) or is_risky(part.part)
    return any(is_risky(item) for item in _inner(part))


def _varies(part: Part) -> bool:
    if isinstance(part, Choice) or (isinstance(part, Repeat) and part.least != part.most):
        return True
    return any(_varies(item) for item in _inner(part))


def _inner(part: Part) -> tuple[Part, ...]:
    if isinstance(part, Sequence):
        return part.parts
    if isinstance(part, Choice):
        return part.options
    return (part.part,) if isinstance(part, (Capture, Repeat)) else ()


class Program:
    """Instructions by index; index 0 is the match."""

    def __init__(self, part: Part) -> None:
        self.code = [Instruction(())]
        self.start = self._add(part, _MATCH)
        self._steps: dict[tuple[Threads, int, int], Threads | None] = {}

    def _put(self, *to: int, members: ByteSet | None = None, place: str | None = None) -> int:
        self.code.append(Instruction(to, members, place))
        return len(self.code) - 1

    def _add(self, part: Part, after: int) -> int:
        """Where the program of `part` starts that goes on at `after`."""
        if isinstance(part, Bytes):
            return self._put(after, members=part.members)
        if isinstance(part, Place):
            return self._put(after, place=part.name)
        if isinstance(part, Choice):
            return self._put(*(self._add(option, after) for option in part.options))
        if isinstance(part, Repeat):
            return self._repeat(part, after)
        for item in reversed(_inner(part)):
            after = self._add(item, after)
        return after

    def _repeat(self, part: Repeat, after: int) -> int:
        start = after
        if part.most is None:
            start = self._put()
            self.code[start] = Instruction((self._add(part.part, start), after))
        else:
            for _ in range(part.most - part.least):
                start = self._put(self._add(part.part, start), after)
        for _ in range(part.least):
            start = self._add(part.part, start)
        return start

    def search(self, text: bytes) -> bool:
        """Whether the pattern matches anywhere in `text`."""
        threads: Threads = frozenset()
        before = -1
        for byte in (*text, -1):
            following = self._step(threads, _side(before), byte)
            if following is None:
                return True
            threads, before = following, byte
        return False

    def _step(self, threads: Threads, before: int, byte: int) -> Threads | None:
        """The threads after one byte (-1: the end), or None for a match. A new search starts at every byte."""
        key = (threads, before, byte)
        if key not in self._steps:
            if len(self._steps) > _REMEMBERED:
                self._steps.clear()
            self._steps[key] = self._advance(threads, before, byte)
        return self._steps[key]

    def _advance(self, threads: Iterable[int], before: int, byte: int) -> Threads | None:
        pending, seen, following = [self.start, *threads], set[int](), set[int]()
        while pending:
            index = pending.pop()
            if index == _MATCH:
                return None
            if index in seen:
                continue
            seen.add(index)
            one = self.code[index]
            if one.members is not None:
                following.update(one.to if byte in one.members else ())
            elif one.place is None or _PLACES[one.place](before, _side(byte)):
                pending.extend(one.to)
        return frozenset(following)


_END, _LINE, _LETTER, _OTHER = range(4)


def _side(byte: int) -> int:
    """All that a place can tell about the byte beside it."""
    if byte < 0:
        return _END
    if byte in NEWLINE:
        return _LINE
    return _LETTER if byte in WORD else _OTHER


_PLACES: dict[str, Callable[[int, int], bool]] = {
    "start": lambda before, after: before == _END,
    "end": lambda before, after: after == _END,
    "line_start": lambda before, after: before in (_END, _LINE),
    "line_end": lambda before, after: after in (_END, _LINE),
    "word": lambda before, after: (before == _LETTER) != (after == _LETTER),
    "not_word": lambda before, after: (before == _LETTER) == (after == _LETTER),
    "word_start": lambda before, after: before != _LETTER and after == _LETTER,
    "word_end": lambda before, after: before == _LETTER and after != _LETTER,
    "no_word_before": lambda before, after: before != _LETTER,
    "no_word_after": lambda before, after: after != _LETTER,
}
