"""Bracketed classes: ranges, negation, nesting, POSIX names, and the set operations && -- ~~."""

from __future__ import annotations

from edgerules.language.regex.scanner import Scanner
from edgerules.language.regex.tree import ALL, POSIX, ByteSet, fold

_MAX_NESTED = 30


def bracketed(scan: Scanner, depth: int = 0) -> ByteSet:
    """The set of a class whose opening bracket has been read."""
    start = scan.offset - 1
    if depth > _MAX_NESTED:
        raise scan.error("classes are nested too deeply", start)
    negated = scan.take("^")
    members = _leading(scan) | _operand(scan, start, depth)
    while not scan.take("]"):
        members = _operation(scan, members, start, depth)
    if "i" in scan.flags:
        members = fold(members)
    return ALL - members if negated else members


def _operation(scan: Scanner, left: ByteSet, start: int, depth: int) -> ByteSet:
    operator = scan.peek(2)
    scan.offset += 2
    right = _operand(scan, start, depth)
    if operator == "&&":
        return left & right
    return left - right if operator == "--" else left ^ right


def _leading(scan: Scanner) -> ByteSet:
    """Dashes at the start stand for themselves, and so does a bracket right at the start."""
    members: ByteSet = frozenset()
    scan.skip_ignored()
    while scan.take("-"):
        members = frozenset(b"-")
        scan.skip_ignored()
    return frozenset(b"]") if not members and scan.take("]") else members


def _operand(scan: Scanner, start: int, depth: int) -> ByteSet:
    """Everything up to the closing bracket or to the next set operation."""
    members: ByteSet = frozenset()
    while True:
        scan.skip_ignored()
        if not scan.peek():
            raise scan.error("the class that starts here has no closing ]", start)
        if scan.peek() == "]" or scan.peek(2) in ("&&", "--", "~~"):
            return members
        members |= _item(scan, depth)


def _item(scan: Scanner, depth: int) -> ByteSet:
    """A nested class, a named one, a range, or one byte."""
    if scan.peek(2) == "[:":
        named = _posix(scan)
        if named is not None:
            return named
    if scan.take("["):
        return bracketed(scan, depth + 1)
    start = scan.offset
    low = _member(scan)
    scan.skip_ignored()
    ahead = scan.peek(2)
    if ahead[:1] != "-" or ahead in ("-]", "--", "-"):
        return low if isinstance(low, frozenset) else frozenset({low})
    scan.offset += 1
    scan.skip_ignored()
    high = _member(scan)
    if isinstance(low, frozenset) or isinstance(high, frozenset):
        raise scan.error("a range needs one character at each end", start)
    if low > high:
        raise scan.error("this range is in the wrong order", start)
    return frozenset(range(low, high + 1))


def _member(scan: Scanner) -> int | ByteSet:
    start = scan.offset
    if not scan.peek():
        raise scan.error("the class has no closing ]")
    if not scan.take("\\"):
        return scan.member(scan.plain(scan.next()), start)
    value = scan.escape()
    if value is None:
        raise scan.error(f"\\{scan.peek()} has no meaning inside a class")
    return scan.member(value, start)


def _posix(scan: Scanner) -> ByteSet | None:
    """`[:alpha:]`, or None if this is no named class after all."""
    end = scan.pattern.find(":]", scan.offset + 2)
    name = scan.pattern[scan.offset + 2 : end] if end > 0 else ""
    members = POSIX.get(name.removeprefix("^"))
    if members is None:
        return None
    scan.offset = end + 2
    if "i" in scan.flags:
        members = fold(members)
    return ALL - members if name.startswith("^") else members
