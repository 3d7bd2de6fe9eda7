"""Text -> tokens. String bodies are decoded here, because how they escape depends on the operator before."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from edgerules.language.errors import DOCS, ExpressionError, Finding, Position

VALUES = DOCS + "values/"
OPERATORS = DOCS + "operators/"


@dataclass(frozen=True)
class Token:
    """`kind`: name, string, atom (number or address), list, symbol, end. `value`: decoded bytes of a string."""

    kind: str
    text: str
    at: Position
    value: bytes = b""
    regex: bool = False

    def __str__(self) -> str:
        return "the end of the expression" if self.kind == "end" else self.text


_SPACE = re.compile(r"[ \r\n]*")
# A hexadecimal run before a colon is an address and no name: nothing else in the language has colons.
_ATOM = re.compile(r"[0-9A-Fa-f]*:[0-9A-Fa-f:./]*|-?[0-9](?:[0-9A-Za-z_:/]|\.(?!\.-))*(?:\.\.-[0-9]+)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*")
_LIST = re.compile(r"\$[A-Za-z0-9_.-]*")
_LIST_NAME = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*")
_RAW = re.compile(r"r(#*)\"")
_SYMBOL = re.compile(r"==|!=|<=|>=|&&|\|\||\^\^|[<>~!&()\[\]{},*]")
_ESCAPE = re.compile(r'(["\\])|x([0-9A-Fa-f]{2})|([0-7]{3})')

_HINTS = {
    "'": ("strings stand in double quotes", "write \"...\" instead of '...'", VALUES),
    "`": ("strings stand in double quotes", 'write "..." instead of `...`', VALUES),
    "\N{LEFT DOUBLE QUOTATION MARK}": ("a typographic quote", 'use the plain quote "', VALUES),
    "\N{RIGHT DOUBLE QUOTATION MARK}": ("a typographic quote", 'use the plain quote "', VALUES),
    "=": ("a single = is no operator", "write eq or ==", OPERATORS),
    "|": ("a single | is no operator", "write or or ||", OPERATORS),
    "^": ("a single ^ is no operator", "write xor or ^^", OPERATORS),
    "\t": ("a tab, which the engine does not skip", "use spaces", DOCS),
    "#": ("the Rules language has no comments", "use the rule's description", DOCS),
    "/": ("the Rules language has no comments and no /regex/", "write regular expressions in quotes", DOCS),
    ";": ("an expression has no end mark", "leave out the semicolon", DOCS),
    "%": ("the Rules language has no arithmetic", None, OPERATORS),
    "+": ("the Rules language has no arithmetic", "concat() joins strings", OPERATORS),
    "-": ("the Rules language has no arithmetic", None, OPERATORS),
}


class Lexer:
    """Tokens of one text, one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = [0] + [match.end() for match in re.finditer("\n", text)]
        self._offset = 0
        self._after_matches = False

    def position(self, offset: int) -> Position:
        line = bisect_right(self._lines, offset)
        return Position(offset, line, offset - self._lines[line - 1] + 1)

    def __iter__(self) -> Iterator[Token]:
        while True:
            token = self._next()
            yield token
            if token.kind == "end":
                return

    def _next(self) -> Token:
        self._offset = _match(_SPACE, self._text, self._offset).end()
        start = self._offset
        if start == len(self._text):
            return Token("end", "", self.position(start))
        token = self._literal(start) or self._word(start)
        if token is None:
            raise self._bad_character(start)
        self._after_matches = token.text in ("matches", "~")
        return token

    def _literal(self, start: int) -> Token | None:
        if self._text[start] == '"':
            return self._regex(start) if self._after_matches else self._quoted(start)
        raw = _RAW.match(self._text, start)
        if raw:
            return self._raw(start, len(raw.group(1)), raw.end())
        atom = _ATOM.match(self._text, start)
        return self._token("atom", atom) if atom else None

    def _word(self, start: int) -> Token | None:
        if self._text[start] == "$":
            return self._list(start)
        for kind, pattern in (("name", _NAME), ("symbol", _SYMBOL)):
            match = pattern.match(self._text, start)
            if match:
                return self._token(kind, match)
        return None

    def _token(self, kind: str, match: re.Match[str]) -> Token:
        self._offset = match.end()
        return Token(kind, match.group(), self.position(match.start()))

    def _list(self, start: int) -> Token:
        name = _match(_LIST, self._text, start).group()[1:]
        if not _LIST_NAME.fullmatch(name):
            message = f"${name} is not a list name"
            expected = "lowercase letters, numbers and underscores after $"
            raise self.error(start, message, expected, f"write ${name.lower()}" if name else None, VALUES + "#lists")
        self._offset = start + 1 + len(name)
        return Token("list", "$" + name, self.position(start))

    def _quoted(self, start: int) -> Token:
        out = bytearray()
        index = start + 1
        while index < len(self._text):
            char = self._text[index]
            if char == '"':
                self._offset = index + 1
                return Token("string", self._text[start : index + 1], self.position(start), bytes(out))
            if char == "\\":
                index = self._escape(index, out)
            else:
                out += _encode(char)
                index += 1
        raise self._open_string(start)

    def _escape(self, index: int, out: bytearray) -> int:
        match = _ESCAPE.match(self._text, index + 1)
        if not match or (match[3] and int(match[3], 8) > 255):
            shown = self._text[index : index + 2]
            expected = r"\", \\, \xHH or \OOO"
            hint = r'write \\ for a backslash, or a raw string r"..."'
            raise self.error(index, f"{shown} is no escape sequence", expected, hint, VALUES)
        plain, hexadecimal, octal = match.groups()
        out += _encode(plain) if plain else bytes([int(hexadecimal, 16) if hexadecimal else int(octal, 8)])
        return match.end()

    def _regex(self, start: int) -> Token:
        """A quoted regular expression keeps its escapes, and quotes inside [...] do not end it."""
        out: list[str] = []
        index, in_class = start + 1, False
        while index < len(self._text):
            char = self._text[index]
            if char == '"' and not in_class:
                self._offset = index + 1
                body = _encode("".join(out))
                return Token("string", self._text[start : index + 1], self.position(start), body, True)
            if char == "\\" and index + 1 < len(self._text):
                escaped = self._text[index + 1]
                out.append(escaped if escaped == '"' and not in_class else char + escaped)
                index += 2
                continue
            in_class = char != "]" if in_class else char == "["
            out.append(char)
            index += 1
        raise self._open_string(start)

    def _raw(self, start: int, hashes: int, body: int) -> Token:
        if hashes > 255:
            raise self.error(start, "a raw string has at most 255 # marks", docs=VALUES + "#raw-string-syntax")
        end = self._text.find('"' + "#" * hashes, body)
        if end < 0:
            raise self._open_string(start, '"' + "#" * hashes)
        self._offset = end + 1 + hashes
        value = _encode(self._text[body:end])
        return Token("string", self._text[start : self._offset], self.position(start), value, self._after_matches)

    def error(
        self,
        offset: int,
        message: str,
        expected: str | None = None,
        suggestion: str | None = None,
        docs: str = DOCS,
    ) -> ExpressionError:
        return ExpressionError(Finding("syntax", message, self.position(offset), expected, suggestion, docs))

    def _open_string(self, start: int, end: str = '"') -> ExpressionError:
        message = "the string that starts here has no end"
        return self.error(start, message, f"a closing {end}", docs=VALUES)

    def _bad_character(self, offset: int) -> ExpressionError:
        char = self._text[offset]
        message, suggestion, docs = _HINTS.get(char, (f"{char!r} has no meaning here", None, DOCS))
        return self.error(offset, message, None, suggestion, docs)


def _match(pattern: re.Pattern[str], text: str, start: int) -> re.Match[str]:
    found = pattern.match(text, start)
    assert found is not None  # noqa: S101  # both patterns that come here match the empty string after their start
    return found


def _encode(text: str) -> bytes:
    """UTF-8; a lone surrogate (from a damaged file) stays what it was instead of raising."""
    return text.encode("utf-8", "surrogatepass")
