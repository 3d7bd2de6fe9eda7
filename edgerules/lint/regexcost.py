"""What a regular expression costs every request.

Rust's engine needs no backtracking, so nothing explodes as it did on 2 July 2019; the cost is the size of
the compiled program times the length of the text. Patterns that would explode elsewhere are reported as
well: the same rule is often repeated at the origin, where the engine does backtrack.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgerules.language.regex.tree import ALL, Bytes, Capture, Choice, Part, Place, Repeat, Sequence, size

BIG = 2_000
_MANY_WILD = 3


def costs(part: Part) -> Iterator[str]:
    """A sentence without final stop for each thing that is expensive."""
    steps = size(part)
    if steps > BIG:
        yield f"this regular expression compiles to about {steps} steps; shorten its counted repetitions"
    if any(_endless_inside(node) for node in _walk(part)):
        yield "a repetition within a repetition, as in (a+)+: it explodes wherever an engine backtracks"
    wild = sum(_is_wild(node) for node in _walk(part))
    if wild >= _MANY_WILD:
        yield f"{wild} times .* in one pattern; each is tried at every place: use contains, or several conditions"
    if _starts_wild(part):
        yield "a leading .* changes nothing (the search starts anywhere) and costs time: leave it out"


def _walk(part: Part) -> Iterator[Part]:
    yield part
    for inner in _inner(part):
        yield from _walk(inner)


def _inner(part: Part) -> tuple[Part, ...]:
    if isinstance(part, Sequence):
        return part.parts
    if isinstance(part, Choice):
        return part.options
    return (part.part,) if isinstance(part, Repeat | Capture) else ()


def _is_endless(part: Part) -> bool:
    return isinstance(part, Repeat) and part.most is None


def _endless_inside(part: Part) -> bool:
    """An endless repetition whose body ends in another one: (a+)+, (a*b?)*, ((a+))+."""
    if not isinstance(part, Repeat) or part.most is not None:
        return False
    return _may_be_only_repetition(part.part)


def _may_be_only_repetition(part: Part) -> bool:
    if isinstance(part, Capture):
        return _may_be_only_repetition(part.part)
    if isinstance(part, Choice):
        return any(_may_be_only_repetition(option) for option in part.options)
    if isinstance(part, Sequence):
        solid = [item for item in part.parts if not _may_be_empty(item)]
        if len(solid) == 1:
            return _may_be_only_repetition(solid[0])
        return not solid and any(_is_endless(item) for item in part.parts)
    return _is_endless(part)


def _may_be_empty(part: Part) -> bool:
    return isinstance(part, Place) or (isinstance(part, Repeat) and part.least == 0)


def _is_wild(part: Part) -> bool:
    body = part.part if isinstance(part, Repeat) and part.most is None else None
    return isinstance(body, Bytes) and len(body.members) >= len(ALL) - 1


def _starts_wild(part: Part) -> bool:
    while isinstance(part, Sequence | Capture):
        inner = _inner(part)
        if not inner:
            return False
        part = inner[0]
    return _is_wild(part) and isinstance(part, Repeat) and part.least == 0
