"""The condition operators, as a table: how one value of the request is compared with one value of the policy."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache

Compare = Callable[[str, str], bool]
"""(value of the request, value of the policy)"""
SET_OPERATORS = ("ForAllValues", "ForAnyValue")
IF_EXISTS = "IfExists"


@dataclass(frozen=True)
class Operator:
    compare: Compare
    negated: bool = False
    """True if no value of the policy may fit; an absent key then satisfies it."""


@lru_cache(maxsize=4096)
def pattern(text: str) -> re.Pattern[str]:
    """`*` stands for any text, `?` for one character; `${*}`, `${?}` and `${$}` for themselves."""
    parts = re.split(r"(\$\{[*?$]\}|[*?])", text)
    known = {"*": ".*", "?": "."}
    return re.compile("".join(known.get(p) or re.escape(p[2] if p.startswith("${") else p) for p in parts), re.DOTALL)


def like(value: str, wanted: str) -> bool:
    return pattern(wanted).fullmatch(value) is not None


def arn_like(value: str, wanted: str) -> bool:
    """Each of an ARN's six parts by itself: a `*` does not reach over a colon, but in the last part it may."""
    given, patterns = value.split(":", 5), wanted.split(":", 5)
    return len(given) == len(patterns) == 6 and all(map(like, given, patterns))


def _number(compare: Callable[[float, float], bool]) -> Compare:
    def compared(value: str, wanted: str) -> bool:
        try:
            return compare(float(value), float(wanted))
        except ValueError:
            return False

    return compared


def _date(compare: Callable[[float, float], bool]) -> Compare:
    def compared(value: str, wanted: str) -> bool:
        try:
            return compare(_seconds(value), _seconds(wanted))
        except ValueError:
            return False

    return compared


def _seconds(text: str) -> float:
    if re.fullmatch(r"\d{5,}(\.\d+)?", text):
        return float(text)
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def _in_network(value: str, wanted: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _binary(value: str, wanted: str) -> bool:
    try:
        return base64.b64decode(value, validate=True) == base64.b64decode(wanted, validate=True)
    except ValueError:
        return False


def _equal(value: str, wanted: str) -> bool:
    return value == wanted


def _equal_ignoring_case(value: str, wanted: str) -> bool:
    return value.casefold() == wanted.casefold()


def _bool(value: str, wanted: str) -> bool:
    return value.lower() == wanted.lower() and wanted.lower() in ("true", "false")


OPERATORS: dict[str, Operator] = {
    "StringEquals": Operator(_equal),
    "StringNotEquals": Operator(_equal, negated=True),
    "StringEqualsIgnoreCase": Operator(_equal_ignoring_case),
    "StringNotEqualsIgnoreCase": Operator(_equal_ignoring_case, negated=True),
    "StringLike": Operator(like),
    "StringNotLike": Operator(like, negated=True),
    "NumericEquals": Operator(_number(lambda a, b: a == b)),
    "NumericNotEquals": Operator(_number(lambda a, b: a == b), negated=True),
    "NumericLessThan": Operator(_number(lambda a, b: a < b)),
    "NumericLessThanEquals": Operator(_number(lambda a, b: a <= b)),
    "NumericGreaterThan": Operator(_number(lambda a, b: a > b)),
    "NumericGreaterThanEquals": Operator(_number(lambda a, b: a >= b)),
    "DateEquals": Operator(_date(lambda a, b: a == b)),
    "DateNotEquals": Operator(_date(lambda a, b: a == b), negated=True),
    "DateLessThan": Operator(_date(lambda a, b: a < b)),
    "DateLessThanEquals": Operator(_date(lambda a, b: a <= b)),
    "DateGreaterThan": Operator(_date(lambda a, b: a > b)),
    "DateGreaterThanEquals": Operator(_date(lambda a, b: a >= b)),
    "Bool": Operator(_bool),
    "BinaryEquals": Operator(_binary),
    "IpAddress": Operator(_in_network),
    "NotIpAddress": Operator(_in_network, negated=True),
    "ArnEquals": Operator(arn_like),
    "ArnLike": Operator(arn_like),
    "ArnNotEquals": Operator(arn_like, negated=True),
    "ArnNotLike": Operator(arn_like, negated=True),
}
NULL = "Null"


def split(name: str) -> tuple[str, str, bool]:
    """The set operator (or ""), the operator, and whether it ends in IfExists."""
    quantifier, _, rest = name.rpartition(":")
    exists = rest.endswith(IF_EXISTS)
    return quantifier, rest.removesuffix(IF_EXISTS), exists


def known_operator(name: str) -> bool:
    quantifier, operator, exists = split(name)
    if quantifier and quantifier not in SET_OPERATORS:
        return False
    return operator in OPERATORS or (operator == NULL and not exists and not quantifier)
