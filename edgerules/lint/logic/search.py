"""Look for a way to make all goals true; when there is none, they are impossible together.

A tableau: conjunctions are taken apart, alternatives tried one by one, and every branch is given up as soon
as the facts about one value contradict each other (theory.py).
"""

from __future__ import annotations

from edgerules.language.syntax import Call, Expr, Field, InList, Logic, Not, Truth
from edgerules.lint.logic.theory import Fact, Known, base_of, consistent

Goal = tuple[Expr, bool]
"""An expression, and whether it has to be true."""

_MOST_STEPS = 4_000
_MOST_FACTS = 400


class _GaveUpError(Exception):
    pass


def impossible(*goals: Goal, lists: Known | None = None) -> bool:
    """Whether no request at all meets every goal."""
    try:
        return not _Search(lists or {}).possible(list(goals), [], {})
    except (_GaveUpError, RecursionError):
        return False


class _Search:
    def __init__(self, lists: Known) -> None:
        self.lists = lists
        self.steps = 0

    def possible(self, pending: list[Goal], choices: list[Goal], facts: dict[Expr, tuple[Fact, ...]]) -> bool:
        """`choices` are the goals that offer alternatives; they wait until everything certain is known."""
        facts = dict(facts)
        pending = list(pending)
        choices = list(choices)
        while pending:
            self.steps += 1
            if self.steps > _MOST_STEPS or len(facts) > _MOST_FACTS:
                raise _GaveUpError
            expr, wanted = pending.pop()
            if isinstance(expr, Not):
                pending.append((expr.operand, not wanted))
            elif isinstance(expr, Logic):
                self.take_apart(expr, wanted, pending, choices)
            elif isinstance(expr, Truth):
                if expr.value is not wanted:
                    return False
            elif not self.learn(expr, wanted, facts):
                return False
        return self.choose(choices, facts)

    def take_apart(self, expr: Logic, wanted: bool, pending: list[Goal], choices: list[Goal]) -> None:
        if expr.op == "xor" or (expr.op == "or") is wanted:
            choices.append((expr, wanted))
        else:
            pending += [(operand, wanted) for operand in expr.operands]

    def choose(self, choices: list[Goal], facts: dict[Expr, tuple[Fact, ...]]) -> bool:
        if not choices:
            return True
        (expr, wanted), rest = choices[0], choices[1:]
        return any(self.possible(goals, rest, facts) for goals in alternatives(expr, wanted))

    def learn(self, atom: Expr, wanted: bool, facts: dict[Expr, tuple[Fact, ...]]) -> bool:
        """Add a fact; False when it contradicts what is known."""
        if wanted and isinstance(atom, Call) and atom.name == "any":
            element = atom.args[0]
            if not self.possible([(element, True)], [], {}):
                return False
        fact = Fact(atom, wanted)
        value: Expr = atom if self.is_opaque(atom) else base_of(atom)
        facts[value] = (*facts.get(value, ()), fact)
        return consistent(value, facts[value], self.lists)

    def is_opaque(self, atom: Expr) -> bool:
        """Lists that are not given, flags and calls are only compared with themselves."""
        if isinstance(atom, InList):
            return atom.name not in self.lists
        return isinstance(atom, Field) or (isinstance(atom, Call) and atom.name not in ("starts_with", "ends_with"))


def alternatives(expr: Expr, wanted: bool) -> list[list[Goal]]:
    """The ways in which `expr` can become what is wanted."""
    if not isinstance(expr, Logic):
        return [[(expr, wanted)]]
    if expr.op != "xor":
        return [[(operand, wanted)] for operand in expr.operands]
    first, *others = expr.operands
    rest: Expr = others[0] if len(others) == 1 else Logic(expr.at, "xor", tuple(others))
    return [[(first, True), (rest, not wanted)], [(first, False), (rest, wanted)]]
