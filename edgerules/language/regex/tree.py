"""The parts of a regular expression over bytes. A set of bytes is a frozenset of 0..255."""

from __future__ import annotations

from dataclasses import dataclass

ByteSet = frozenset[int]

ALL: ByteSet = frozenset(range(256))
DIGIT: ByteSet = frozenset(b"0123456789")
LOWER: ByteSet = frozenset(b"abcdefghijklmnopqrstuvwxyz")
UPPER: ByteSet = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
WORD: ByteSet = DIGIT | LOWER | UPPER | frozenset(b"_")
SPACE: ByteSet = frozenset(b"\t\n\v\f\r ")
NEWLINE: ByteSet = frozenset(b"\n")

POSIX: dict[str, ByteSet] = {
    "alnum": DIGIT | LOWER | UPPER,
    "alpha": LOWER | UPPER,
    "ascii": frozenset(range(128)),
    "blank": frozenset(b"\t "),
    "cntrl": frozenset(range(32)) | {127},
    "digit": DIGIT,
    "graph": frozenset(range(33, 127)),
    "lower": LOWER,
    "print": frozenset(range(32, 127)),
    "punct": frozenset(range(33, 127)) - DIGIT - LOWER - UPPER,
    "space": SPACE,
    "upper": UPPER,
    "word": WORD,
    "xdigit": DIGIT | frozenset(b"abcdefABCDEF"),
}


@dataclass(frozen=True)
class Bytes:
    """One byte out of a set."""

    members: ByteSet


@dataclass(frozen=True)
class Sequence:
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Choice:
    options: tuple[Part, ...]


@dataclass(frozen=True)
class Repeat:
    """`most` None: without end."""

    part: Part
    least: int
    most: int | None
    greedy: bool


@dataclass(frozen=True)
class Capture:
    part: Part


@dataclass(frozen=True)
class Place:
    """An empty match: start, end, line_start, line_end, word, not_word, word_start, word_end,
    no_word_before, no_word_after."""

    name: str


Part = Bytes | Sequence | Choice | Repeat | Capture | Place

SIZE_LIMIT = 10_000_000
"""Bytes of compiled program, the default of the engine. What a part costs was measured on wirefilter-engine 0.6.1."""


def fold(members: ByteSet) -> ByteSet:
    """With the other case of every ASCII letter."""
    folded = {byte ^ 32 for byte in members if byte in LOWER or byte in UPPER}
    return members | folded


def size(part: Part) -> int:
    """About how many bytes the engine compiles `part` to."""
    if isinstance(part, Bytes):
        runs = sum(byte - 1 not in part.members for byte in part.members)
        return 32 if len(part.members) == 1 else 62 + 9 * runs
    if isinstance(part, Sequence):
        return sum(size(item) for item in part.parts)
    if isinstance(part, Choice):
        return sum(size(item) + 58 for item in part.options)
    if isinstance(part, Repeat):
        inner = size(part.part)
        optional = 39 if part.most is None else (part.most - part.least) * (inner + 75)
        return inner * max(part.least, part.most is None) + optional
    return size(part.part) + 66 if isinstance(part, Capture) else 10


def captures(part: Part) -> int:
    """How many numbered groups `part` has."""
    if isinstance(part, Capture):
        return 1 + captures(part.part)
    if isinstance(part, Repeat):
        return captures(part.part)
    inner = part.parts if isinstance(part, Sequence) else part.options if isinstance(part, Choice) else ()
    return sum(captures(item) for item in inner)
