"""Turn a checked expression into a closure that answers for one request after the other.

A comparison with a missing value is false, whatever the operator; a function of one is missing itself.
UNKNOWN spreads through comparisons and functions, and through logic only where the rest does not decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from edgerules.language.checker import kind_of
from edgerules.language.compare import Test, comparison_test
from edgerules.language.functions import IMPLEMENTATIONS, KEEPS_MISSING
from edgerules.language.logic import COMBINE, Condition, Truths, elementwise, negate
from edgerules.language.membership import list_test, set_test
from edgerules.language.syntax import (
    AddressLiteral,
    Call,
    Compare,
    Each,
    Expr,
    Field,
    Index,
    InList,
    InSet,
    Logic,
    Not,
    Number,
    Text,
    Truth,
)
from edgerules.language.unknown import UNKNOWN, Unknown

Scalar = bytes | int | bool | IPv4Address | IPv6Address
Request = Mapping[str, Any]
"""Field name -> value. Strings and bytes are `bytes`, map keys too (headers in lower case); arrays are lists,
maps are dicts. An absent name or None is a missing value; UNKNOWN is a value that nobody knows offline."""

Lists = Mapping[str, Iterable[str | int]]
"""List name (without $) -> items as text or numbers: "10.0.0.0/8", "example.com", 64496. A list that an
expression names and that is not here is UNKNOWN."""

Filter = Callable[[Request], bool | Unknown]
ValueOf = Callable[[Request], Any]


def compile_filter(expr: Expr, lists: Lists | None = None) -> Filter:
    """A function request -> True, False or UNKNOWN (three-valued: false and unknown is false)."""
    return _Compiler(lists or {}).condition(expr)


def compile_value(expr: Expr, lists: Lists | None = None) -> ValueOf:
    """A function request -> value; None where it is missing, UNKNOWN where nobody knows."""
    return _Compiler(lists or {}).value(expr)


class _Compiler:
    def __init__(self, lists: Lists) -> None:
        self._lists = lists

    # Conditions

    def condition(self, expr: Expr) -> Condition:
        """For expressions that are true or false once."""
        if isinstance(expr, Logic):
            return COMBINE[expr.op]([self.condition(operand) for operand in expr.operands])
        if isinstance(expr, Not):
            inner = self.condition(expr.operand)
            return lambda request: negate(inner(request))
        if isinstance(expr, Truth):
            truth = expr.value
            return lambda request: truth
        test = self._test(expr)
        if test is None:
            return _definite(self.value(expr))
        assert isinstance(expr, (Compare, InSet, InList))  # noqa: S101  # for the type checker
        return _tested(self.value(expr.left), test)

    def _test(self, expr: Expr) -> Test | None:
        """The test that a comparison makes of its left side; None for other expressions."""
        if isinstance(expr, Compare):
            return comparison_test(expr)
        if isinstance(expr, InSet):
            return set_test(expr.items)
        if isinstance(expr, InList):
            items = self._lists.get(expr.name)
            return _unknown if items is None else list_test(expr.name, kind_of(expr.left), items)
        return None

    def truths(self, expr: Expr) -> Truths:
        """For expressions that are true or false for every element of an array."""
        if isinstance(expr, Logic):
            return elementwise(expr.op, [self.truths(operand) for operand in expr.operands])
        if isinstance(expr, Not):
            inner = self.truths(expr.operand)
            return lambda request: [negate(value) for value in inner(request)]
        test = self._test(expr)
        if test is None:
            return _truths(self.value(expr))
        assert isinstance(expr, (Compare, InSet, InList))  # noqa: S101  # for the type checker
        return _each_tested(self.value(expr.left), test)

    # Values

    def value(self, expr: Expr) -> ValueOf:
        """The value of `expr`; below a [*] the list of the values for every element."""
        if isinstance(expr, Field):
            return _field(expr.name)
        if isinstance(expr, (Text, Number, AddressLiteral)):
            literal = expr.value
            return lambda request: literal
        if isinstance(expr, Index):
            base, key = self.value(expr.base), expr.key
            return _mapped(base, lambda item: _item(item, key)) if is_each(expr.base) else _indexed(base, key)
        if isinstance(expr, Each):
            return _unpacked(self.value(expr.base), nested=is_each(expr.base))
        if isinstance(expr, Call):
            return self._call(expr)
        return self.truths(expr) if is_each(expr) else self.condition(expr)

    def _call(self, node: Call) -> ValueOf:
        function = IMPLEMENTATIONS[node.name]
        if node.name in ("any", "all"):
            return self._quantifier(node.args[0], function)
        first, rest = node.args[0], [self.value(arg) for arg in node.args[1:]]
        apply = _lenient(function) if node.name in KEEPS_MISSING else _strict(function)
        start = self.value(first)
        if is_each(first):
            return lambda request: _each_applied(apply, start(request), [arg(request) for arg in rest])
        if not rest:
            return lambda request: apply([start(request)])
        return lambda request: apply([start(request), *[arg(request) for arg in rest]])

    def _quantifier(self, arg: Expr, reduce: Callable[..., Any]) -> ValueOf:
        if isinstance(arg, (Logic, Not, Compare, InSet, InList)):
            truths = self.truths(arg)
            return lambda request: reduce(truths(request))
        return _reduced(self.value(arg), reduce)


def is_each(expr: Expr) -> bool:
    """Whether `expr` stands for every element of an array."""
    if isinstance(expr, Each):
        return True
    if isinstance(expr, (Index, Compare, InSet, InList, Not, Logic)):
        return is_each(expr.children()[0])
    return False


def _field(name: str) -> ValueOf:
    return lambda request: request.get(name)


def _definite(value: ValueOf) -> Condition:
    """A missing Boolean is false."""

    def decide(request: Request) -> bool | Unknown:
        found = value(request)
        return UNKNOWN if found is UNKNOWN else found is True

    return decide


def _tested(value: ValueOf, test: Test) -> Condition:
    def decide(request: Request) -> bool | Unknown:
        found = value(request)
        if found is None:
            return False
        return UNKNOWN if found is UNKNOWN else test(found)

    return decide


def _each_tested(values: ValueOf, test: Test) -> Truths:
    def decide(request: Request) -> list[bool | Unknown]:
        found = values(request)
        if found is None:
            return []
        if found is UNKNOWN:
            return [UNKNOWN]
        return [UNKNOWN if item is UNKNOWN else test(item) for item in found]

    return decide


def _truths(values: ValueOf) -> Truths:
    def decide(request: Request) -> list[bool | Unknown]:
        found = values(request)
        return [UNKNOWN] if found is UNKNOWN else list(found or ())

    return decide


def _indexed(base: ValueOf, key: int | bytes) -> ValueOf:
    return lambda request: _item(base(request), key)


def _item(container: Any, key: int | bytes) -> Any:
    if container is None or container is UNKNOWN:
        return container
    if isinstance(key, bytes):
        return container.get(key)
    return container[key] if key < len(container) else None


def _unpacked(base: ValueOf, *, nested: bool) -> ValueOf:
    def items(request: Request) -> Any:
        found = base(request)
        if found is None or found is UNKNOWN:
            return found
        containers = found if nested else [found]
        return [item for container in containers for item in _elements(container)]

    return items


def _elements(container: Any) -> Iterable[Any]:
    if container is UNKNOWN:
        return [UNKNOWN]
    return container.values() if isinstance(container, dict) else container


def _mapped(values: ValueOf, function: Callable[[Any], Any]) -> ValueOf:
    def items(request: Request) -> Any:
        found = values(request)
        if found is None or found is UNKNOWN:
            return found
        results = [function(item) for item in found]
        return [result for result in results if result is not None]

    return items


def _strict(function: Callable[..., Any]) -> Callable[[list[Any]], Any]:
    """Call `function` unless an argument is missing or unknown: then so is the result."""

    def apply(args: list[Any]) -> Any:
        for arg in args:
            if arg is None:
                return None
        return UNKNOWN if _any_unknown(args) else function(*args)

    return apply


def _lenient(function: Callable[..., Any]) -> Callable[[list[Any]], Any]:
    return lambda args: UNKNOWN if _any_unknown(args) else function(*args)


def _any_unknown(args: Iterable[Any]) -> bool:
    for arg in args:
        if arg is UNKNOWN:
            return True
        if isinstance(arg, (list, dict)) and _any_unknown(arg.values() if isinstance(arg, dict) else arg):
            return True
    return False


def _each_applied(apply: Callable[[list[Any]], Any], first: Any, rest: list[Any]) -> Any:
    """`function` for every element; elements whose result is missing are left out, as the engine does."""
    if first is None or first is UNKNOWN:
        return first
    results = [apply([item, *rest]) for item in first]
    return [result for result in results if result is not None]


def _reduced(values: ValueOf, reduce: Callable[..., Any]) -> ValueOf:
    """any() and all() of an array that a function gave: false where it is missing."""

    def decide(request: Request) -> bool | Unknown:
        found = values(request)
        if found is None or found is UNKNOWN:
            return False if found is None else UNKNOWN
        truth: bool | Unknown = reduce(found)
        return truth

    return decide


def _unknown(value: Any) -> Unknown:
    return UNKNOWN
