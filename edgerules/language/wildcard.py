r"""Wildcard patterns: `*` is any run of bytes, `\*` and `\\` are literal, the whole value must match."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache


def problem(pattern: bytes) -> tuple[str, str | None] | None:
    """What is wrong with a pattern, and what to write; None if nothing is."""
    index = 0
    star = False
    while index < len(pattern):
        char = pattern[index : index + 1]
        if char == b"\\":
            if pattern[index + 1 : index + 2] not in (b"*", b"\\"):
                return "a backslash in a wildcard escapes only * and \\", r"write \\ for a backslash"
            index += 1
        if char == b"*" and star:
            return "** in a wildcard", "write one *: it matches any number of characters"
        star = char == b"*"
        index += 1
    return None


@lru_cache(maxsize=1024)
def split_pattern(pattern: bytes) -> tuple[bytes, ...]:
    """The literal pieces between the stars, unescaped: `a*b` gives `a` and `b`."""
    pieces, piece, index = [], bytearray(), 0
    while index < len(pattern):
        char = pattern[index : index + 1]
        if char == b"*":
            pieces.append(bytes(piece))
            piece = bytearray()
        else:
            index += char == b"\\"
            piece += pattern[index : index + 1]
        index += 1
    return (*pieces, bytes(piece))


def matcher(pattern: bytes, *, strict: bool) -> Callable[[bytes], bool]:
    """A function that tells whether a whole value matches. Case counts only when strict."""
    pieces = split_pattern(pattern)
    if strict:
        return lambda value: find_stars(pieces, value) is not None
    folded = tuple(piece.lower() for piece in pieces)
    return lambda value: find_stars(folded, value.lower()) is not None


def find_stars(pieces: tuple[bytes, ...], value: bytes) -> list[tuple[int, int]] | None:
    """Where each star's text starts and ends, each as short as possible; None without a match."""
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return [] if value == first else None
    end = len(value) - len(last)
    if not value.startswith(first) or not value.endswith(last) or end < len(first):
        return None
    spans, position = [], len(first)
    for piece in pieces[1:-1]:
        found = value.find(piece, position, end)
        if found < 0:
            return None
        spans.append((position, found))
        position = found + len(piece)
    return [*spans, (position, end)]
