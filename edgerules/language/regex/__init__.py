"""Regular expressions as Cloudflare's engine has them: Rust's, over bytes, with Unicode off.

Python's re is only used to run what has been read and checked here, so none of its extras gets through.
A pattern that switches Unicode on is checked, but not run: its matches are UNKNOWN.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from edgerules.language.regex.linear import Program, is_risky
from edgerules.language.regex.parse import parse_regex
from edgerules.language.regex.scanner import RegexError
from edgerules.language.regex.translate import to_python
from edgerules.language.regex.tree import captures, size

__all__ = ["RegexError", "capturing_pattern", "check", "group_count", "search_pattern", "searcher"]

_LINEAR_LIMIT = 1_000_000
"""Bytes of program beyond which the linear matcher would take too long to set up."""


@lru_cache(maxsize=1024)
def search_pattern(pattern: bytes) -> re.Pattern[bytes] | None:
    """To search with; None where the pattern needs Unicode tables. Raises RegexError."""
    return _compile(pattern, capturing=False)


@lru_cache(maxsize=1024)
def searcher(pattern: bytes) -> Callable[[bytes], bool] | None:
    """Whether a text has a match; None where the pattern needs Unicode tables. Raises RegexError."""
    part, unicode = parse_regex(_decode(pattern))
    if unicode:
        return None
    if is_risky(part) and size(part) < _LINEAR_LIMIT:
        return Program(part).search
    search = re.compile(to_python(part, capturing=False)).search
    return lambda text: search(text) is not None


@lru_cache(maxsize=256)
def capturing_pattern(pattern: bytes) -> re.Pattern[bytes] | None:
    """The same with numbered groups, for replacements."""
    return _compile(pattern, capturing=True)


def check(pattern: bytes) -> None:
    """Raise RegexError if the engine would refuse the pattern."""
    parse_regex(_decode(pattern))


def group_count(pattern: bytes) -> int:
    return captures(parse_regex(_decode(pattern))[0])


def _compile(pattern: bytes, *, capturing: bool) -> re.Pattern[bytes] | None:
    part, unicode = parse_regex(_decode(pattern))
    return None if unicode else re.compile(to_python(part, capturing=capturing))


def _decode(pattern: bytes) -> str:
    try:
        return pattern.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RegexError("the pattern is not UTF-8", error.start) from None
