"""Random syntax trees (well typed) and requests, for property tests."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

from hypothesis import strategies as st

from edgerules.language import UNKNOWN, Expr
from edgerules.language.errors import Position
from edgerules.language.syntax import (
    AddressLiteral,
    AddressRange,
    Call,
    Compare,
    Each,
    Field,
    Index,
    InList,
    InSet,
    IntRange,
    Logic,
    Not,
    Number,
    Text,
    Truth,
)

AT = Position()
TEXTS = st.binary(max_size=6) | st.text(max_size=6).map(lambda text: text.encode("utf-8", "surrogatepass"))
NUMBERS = st.integers(-(2**63), 2**63 - 1)
ADDRESSES = st.builds(IPv4Address, st.integers(0, 2**32 - 1)) | st.builds(IPv6Address, st.integers(0, 2**128 - 1))
REGEXES = st.sampled_from([rb"^a\.b$", b'["]x', rb"(?i)select\s+", b"a|b", rb"\x41{2,3}", b'#"##'])
WILDCARDS = st.sampled_from([b"a*", rb"\*x", rb"a\\b*", b"*.example.com/*", b""])


def _network(address: IPv4Address | IPv6Address, bits: int) -> AddressRange:
    network = ip_network(f"{address}/{bits % (address.max_prefixlen + 1)}", strict=False)
    return AddressRange(AT, network.network_address, network.broadcast_address, network)


def _span(address: IPv4Address | IPv6Address, length: int) -> AddressRange:
    last = type(address)(min(int(address) + length, 2**address.max_prefixlen - 1))
    return AddressRange(AT, address, last)


def _int_range(low: int, high: int) -> IntRange:
    return IntRange(AT, min(low, high), max(low, high))


texts = TEXTS.map(lambda value: Text(AT, value))
numbers = NUMBERS.map(lambda value: Number(AT, value))
addresses = ADDRESSES.map(lambda value: AddressLiteral(AT, value))
headers = TEXTS.map(lambda key: Index(AT, Field(AT, "http.request.headers"), key))

text_fields = st.sampled_from(["http.host", "http.request.uri.path", "http.user_agent"]).map(lambda n: Field(AT, n))
text_values = st.recursive(
    text_fields | st.builds(lambda base, index: Index(AT, base, index), headers, st.integers(0, 3)),
    lambda inner: (
        st.builds(lambda name, arg: Call(AT, name, (arg,)), st.sampled_from(["lower", "upper", "url_decode"]), inner)
        | st.builds(lambda arg, start: Call(AT, "substring", (arg, Number(AT, start))), inner, st.integers(-5, 5))
    ),
    max_leaves=3,
)
number_values = st.sampled_from([Field(AT, "http.response.code")]) | text_values.map(
    lambda arg: Call(AT, "len", (arg,))
)
truth_fields = st.sampled_from(["ssl", "cf.client.bot"]).map(lambda name: Field(AT, name))
source = Field(AT, "ip.src")

number_items = st.lists(numbers | st.builds(_int_range, NUMBERS, NUMBERS), min_size=1, max_size=4).map(tuple)
address_items = st.lists(
    addresses | st.builds(_network, ADDRESSES, st.integers(0, 128)) | st.builds(_span, ADDRESSES, st.integers(0, 999)),
    min_size=1,
    max_size=4,
).map(tuple)


def _patterns(op: str) -> st.SearchStrategy[Text]:
    if op == "matches":
        return REGEXES.map(lambda value: Text(AT, value, True))
    return WILDCARDS.map(lambda value: Text(AT, value)) if op.endswith("wildcard") else texts


def _text_comparison(left: st.SearchStrategy[Any]) -> st.SearchStrategy[Expr]:
    ops = st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge", "contains", "matches", "wildcard", "strict wildcard"])
    return ops.flatmap(lambda op: st.builds(lambda a, b: Compare(AT, op, a, b), left, _patterns(op)))


_each_header = headers.map(lambda base: Each(AT, base))
_quantified = st.builds(
    lambda name, arg: Call(AT, name, (arg,)), st.sampled_from(["any", "all"]), _text_comparison(_each_header)
)
_orders = st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge", "bitwise_and"])

comparisons: st.SearchStrategy[Expr] = st.one_of(
    truth_fields,
    st.booleans().map(lambda value: Truth(AT, value)),
    _text_comparison(text_values),
    _quantified,
    st.builds(lambda op, left, right: Compare(AT, op, left, right), _orders, number_values, numbers),
    st.builds(lambda op, right: Compare(AT, op, source, right), st.sampled_from(["eq", "ne"]), addresses),
    st.builds(lambda left, items: InSet(AT, left, tuple(items)), text_values, st.lists(texts, min_size=1, max_size=4)),
    st.builds(lambda left, items: InSet(AT, left, items), number_values, number_items),
    address_items.map(lambda items: InSet(AT, source, items)),
    st.sampled_from(["office", "cf.open_proxies"]).map(lambda name: InList(AT, source, name)),
)

filters: st.SearchStrategy[Expr] = st.recursive(
    comparisons,
    lambda inner: (
        inner.map(lambda operand: Not(AT, operand))
        | st.builds(
            lambda op, operands: Logic(AT, op, tuple(operands)),
            st.sampled_from(["and", "or", "xor"]),
            st.lists(inner, min_size=2, max_size=3),
        )
    ),
    max_leaves=8,
)

_maybe = st.none() | st.just(UNKNOWN)
requests: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "http.host": TEXTS | _maybe,
        "http.request.uri.path": TEXTS | _maybe,
        "http.user_agent": TEXTS | _maybe,
        "http.response.code": NUMBERS | _maybe,
        "ssl": st.booleans() | _maybe,
        "cf.client.bot": st.booleans() | _maybe,
        "ip.src": ADDRESSES | _maybe,
        "http.request.headers": st.dictionaries(TEXTS, st.lists(TEXTS | st.just(UNKNOWN), max_size=3), max_size=3)
        | _maybe,
    }
)
