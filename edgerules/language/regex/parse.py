"""Rust's regular expression syntax -> tree. What the engine refuses is refused with a sentence."""

from __future__ import annotations

import re

from edgerules.language.regex.classes import bracketed
from edgerules.language.regex.scanner import RegexError, Scanner
from edgerules.language.regex.tree import (
    ALL,
    NEWLINE,
    SIZE_LIMIT,
    Bytes,
    ByteSet,
    Capture,
    Choice,
    Part,
    Place,
    Repeat,
    Sequence,
    fold,
    size,
)

MAX_NESTED = 100
_MOST_DIGITS = 9
"""Of a count. The engine reads 32 bits, but refuses what comes near them as too big anyway."""
_COUNT = re.compile(r"\{\s*(\d+)\s*(?:(,)\s*(\d+)?\s*)?\}", re.ASCII)
_GROUP_NAME = re.compile(r"P?<([^\W\d][\w.\[\]]*)>")
_FLAGS = re.compile(r"([imsRUux]*)(?:(-)([imsRUux]+))?([:)])")
_PLACES = {"b": "word", "B": "not_word", "A": "start", "z": "end", "<": "word_start", ">": "word_end"}
_LONG_PLACES = {
    "b{start}": "word_start",
    "b{end}": "word_end",
    "b{start-half}": "no_word_before",
    "b{end-half}": "no_word_after",
}
_LOOKAROUND = ("?=", "?!", "?<=", "?<!")


def parse_regex(pattern: str) -> tuple[Part, bool]:
    """The tree, and whether it needs Unicode tables. Raises RegexError."""
    scan = Scanner(pattern)
    part = _Parser(scan).choice(0)
    if scan.offset < len(pattern):
        raise scan.error("a closing parenthesis without an opening one")
    if size(part) > SIZE_LIMIT:
        raise RegexError("the compiled pattern is too big for the engine", 0)
    return part, scan.unicode


class _Parser:
    def __init__(self, scan: Scanner) -> None:
        self.scan = scan
        self.names: set[str] = set()

    def choice(self, depth: int) -> Part:
        options = [self._sequence(depth)]
        while self.scan.take("|"):
            options.append(self._sequence(depth))
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self, depth: int) -> Part:
        parts: list[Part] = []
        while True:
            self.scan.skip_ignored()
            if self.scan.peek() in ("", "|", ")"):
                return parts[0] if len(parts) == 1 else Sequence(tuple(parts))
            part = self._atom(depth)
            if part is not None:
                parts.append(self._repeated(part))

    def _atom(self, depth: int) -> Part | None:
        """One thing that can be repeated; None for flags, which match nothing."""
        scan = self.scan
        char = scan.next()
        if char == "(":
            return self._group(depth)
        if char in "*+?{":
            raise scan.error(f"{char} has nothing before it to repeat", scan.offset - 1)
        if char == "[":
            return Bytes(bracketed(scan))
        if char == ".":
            scan.unicode |= "u" in scan.flags
            return Bytes(ALL if "s" in scan.flags else ALL - NEWLINE)
        if char == "^":
            return Place("line_start" if "m" in scan.flags else "start")
        if char == "$":
            return Place("line_end" if "m" in scan.flags else "end")
        return self._escaped() if char == "\\" else self._bytes(scan.plain(char))

    def _escaped(self) -> Part:
        value = self.scan.escape()
        if value is not None:
            return self._bytes(value)
        for name, place in _LONG_PLACES.items():
            if self.scan.take(name):
                return Place(place)
        place = _PLACES[self.scan.next()]
        self.scan.unicode |= "u" in self.scan.flags and place not in ("start", "end")
        return Place(place)

    def _bytes(self, value: int | ByteSet | str) -> Part:
        if isinstance(value, str):
            return Sequence(tuple(Bytes(frozenset({byte})) for byte in self.scan.encoded(value)))
        members = value if isinstance(value, frozenset) else frozenset({value})
        return Bytes(fold(members) if "i" in self.scan.flags else members)

    def _repeated(self, part: Part) -> Part:
        """The quantifiers after `part`; several may follow each other, each repeats the one before."""
        scan = self.scan
        while True:
            scan.skip_ignored()
            start = scan.offset
            bounds = self._bounds()
            if bounds is None:
                return part
            least, most = bounds
            if most is not None and least > most:
                raise scan.error("this repetition is in the wrong order", start)
            lazy = scan.take("?")
            part = Repeat(part, least, most, lazy == ("U" in scan.flags))

    def _bounds(self) -> tuple[int, int | None] | None:
        scan = self.scan
        if scan.peek() == "{":
            return self._counted()
        simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(scan.peek())
        scan.offset += simple is not None
        return simple

    def _counted(self) -> tuple[int, int | None]:
        match = _COUNT.match(self.scan.pattern, self.scan.offset)
        if not match:
            raise self.scan.error("a { must be followed by a count such as {2} or {2,5}; write \\{ for the character")
        self.scan.offset = match.end()
        least, comma, most = match.groups()
        if max(len(least), len(most or "")) > _MOST_DIGITS:
            raise self.scan.error("this count is too big", match.start())
        return int(least), (int(most) if most else None) if comma else int(least)

    def _group(self, depth: int) -> Part | None:
        scan = self.scan
        start = scan.offset - 1
        if depth >= MAX_NESTED:
            raise scan.error("groups are nested too deeply", start)
        outer = scan.flags
        capturing = True
        if scan.peek() == "?" and not self._named(start):
            capturing = False
            scan.offset += 1
            if self._set_flags(start) == ")":
                return None
        part = self.choice(depth + 1)
        if not scan.take(")"):
            raise scan.error("the group that starts here has no closing parenthesis", start)
        scan.flags = outer
        return Capture(part) if capturing else Sequence((part,))

    def _named(self, start: int) -> bool:
        scan = self.scan
        for mark in _LOOKAROUND:
            if scan.peek(len(mark)) == mark:
                raise scan.error("look-around does not exist in this engine", start)
        if scan.peek(3) in ("?P=", "?P>", "?P&") or scan.peek(2) == "?&":
            raise scan.error("back-references and recursion do not exist in this engine", start)
        if scan.peek(2) in ("?>", "?|", "?("):
            raise scan.error("atomic and conditional groups do not exist in this engine", start)
        match = _GROUP_NAME.match(scan.pattern, scan.offset + 1)
        if not match:
            return False
        if match.group(1) in self.names:
            raise scan.error(f"the group name {match.group(1)} is used twice", start)
        self.names.add(match.group(1))
        scan.offset = match.end()
        return True

    def _set_flags(self, start: int) -> str:
        """Read `i-s:` or `i-s)` and apply it; the closing mark."""
        scan = self.scan
        match = _FLAGS.match(scan.pattern, scan.offset)
        empty = match and match[4] == ")" and not (match[1] or match[3])
        if not match or empty:
            raise scan.error("this kind of group does not exist in this engine", start)
        letters = match[1] + (match[3] or "")
        if len(set(letters)) < len(letters):
            raise scan.error("a flag stands twice", start)
        scan.offset = match.end()
        scan.flags = (scan.flags | frozenset(match[1])) - frozenset(match[3] or "")
        if "R" in scan.flags:
            scan.unicode = True  # CRLF mode is rare enough to leave it to the real engine
        return match[4]
