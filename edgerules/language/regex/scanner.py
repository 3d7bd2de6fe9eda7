"""Characters and escapes of Rust's regular expressions, as the engine reads them: bytes, Unicode off."""

from __future__ import annotations

import re

from edgerules.language.regex.tree import ALL, DIGIT, SPACE, WORD, ByteSet

CLASSES: dict[str, ByteSet] = {
    "d": DIGIT,
    "D": ALL - DIGIT,
    "s": SPACE,
    "S": ALL - SPACE,
    "w": WORD,
    "W": ALL - WORD,
}
_CONTROL = {"a": 7, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13}
_HEX = re.compile(r"x([0-9A-Fa-f]{2})|[xuU]\{([0-9A-Fa-f]{1,8})\}|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})")
_NOT_RUST = {
    "Z": r"\Z is not known: write \z for the end of the text",
    "k": "back-references do not exist in this engine",
    "K": r"\K does not exist in this engine",
    "G": r"\G does not exist in this engine",
    "h": r"\h does not exist in this engine: write [ \t]",
    "R": r"\R does not exist in this engine: write \r?\n",
    "Q": r"\Q...\E does not exist in this engine: escape each character",
    "e": r"\e does not exist in this engine: write \x1b",
}


class RegexError(ValueError):
    """A sentence, and the character of the pattern (from 0) that it is about."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class Scanner:
    """A place in a pattern, with the flags that hold there."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.offset = 0
        self.flags = frozenset[str]()
        self.unicode = False
        """Whether any part needs Unicode tables, which this evaluator does not have."""

    def error(self, message: str, offset: int | None = None) -> RegexError:
        return RegexError(message, self.offset if offset is None else offset)

    def peek(self, length: int = 1) -> str:
        return self.pattern[self.offset : self.offset + length]

    def take(self, text: str) -> bool:
        """Skip `text` if it stands here."""
        if self.pattern.startswith(text, self.offset):
            self.offset += len(text)
            return True
        return False

    def next(self) -> str:
        char = self.peek()
        self.offset += 1
        return char

    def skip_ignored(self) -> None:
        """White space and comments, where the flag x holds."""
        while "x" in self.flags and self.peek() and (self.peek().isspace() or self.peek() == "#"):
            if self.next() == "#":
                end = self.pattern.find("\n", self.offset)
                self.offset = len(self.pattern) if end < 0 else end + 1

    def plain(self, char: str) -> int | str:
        """The byte of an unescaped character, or the character itself if it is more than one byte."""
        return ord(char) if ord(char) < 128 else char

    def encoded(self, char: str) -> bytes:
        """A character outside a class is its UTF-8, Unicode or not."""
        self.unicode |= self.flags >= {"u", "i"}
        return char.encode("utf-8")

    def member(self, value: int | ByteSet | str, offset: int) -> int | ByteSet:
        """A class holds bytes; characters beyond ASCII stand in it only under the flag u."""
        if not isinstance(value, str):
            return value
        if "u" in self.flags:
            self.unicode = True
            return 0
        raise self.error(f"{value!r} in a class needs Unicode: start the pattern with (?u), or write (?:a|b)", offset)

    def escape(self) -> int | ByteSet | str | None:
        """What the escape after a backslash stands for; None for one of the places (\\b, \\A, ...)."""
        start = self.offset - 1
        char = self.peek()
        if not char:
            raise self.error("a backslash at the end of the pattern", start)
        if char in CLASSES:
            self.offset += 1
            self.unicode |= "u" in self.flags
            return CLASSES[char]
        if char in "pP":
            return self._property(start)
        code = _HEX.match(self.pattern, self.offset)
        if code:
            return self._hex(code, start)
        if char in "bBAz" or char in "<>":
            return None
        self.offset += 1
        return self._single(char, start)

    def _single(self, char: str, start: int) -> int:
        if char in _CONTROL:
            return _CONTROL[char]
        if char.isascii() and not char.isalnum():
            return ord(char)
        if char.isdigit():
            raise self.error("back-references do not exist in this engine", start)
        raise self.error(_NOT_RUST.get(char, f"\\{char} is no escape of this engine"), start)

    def _hex(self, code: re.Match[str], start: int) -> int | str:
        self.offset = code.end()
        value = int(next(group for group in code.groups() if group), 16)
        if value < 128 or code.group(1):
            self.unicode |= value > 127 and "u" in self.flags
            return value
        if value > 0x10FFFF or 0xD800 <= value <= 0xDFFF:
            raise self.error(f"{code.group()} is no character", start)
        return chr(value)

    def _property(self, start: int) -> ByteSet:
        match = re.compile(r"[pP](?:[A-Za-z]|\{\^?[A-Za-z0-9_ =:!-]+\})").match(self.pattern, self.offset)
        if not match:
            raise self.error(r"\p needs a class, as in \p{Greek}", start)
        if "u" not in self.flags:
            raise self.error(f"\\{match.group()} needs Unicode: start the pattern with (?u)", start)
        self.offset = match.end()
        self.unicode = True
        return ALL
