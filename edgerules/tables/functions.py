"""Every documented function: arguments, result, and the phases and plans that have it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from edgerules.tables import phases as ph
from edgerules.tables.kinds import BOOLEAN, BYTES, INTEGER, IP, STRING, Kind, array_of
from edgerules.tables.plans import Plan
from edgerules.tables.source import Source

SOURCE = Source("ruleset-engine/rules-language/functions/", date(2026, 11, 21))


@dataclass(frozen=True)
class Param:
    """`takes`: the accepted types as codes: S string or bytes, I, B, P IP address, AB, AS, A any array, M any map.

    `form`: "literal" must be written out, "computed" must not be (the documentation says "must be a field").
    `low` and `high` bound a literal integer.
    """

    name: str
    takes: tuple[str, ...]
    form: str = "any"
    optional: bool = False
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class Function:
    """`repeats`: the last parameter may be given again and again. `result` None: the type of the first argument.

    `phases` None means everywhere. `computes`: only where a rule computes a value (rewrite, target URL).
    """

    name: str
    params: tuple[Param, ...]
    result: Kind | None
    phases: frozenset[str] | None = None
    plan: Plan = Plan.FREE
    repeats: bool = False
    computes: bool = False
    once: bool = False
    addon: bool = False

    @property
    def docs(self) -> str:
        return f"{SOURCE.url}#{self.name}"

    @property
    def least(self) -> int:
        return sum(not param.optional for param in self.params)

    @property
    def most(self) -> int | None:
        return None if self.repeats else len(self.params)

    def signature(self) -> str:
        names = [param.name + ("?" if param.optional else "") for param in self.params]
        return f"{self.name}({', '.join(names + ['...'] * self.repeats)})"


def _text(name: str = "source", form: str = "any", *, optional: bool = False) -> Param:
    return Param(name, ("S",), form, optional)


def _number(name: str, low: int | None = None, high: int | None = None, *, optional: bool = False) -> Param:
    form = "any" if low is None and high is None else "literal"
    return Param(name, ("I",), form, optional, low, high)


_JSON = (_text("field", "computed"), Param("key", ("S", "I")))
_JOIN_PHASES = ph.TRANSFORM | {"http_request_firewall_custom", "http_custom_errors"}
_SPLIT_PHASES = frozenset({"http_response_headers_transform", "http_custom_errors"})
_URL_PHASES = frozenset({"http_request_transform", "http_request_dynamic_redirect"})
_HMAC = (
    _text("key", "literal"),
    _text("message_mac"),
    _number("ttl", low=0),
    Param("current_timestamp", ("I",)),
    _number("length_of_separator", low=0, optional=True),
    _text("flags", "literal", optional=True),
)

_ALL = (
    Function("any", (Param("values", ("AB",)),), BOOLEAN),
    Function("all", (Param("values", ("AB",)),), BOOLEAN),
    Function(
        "cidr",
        (
            Param("address", ("P",), "computed"),
            _number("ipv4_network_bits", 1, 32),
            _number("ipv6_network_bits", 1, 128),
        ),
        IP,
        ph.CUSTOM_OR_RATELIMIT,
    ),
    Function(
        "cidr6",
        (Param("address", ("P",), "computed"), _number("ipv6_network_bits", 1, 128)),
        IP,
        ph.CUSTOM_OR_RATELIMIT,
    ),
    Function("concat", (Param("value", ("S", "I", "A")),), None, repeats=True),
    Function("decode_base64", (_text(form="computed"),), STRING, ph.TRANSFORM | ph.CUSTOM_OR_RATELIMIT),
    Function("encode_base64", (_text("input"), _text("flags", "literal", optional=True)), STRING, ph.HEADER_TRANSFORM),
    Function("ends_with", (_text(form="computed"), _text("substring")), BOOLEAN),
    Function("has_key", (Param("map", ("M",)), _text("key")), BOOLEAN),
    Function("has_value", (Param("collection", ("M", "A")), Param("value", ("S", "I", "B", "P"))), BOOLEAN),
    Function("join", (Param("items", ("AS",)), _text("separator")), STRING, _JOIN_PHASES),
    Function("len", (Param("value", ("S", "A")),), INTEGER),
    Function("lookup_json_integer", _JSON, INTEGER, repeats=True),
    Function("lookup_json_string", _JSON, STRING, repeats=True),
    Function("lower", (_text(),), STRING),
    Function(
        "regex_replace",
        (_text(), _text("regular_expression", "literal"), _text("replacement", "literal")),
        STRING,
        ph.REWRITE_OR_REDIRECT,
        computes=True,
        once=True,
    ),
    Function("remove_bytes", (_text(), _text("bytes", "literal")), BYTES),
    Function(
        "remove_query_args",
        (_text("field", "computed"), _text("query_param")),
        STRING,
        ph.TRANSFORM,
        repeats=True,
        computes=True,
    ),
    Function("sha256", (_text("input"),), BYTES, ph.HEADER_TRANSFORM, addon=True),
    Function(
        "split",
        (_text("input"), _text("separator", "literal"), _number("limit", 1, 128)),
        array_of(STRING),
        _SPLIT_PHASES,
    ),
    Function("starts_with", (_text(form="computed"), _text("substring")), BOOLEAN),
    Function("substring", (_text("field"), _number("start"), _number("end", optional=True)), STRING),
    Function("to_string", (Param("value", ("I", "B", "P")),), STRING, ph.REWRITE_OR_REDIRECT, computes=True),
    Function("upper", (_text(),), STRING),
    Function("url_decode", (_text(form="computed"), _text("options", "literal", optional=True)), STRING),
    Function("uuidv4", (_text(),), STRING, ph.TRANSFORM, computes=True),
    Function(
        "wildcard_replace",
        (
            _text(form="computed"),
            _text("wildcard_pattern", "literal"),
            _text("replacement", "literal"),
            _text("flags", "literal", optional=True),
        ),
        STRING,
        _URL_PHASES,
        computes=True,
        once=True,
    ),
    Function(
        "bit_slice",
        (_text("protocol", "computed"), _number("offset_start", 0, 2040), _number("offset_end", 0, 2040)),
        INTEGER,
        ph.PACKET,
        plan=Plan.ENTERPRISE,
    ),
    Function("is_timed_hmac_valid_v0", _HMAC, BOOLEAN, plan=Plan.PRO),
)

FUNCTIONS = {function.name: function for function in _ALL}
