"""Whether facts about one value contradict each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgerules.language.syntax import (
    AddressLiteral,
    AddressRange,
    Call,
    Compare,
    Expr,
    InList,
    InSet,
    IntRange,
    Number,
    Text,
)
from edgerules.lint.logic import spans
from edgerules.lint.logic.spans import Spans
from edgerules.lint.logic.texts import one_element, texts_consistent

Known = Mapping[str, Sequence[Any]]
"""List name -> items, for lists whose content is known."""


@dataclass(frozen=True)
class Fact:
    """An atom (comparison, set, list, function or flag) that is true or is not."""

    atom: Expr
    holds: bool


def term_of(atom: Expr) -> Expr:
    """What the atom is about: `lower(http.host)` in `lower(http.host) eq "a"`; one element of an array."""
    term = atom
    if isinstance(atom, Compare | InSet | InList):
        term = atom.left
    elif isinstance(atom, Call) and atom.name in ("starts_with", "ends_with") and atom.args:
        term = atom.args[0]
    return one_element(term)


def base_of(atom: Expr) -> Expr:
    """The same without lower() and upper(): facts about both belong together."""
    term = term_of(atom)
    while isinstance(term, Call) and term.name in ("lower", "upper") and term.args:
        term = term.args[0]
    return term


def consistent(value: Expr, facts: tuple[Fact, ...], lists: Known) -> bool:
    """False only if no request can meet all facts about `value`."""
    newest = facts[-1]
    if any(fact.atom == newest.atom and fact.holds is not newest.holds for fact in facts):
        return False
    spanning = [(spans_of(fact.atom, lists), fact.holds) for fact in facts if term_of(fact.atom) == value]
    known = [(found, holds) for found, holds in spanning if found is not None]
    if known:
        return _spans_consistent(value, known)
    return texts_consistent(value, facts)


def _spans_consistent(value: Expr, facts: list[tuple[Spans, bool]]) -> bool:
    if not any(holds for _, holds in facts):
        return True  # a missing value meets every negation
    left = spans.domain(value)
    for found, holds in facts:
        left = spans.both(left, found if holds else spans.without(found))
    return bool(left)


def spans_of(atom: Expr, lists: Known) -> Spans | None:
    """The numbers or addresses for which the atom is true; None for texts and what cannot be told."""
    if isinstance(atom, Compare):
        point = _point(atom.right)
        return None if point is None else spans.compared(atom.op, point)
    if isinstance(atom, InSet):
        parts = [_item(item) for item in atom.items]
        return None if any(part is None for part in parts) else spans.union(part for part in parts if part)
    if isinstance(atom, InList):
        return spans.of_list(lists[atom.name]) if atom.name in lists else None
    return None


def _point(literal: Expr) -> int | None:
    if isinstance(literal, Number):
        return literal.value
    return spans.address(literal.value) if isinstance(literal, AddressLiteral) else None


def _item(item: Any) -> tuple[int, int] | None:
    if isinstance(item, IntRange):
        return item.first, item.last
    if isinstance(item, AddressRange):
        return spans.address(item.first), spans.address(item.last)
    if isinstance(item, Text):
        return None
    point = _point(item)
    return None if point is None else (point, point)
