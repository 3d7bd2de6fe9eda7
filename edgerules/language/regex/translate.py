"""Tree -> a pattern of Python's re over bytes that means the same."""

from __future__ import annotations

from edgerules.language.regex.tree import (
    ALL,
    Bytes,
    ByteSet,
    Choice,
    Part,
    Place,
    Repeat,
    Sequence,
)

# Python's $ also matches before a final newline and its \B not on the empty text: both are avoided.
_PLACES = {
    "start": r"\A",
    "end": r"\Z",
    "line_start": r"(?:\A|(?<=\n))",
    "line_end": r"(?=\n|\Z)",
    "word": r"\b",
    "not_word": r"(?!\b)",
    "word_start": r"(?<!\w)(?=\w)",
    "word_end": r"(?<=\w)(?!\w)",
    "no_word_before": r"(?<!\w)",
    "no_word_after": r"(?!\w)",
}


def to_python(part: Part, *, capturing: bool) -> bytes:
    """Captures become groups only where they are asked for, which keeps matching fast."""
    return _emit(part, capturing).encode("ascii")


def _emit(part: Part, capturing: bool) -> str:
    if isinstance(part, Bytes):
        return _set(part.members)
    if isinstance(part, Place):
        return _PLACES[part.name]
    if isinstance(part, Repeat):
        return _repeat(part, capturing)
    if isinstance(part, Sequence):
        return "".join(_grouped(item, capturing) for item in part.parts)
    if isinstance(part, Choice):
        return "|".join(_emit(item, capturing) for item in part.options)
    inner = _emit(part.part, capturing)
    return f"({inner})" if capturing else f"(?:{inner})"


def _grouped(part: Part, capturing: bool) -> str:
    text = _emit(part, capturing)
    return f"(?:{text})" if isinstance(part, Choice) else text


def _repeat(part: Repeat, capturing: bool) -> str:
    inner = _emit(part.part, capturing)
    if not isinstance(part.part, Bytes):
        inner = f"(?:{inner})"
    most = "" if part.most is None else str(part.most)
    return f"{inner}{{{part.least},{most}}}" + ("" if part.greedy else "?")


def _set(members: ByteSet) -> str:
    if not members:
        return "(?!)"
    if len(members) == 1:
        return _byte(next(iter(members)))
    return f"[{''.join(_range(low, high) for low, high in _runs(members))}]"


def _runs(members: ByteSet) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for byte in sorted(members & ALL):
        if runs and runs[-1][1] == byte - 1:
            runs[-1] = (runs[-1][0], byte)
        else:
            runs.append((byte, byte))
    return runs


def _range(low: int, high: int) -> str:
    return _byte(low) if low == high else f"{_byte(low)}-{_byte(high)}"


def _byte(byte: int) -> str:
    char = chr(byte)
    return char if char.isascii() and char.isalnum() else f"\\x{byte:02x}"
