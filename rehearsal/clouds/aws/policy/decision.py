"""The decision: an explicit Deny wins, then an Allow, and without either the answer is no."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from rehearsal.clouds.aws.policy.document import Condition, Policy, Principals, Statement
from rehearsal.clouds.aws.policy.operators import NULL, OPERATORS, like, split

Context = Mapping[str, tuple[str, ...]]
"""Condition keys in lower case, each with its values; a key that the request does not have is not there."""
VARIABLE = re.compile(r"\$\{([^}*?$,]+)(?:,\s*'([^']*)')?\}")


class Verdict(Enum):
    ALLOWED = "allowed"
    IMPLICIT = "no statement allows it"
    EXPLICIT = "a statement denies it"


@dataclass(frozen=True)
class Question:
    """May this principal do this to that?"""

    action: str
    resource: str
    principal: str
    """Its ARN; empty for nobody in particular."""
    account: str
    context: Context


@dataclass(frozen=True)
class Decision:
    verdict: Verdict
    by: str = ""
    """`identity` or `resource`: which kind of policy said so."""

    @property
    def allowed(self) -> bool:
        return self.verdict is Verdict.ALLOWED


def decide(question: Question, identity: Iterable[Policy], resource: Policy | None) -> Decision:
    """Of one account: either kind of policy may allow, each may deny."""
    sayings = [("identity", policy) for policy in identity] + ([("resource", resource)] if resource else [])
    fitting = [
        (kind, statement)
        for kind, policy in sayings
        for statement in policy.statements
        if applies(statement, question, policy.variables, named=kind == "resource")
    ]
    for kind, statement in fitting:
        if not statement.allow:
            return Decision(Verdict.EXPLICIT, kind)
    for kind, statement in fitting:
        if statement.allow:
            return Decision(Verdict.ALLOWED, kind)
    return Decision(Verdict.IMPLICIT)


def applies(statement: Statement, question: Question, variables: bool, named: bool) -> bool:
    """`named`: the policy belongs to a resource, so its statements say whom they are about."""
    return (
        (not named or _is_about(statement, question))
        and _fits(statement.actions, question.action.lower(), statement.not_actions, fold=True)
        and _fits(
            tuple(_replaced(one, question.context, variables) for one in statement.resources),
            question.resource,
            statement.not_resources,
        )
        and all(holds(condition, question.context, variables) for condition in statement.conditions)
    )


def _fits(patterns: tuple[str, ...], value: str, negated: bool, fold: bool = False) -> bool:
    found = any(like(value, one.lower() if fold else one) for one in patterns)
    return found != negated


def _is_about(statement: Statement, question: Question) -> bool:
    if statement.principals is None:
        return False
    return _includes(statement.principals, question) != statement.not_principals


def _includes(principals: Principals, question: Question) -> bool:
    if principals.everyone:
        return True
    if not question.principal:
        return False
    root = f"arn:aws:iam::{question.account}:root"
    return any(one in (question.principal, root, question.account) for one in principals.by_kind.get("AWS", ()))


def _replaced(text: str, context: Context, variables: bool) -> str:
    """Policy variables. One that the request has no value for, and no default, makes the text fit nothing."""
    if not variables or "${" not in text:
        return text

    def value(match: re.Match[str]) -> str:
        found = context.get(match[1].strip().lower())
        if found:
            return re.sub(r"[*?$]", lambda special: f"${{{special[0]}}}", found[0])
        return match[2] if match[2] is not None else "\0"

    return VARIABLE.sub(value, text)


def holds(condition: Condition, context: Context, variables: bool = True) -> bool:
    """Whether one line of a Condition block is met."""
    quantifier, name, if_exists = split(condition.operator)
    given = context.get(condition.key.lower())
    if name == NULL:
        return ("true" if given is None else "false") in {value.lower() for value in condition.values}
    operator = OPERATORS[name]
    wanted = [_replaced(value, context, variables) for value in condition.values]

    def fits(value: str) -> bool:
        return any(operator.compare(value, one) for one in wanted) != operator.negated

    if quantifier == "ForAllValues":
        return all(map(fits, given or ()))
    if quantifier == "ForAnyValue":
        return any(map(fits, given or ())) or (if_exists and given is None)
    if given is None:
        return if_exists or operator.negated
    return any(map(fits, given)) if not operator.negated else all(map(fits, given))
