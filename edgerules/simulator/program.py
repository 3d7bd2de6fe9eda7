"""A zone compiled once: every expression parsed, every value ready to be computed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from edgerules.language import (
    Expr,
    ExpressionError,
    Filter,
    ValueOf,
    compile_filter,
    compile_value,
    fields_of,
    parse,
)
from edgerules.simulator.fields import Fields
from edgerules.zone import Document, InputError, Rule, Zone, rule_name

Lists = Mapping[str, list[str | int]]


@dataclass(slots=True)
class Compiled:
    """A rule that is ready to run."""

    name: str
    phase: str
    rule: Rule
    expr: Expr
    match: Filter
    reads: frozenset[str]
    parameters: dict[str, Any]
    values: dict[str, ValueOf] = field(default_factory=dict)  # computed values: target, path, query, header:x
    counting: Filter | None = None  # None: what the expression matches is counted
    counts_responses: bool = False
    key: Callable[[Fields], tuple[Any, ...]] | None = None


@lru_cache(maxsize=4096)
def _parsed(text: str, result: str) -> Expr:
    """Trees never change, and the mutants of a zone share nearly all of theirs."""
    return parse(text, result=result)


class Compiler:
    """Compiles a zone and collects every mistake on the way."""

    def __init__(self, zone: Zone, document: Document | None = None) -> None:
        self.zone = zone
        self.document = document
        self.lists = lists_of(zone)
        self.mistakes: list[str] = []

    def compile(self) -> dict[str, list[Compiled]]:
        program: dict[str, list[Compiled]] = {}
        for phase, rules in self.zone.rules.items():
            compiled = (self.rule(phase, index, rule) for index, rule in enumerate(rules) if rule.enabled)
            program[phase] = [rule for rule in compiled if rule is not None]
        if self.mistakes:
            raise InputError(*self.mistakes)
        return program

    def rule(self, phase: str, index: int, rule: Rule) -> Compiled | None:
        try:
            expr = _parsed(rule.expression, "filter")
            compiled = Compiled(
                rule_name(phase, index, rule),
                phase,
                rule,
                expr,
                compile_filter(expr, self.lists),
                fields_of(expr),
                rule.parameters,
            )
            self.add_values(compiled)
            self.add_counter(compiled)
        except (ExpressionError, InputError) as error:
            self.mistakes.append(self.sentence(phase, index, rule, error))
            return None
        return compiled

    def sentence(self, phase: str, index: int, rule: Rule, error: Exception) -> str:
        where = f"{self.document.where('rules', phase, index)}: " if self.document else ""
        return f"{where}rule {rule_name(phase, index, rule)}: {error}"

    def add_values(self, compiled: Compiled) -> None:
        parameters = compiled.parameters
        for name, value in _dynamic(parameters):
            compiled.values[name] = self.value(value)

    def value(self, source: Mapping[str, Any]) -> ValueOf:
        """`{value: text}` or `{expression: text}` as a function of the request."""
        if "expression" in source:
            return compile_value(_parsed(source["expression"], "value"), self.lists)
        constant = str(source["value"]).encode("utf-8", "surrogateescape")
        return lambda fields: constant

    def add_counter(self, compiled: Compiled) -> None:
        limit = compiled.rule.ratelimit
        if limit is None:
            return
        compiled.key = self.key(limit.characteristics)
        if limit.counting_expression:
            expr = _parsed(limit.counting_expression, "counting")
            compiled.counting = compile_filter(expr, self.lists)
            compiled.counts_responses = any(".response." in name for name in fields_of(expr))

    def key(self, characteristics: list[str]) -> Callable[[Fields], tuple[Any, ...]]:
        parts = [self.characteristic(text) for text in characteristics if text != "cf.colo.id"]
        return lambda fields: (fields.request.colo, *(_hashable(part(fields)) for part in parts))

    def characteristic(self, text: str) -> Callable[[Any], Any]:
        plain = re.fullmatch(r'([a-z0-9_.]+)(?:\["([^"]+)"\])?', text)
        if plain is None:
            return compile_value(_parsed(text, "value"), self.lists)
        name, key = plain[1], plain[2]
        if key is None:
            return lambda fields: fields[name]
        wanted = key.encode()
        return lambda fields: _inside(fields[name], wanted)


def lists_of(zone: Zone) -> Lists:
    """The zone's lists as the evaluator reads them; redirect lists are read by the redirect phase."""
    return {name: entry.values for name, entry in zone.lists.items() if entry.kind != "redirect"}


def _dynamic(parameters: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The places of `action_parameters` that hold a value or an expression."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    if "from_value" in parameters:
        found.append(("target", parameters["from_value"]["target_url"]))
    uri = parameters.get("uri", {})
    found += [(part, uri[part]) for part in ("path", "query") if part in uri]
    for name, change in parameters.get("headers", {}).items():
        if change["operation"] != "remove":
            found.append((f"header:{name.lower()}", change))
    return found


def _inside(values: Any, key: bytes) -> Any:
    return values.get(key) if isinstance(values, dict) else values


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
