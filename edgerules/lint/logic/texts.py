"""Contradictions between facts about a text: `x eq "a" and x eq "b"`, `lower(x) contains "ABC"`, and so on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import Any, Protocol

from edgerules.language import UNKNOWN, Position, compile_filter
from edgerules.language.syntax import Call, Compare, Each, Expr, Field, InSet, Text


class FactLike(Protocol):
    @property
    def atom(self) -> Expr: ...
    @property
    def holds(self) -> bool: ...


_FOLDS: dict[str, Callable[[bytes], bytes]] = {"lower": bytes.lower, "upper": bytes.upper}
_STAND_IN = Field(Position(), "http.host")
_PATHS = ("http.request.uri.path", "raw.http.request.uri.path", "http.request.uri", "raw.http.request.uri")


def texts_consistent(value: Expr, facts: Iterable[FactLike]) -> bool:
    by_term: dict[Expr, list[FactLike]] = {}
    for fact in facts:
        by_term.setdefault(_term(fact.atom), []).append(fact)
    everything = [fact for group in by_term.values() for fact in group]
    if not _candidate_left(value, by_term.get(value, []), everything, value):
        return False
    return all(
        _fold_possible(term, group)
        and _fragments_agree(term, group)
        and (term == value or _candidate_left(term, group, group, term))
        for term, group in by_term.items()
    )


def _term(atom: Expr) -> Expr:
    if isinstance(atom, Compare | InSet):
        return one_element(atom.left)
    return one_element(atom.args[0]) if isinstance(atom, Call) and atom.args else atom


def one_element(term: Expr) -> Expr:
    """`lower(x[*])[*]` stands for `lower(x[*])`, one element after the other."""
    return term.base if isinstance(term, Each) and isinstance(term.base, Call) else term


def _candidate_left(term: Expr, sources: list[FactLike], checks: list[FactLike], base: Expr) -> bool:
    """Where facts leave only some values, one of them must meet all the others."""
    candidates = _candidates(sources)
    if candidates is None:
        return True
    fold = _FOLDS.get(term.name) if isinstance(term, Call) else None
    possible = (text for text in candidates if fold is None or fold(text) == text)
    if _is_path(term):
        possible = (text for text in possible if text.startswith(b"/"))
    return any(all(_agrees(fact, base, text) for fact in checks) for text in possible)


def _candidates(facts: list[FactLike]) -> set[bytes] | None:
    exists = any(fact.holds for fact in facts)
    found: set[bytes] | None = None
    for fact in facts:
        only = _only(fact.atom, fact.holds, exists)
        if only is not None:
            found = only if found is None else found & only
    return found


def _only(atom: Expr, holds: bool, exists: bool) -> set[bytes] | None:
    """The values that the fact leaves, if they can be counted."""
    if isinstance(atom, Compare):
        single = (atom.op == "eq" and holds) or (atom.op == "ne" and not holds and exists)
        return {atom.right.value} if single and isinstance(atom.right, Text) else None
    if isinstance(atom, InSet) and holds and all(isinstance(item, Text) for item in atom.items):
        return {item.value for item in atom.items if isinstance(item, Text)}
    return None


def _agrees(fact: FactLike, base: Expr, text: bytes) -> bool:
    answer = _decider(fact.atom, base)({"http.host": text})
    return answer is UNKNOWN or answer is fact.holds


@lru_cache(maxsize=4096)
def _decider(atom: Expr, base: Expr) -> Callable[[dict[str, Any]], Any]:
    """The atom as a function of its value alone, by the evaluator itself."""
    return compile_filter(_with(atom, base, _STAND_IN))


def _with(expr: Any, old: Expr, new: Expr) -> Any:
    if expr == old:
        return new
    if isinstance(expr, Compare | InSet):
        return replace(expr, left=_with(expr.left, old, new))
    if isinstance(expr, Each):
        return _with(expr.base, old, new)
    if isinstance(expr, Call):
        return replace(expr, args=tuple(_with(argument, old, new) for argument in expr.args))
    return expr


def _fold_possible(term: Expr, facts: list[FactLike]) -> bool:
    """`lower()` never returns a capital letter, so nothing can contain one."""
    fold = _FOLDS.get(term.name) if isinstance(term, Call) else None
    if fold is None:
        return True
    return all(fold(part) == part for fact in facts if fact.holds for _, part in _parts(fact.atom))


def _parts(atom: Expr) -> list[tuple[str, bytes]]:
    """What a value must start with, end with or contain for the atom to be true."""
    if isinstance(atom, Compare) and isinstance(atom.right, Text) and atom.op in ("contains", "eq"):
        return [(atom.op, atom.right.value)]
    if isinstance(atom, Call) and len(atom.args) == 2 and isinstance(atom.args[1], Text):
        return [(atom.name, atom.args[1].value)]
    return []


def _fragments_agree(term: Expr, facts: list[FactLike]) -> bool:
    required = [part for fact in facts if fact.holds for part in _parts(fact.atom)]
    refused = [part for fact in facts if not fact.holds for part in _parts(fact.atom)]
    if required and _is_path(term):
        required.append(("starts_with", b"/"))
    for place, trim in (("starts_with", bytes.startswith), ("ends_with", bytes.endswith)):
        ends = sorted((text for where, text in required if where == place), key=len)
        if any(not trim(longer, shorter) for shorter, longer in pairwise(ends)):
            return False
    return not any(_implies(have, not_wanted) for have in required for not_wanted in refused)


def _implies(have: tuple[str, bytes], other: tuple[str, bytes]) -> bool:
    """Whether a text with `have` always has `other` too."""
    (place, text), (wanted, part) = have, other
    if wanted == "contains":
        return part in text
    if wanted == "starts_with":
        return place == "starts_with" and text.startswith(part)
    return wanted == "ends_with" and place == "ends_with" and text.endswith(part)


def _is_path(term: Expr) -> bool:
    return isinstance(term, Field) and term.name in _PATHS
