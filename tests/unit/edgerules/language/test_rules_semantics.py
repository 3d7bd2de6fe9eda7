"""What expressions mean: missing and unknown values, bytes, sets, precedence, arrays."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from rules_support import decide, value

from edgerules.language import UNKNOWN, compile_filter, compile_value, parse
from edgerules.language.wildcard import problem

HOST = {"http.host": b"example.com"}
IP = {"ip.src": ip_address("10.1.2.3")}


@pytest.mark.parametrize(
    "op", ["eq", "ne", "lt", "le", "gt", "ge", "contains", "matches", "wildcard", "strict wildcard"]
)
def test_comparison_with_a_missing_string_is_false_and_its_negation_true(op: str) -> None:
    assert decide(f'http.host {op} "x"') is False
    assert decide(f'not http.host {op} "x"') is True


@pytest.mark.parametrize("text", ["ip.src in {0.0.0.0/0 ::/0}", "ip.src ne 1.1.1.1", "http.response.code in {0..999}"])
def test_missing_addresses_and_numbers_are_in_no_set(text: str) -> None:
    assert decide(text) is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssl", False),
        ("not ssl", True),
        ('lower(http.host) ne "x"', False),
        ('starts_with(http.host, "")', False),
        ('http.request.headers["a"][0] ne "x"', False),
        ('http.request.headers.names[7] ne "x"', False),
        ('any(http.request.headers["a"][*] ne "x")', False),
        ('all(http.request.headers["a"][*] eq "x")', True),
        ('has_key(http.request.headers, "a")', False),
    ],
)
def test_what_follows_from_a_missing_value(text: str, expected: bool) -> None:
    assert decide(text) is expected


def test_concat_leaves_missing_values_out() -> None:
    assert value('concat(http.host, "/", http.referer)', HOST) == b"example.com/"
    assert value("concat(http.referer, http.host)", HOST) == b"example.com"
    assert value("concat(http.host, http.referer)") is None


def test_elements_whose_function_gives_nothing_are_left_out() -> None:
    request = {"http.request.headers": {b"a": [b"!", b"YQ"]}}
    assert value('decode_base64(http.request.headers["a"][*])', request) == [b"a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('http.host eq "Example.com"', False),
        ('http.host lt "f"', True),
        ('http.host gt "EXAMPLE"', True),
        ('http.host le "example.com"', True),
        ('http.host ge "example.com"', True),
        ('http.host lt "example.com"', False),
        ('http.host gt "example.com"', False),
        ('http.host contains ""', True),
        ('http.host contains "ple"', True),
        ('http.host contains "PLE"', False),
        ('http.host in {"a" "example.com"}', True),
        ('http.host in {"EXAMPLE.COM"}', False),
        ('http.host eq "\\x65xample\\056com"', True),
        ('http.host eq r"example.com"', True),
        ('http.host matches "ample"', True),
        ('http.host matches "^ample"', False),
        ('http.host wildcard "EXAMPLE.*"', True),
        ('http.host wildcard "example"', False),
        ('http.host strict wildcard "EXAMPLE.*"', False),
        ('http.host strict wildcard "*.com"', True),
    ],
)
def test_strings_compare_byte_by_byte(text: str, expected: bool) -> None:
    assert decide(text, HOST) is expected


def test_strings_are_bytes() -> None:
    request = {"http.host": "\N{LATIN SMALL LETTER E WITH ACUTE}".encode()}
    assert decide("len(http.host) eq 2", request) is True
    assert decide('http.host eq "\\xc3\\xa9"', request) is True
    assert decide('http.host eq "\N{LATIN SMALL LETTER E WITH ACUTE}"', request) is True
    assert decide('upper(http.host) eq "\N{LATIN SMALL LETTER E WITH ACUTE}"', request) is True


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("a*c", b"abc", True),
        ("a*c", b"ac", True),
        ("a*c", b"a", False),
        ("ab*ba", b"aba", False),
        ("*a*b*", b"xxbxxa", False),
        ("*a*b*", b"xxaxxb", True),
        ("a\\*b", b"a*b", True),
        ("a\\*b", b"axb", False),
        ("a\\\\b", b"a\\b", True),
        ("*", b"", True),
        ("a*", b"a\nb", True),
        ("a?c", b"abc", False),
        ("*a*b", b"axb", True),
    ],
)
def test_wildcards(pattern: str, text: bytes, expected: bool) -> None:
    assert decide(f'http.host wildcard r"{pattern}"', {"http.host": text}) is expected


@pytest.mark.parametrize(
    ("pattern", "valid"),
    [
        (b"a*b*c", True),
        (b"**", False),
        (rb"\***", False),
        (b"a**", False),
        (rb"*\**", True),
        (rb"\**", True),
        (rb"*\*", True),
        (rb"\\*", True),
        (rb"a\b", False),
        (rb"x*\\y", True),
        (b"a\\", False),
        (b"\\a*", False),
    ],
)
def test_which_wildcards_are_valid(pattern: bytes, valid: bool) -> None:
    assert (problem(pattern) is None) is valid


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ip.src in {10.0.0.0/8}", True),
        ("ip.src in {11.0.0.0/8 10.1.2.3}", True),
        ("ip.src in {10.1.2.4..10.1.2.9}", False),
        ("ip.src in {10.1.2.0..10.1.2.3}", True),
        ("ip.src in {10.1.2.3..10.1.2.9}", True),
        ("ip.src in {::/0}", False),
        ("ip.src eq 10.1.2.3", True),
        ("ip.src ne 10.1.2.3", False),
        ("ip.src ne ::1", True),
        ("ip.src eq ::a01:203", False),
        ("ip.src in {9.0.0.0/8 11.0.0.0/8}", False),
    ],
)
def test_addresses(text: str, expected: bool) -> None:
    assert decide(text, IP) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http.response.code in {200 204..206}", True),
        ("http.response.code in {200 206..209}", False),
        ("http.response.code in {205..300}", True),
        ("http.response.code in {200..204 206..209}", False),
        ("http.response.code in {1..2 100..209 150..160 155..170 400..410}", True),
        ("http.response.code in {1..2 3..170 150..210 400..410}", True),
        ("http.response.code in {100..205}", True),
        ("http.response.code eq 0xcd", True),
        ("http.response.code eq 0315", True),
        ("http.response.code & 4", True),
        ("http.response.code bitwise_and 2", False),
        ("http.response.code gt 204", True),
        ("http.response.code ge 205", True),
        ("http.response.code lt 205", False),
        ("http.response.code le 205", True),
    ],
)
def test_integers(text: str, expected: bool) -> None:
    assert decide(text, {"http.response.code": 205}) is expected


TRUTH = {"ssl": True, "cf.client.bot": False, "cf.edge.client_tcp": True}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssl or cf.client.bot and cf.client.bot", True),
        ("(ssl or cf.client.bot) and cf.client.bot", False),
        ("ssl xor cf.edge.client_tcp and cf.client.bot", True),
        ("ssl or cf.edge.client_tcp xor ssl", True),
        ("(ssl or cf.edge.client_tcp) xor ssl", False),
        ("ssl xor ssl xor ssl", True),
        ("not cf.client.bot and cf.client.bot", False),
        ("not (cf.client.bot and cf.client.bot)", True),
        ("!cf.client.bot && ssl ^^ cf.client.bot || cf.client.bot", True),
        ("not not ssl", True),
        ("true", True),
        ("false or ssl", True),
        ("cf.client.bot or cf.client.bot", False),
    ],
)
def test_precedence_of_logic(text: str, expected: bool) -> None:
    assert decide(text, TRUTH) is expected


U = {"ssl": UNKNOWN, "cf.client.bot": False, "cf.edge.client_tcp": True, "http.host": UNKNOWN}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ssl", UNKNOWN),
        ("not ssl", UNKNOWN),
        ("ssl and cf.client.bot", False),
        ("cf.client.bot and ssl", False),
        ("ssl and cf.edge.client_tcp", UNKNOWN),
        ("ssl or cf.edge.client_tcp", True),
        ("ssl or cf.client.bot", UNKNOWN),
        ("ssl xor cf.edge.client_tcp", UNKNOWN),
        ('http.host eq "x"', UNKNOWN),
        ('lower(http.host) contains "x"', UNKNOWN),
        ('http.host in {"x"}', UNKNOWN),
        ("ip.src in $cf.open_proxies", False),
        ('starts_with(http.host, "a") and cf.client.bot', False),
    ],
)
def test_unknown_spreads_only_where_the_rest_does_not_decide(text: str, expected: Any) -> None:
    assert decide(text, U) is expected


def test_unknown_elements_and_arrays() -> None:
    request = {"http.request.headers.names": [b"a", UNKNOWN]}
    assert decide('any(http.request.headers.names[*] eq "a")', request) is True
    assert decide('any(http.request.headers.names[*] eq "b")', request) is UNKNOWN
    assert decide('all(http.request.headers.names[*] eq "b")', request) is False
    assert decide('all(http.request.headers.names[*] eq "a")', request) is UNKNOWN
    assert decide('any(http.request.headers.names[*] eq "a")', {"http.request.headers.names": UNKNOWN}) is UNKNOWN
    assert decide('all(not http.request.headers.names[*] eq "a")', {"http.request.headers.names": UNKNOWN}) is UNKNOWN
    assert value('join(http.request.headers.names, ",")', request) is UNKNOWN


def test_addresses_of_version_6() -> None:
    request = {"ip.src": ip_address("2001:db8::7")}
    assert decide("ip.src in {10.0.0.0/8 2001:db8::/32}", request) is True
    assert decide("ip.src in {2001:db8::1..2001:db8::6 ::/3}", {"ip.src": ip_address("2001:db8::7")}) is False


def test_arrays_that_are_missing_or_unknown_below_functions_and_indexes() -> None:
    for text, missing in (
        ('any(lower(http.request.headers["a"][*])[*] eq "x")', False),
        ('any(starts_with(http.request.headers["a"][*], "x"))', False),
        ('all(starts_with(http.request.headers["a"][*], "x"))', False),
        ('any(http.request.body.multipart.names[*][0] eq "x")', False),
    ):
        assert decide(text) is missing
        unknown = {"http.request.headers": UNKNOWN, "http.request.body.multipart.names": UNKNOWN}
        assert decide(text, unknown) is UNKNOWN


def test_arrays_of_different_length_are_compared_as_far_as_the_shorter_goes() -> None:
    request = {"http.request.headers": {b"a": [b"!", b"YQ"]}}
    header = 'http.request.headers["a"][*]'
    assert decide(f'any(decode_base64({header})[*] eq "a" and {header} eq "!")', request) is True
    assert decide(f'any(decode_base64({header})[*] eq "a" and {header} eq "YQ")', request) is False


def test_a_value_expression_can_use_lists() -> None:
    expr = parse("to_string(ip.src in $office)", result="value")
    assert compile_value(expr)(IP) is UNKNOWN
    assert compile_value(expr, LISTS)(IP) == b"true"


def test_unknown_has_no_truth() -> None:
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(UNKNOWN)


def test_a_unicode_pattern_is_not_guessed() -> None:
    assert decide(r'http.host matches "(?u)\p{Greek}"', HOST) is UNKNOWN
    assert decide(r'http.host matches "(?u)\p{Greek}"') is False


LISTS = {"office": ["10.9.9.9/8", "2001:db8::/32"], "hosts": ["example.com"], "asns": [64496, "64497"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ip.src in $office", True),
        ("http.host in $hosts", True),
        ("ip.src.asnum in $asns", True),
        ("ip.src in $elsewhere", UNKNOWN),
    ],
)
def test_named_lists(text: str, expected: Any) -> None:
    assert decide(text, {**IP, **HOST, "ip.src.asnum": 64497}, LISTS) is expected


@pytest.mark.parametrize(("text", "field"), [("ip.src in $hosts", "hosts"), ("ip.src.asnum in $hosts", "hosts")])
def test_a_list_of_the_wrong_kind_is_named(text: str, field: str) -> None:
    with pytest.raises(ValueError, match=f"list {field}: example.com is no"):
        compile_filter(parse(text), LISTS)


def test_conditions_over_arrays_combine_element_by_element() -> None:
    names = "http.request.headers.names"
    request = {names: [b"ab", b"bc"]}
    assert decide(f'any({names}[*] contains "a" and {names}[*] contains "c")', request) is False
    assert decide(f'any({names}[*] contains "a" and {names}[*] contains "b")', request) is True
    assert decide(f'all({names}[*] contains "a" or {names}[*] contains "c")', request) is True
    assert decide(f'all({names}[*] contains "a" xor {names}[*] contains "c")', request) is True


def test_arrays_of_arrays_are_unpacked_twice() -> None:
    request = {"http.request.body.multipart.names": [[b"a"], [b"b", b"c"]]}
    assert decide('any(http.request.body.multipart.names[*][*] eq "c")', request) is True
    assert decide('any(http.request.body.multipart.names[*][1] eq "c")', request) is True
    assert decide('any(http.request.body.multipart.names[*][1] eq "b")', request) is False


def test_maps_can_be_unpacked() -> None:
    request = {"http.request.uri.args": {b"a": [b"x"], b"b": [b"y", b"z"]}}
    assert decide('any(http.request.uri.args[*][*] eq "z")', request) is True
    assert decide("any(len(http.request.uri.args[*])[*] eq 2)", request) is True


def test_functions_that_decide_per_element() -> None:
    request = {"http.request.headers.names": [b"x-a", b"b"]}
    assert decide('any(starts_with(http.request.headers.names[*], "x-"))', request) is True
    assert decide('all(starts_with(http.request.headers.names[*], "x-"))', request) is False
    assert decide('any(not starts_with(http.request.headers.names[*], "x-")[*])', request) is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('lookup_json_string(http.request.body.raw, "a")', None),
        ("lookup_json_integer(http.request.body.raw, 0)", None),
        ('lookup_json_integer(http.request.body.raw, "t")', None),
        ('lookup_json_integer(http.request.body.raw, "s")', None),
        ('lookup_json_string(http.request.body.raw, "t")', None),
    ],
)
def test_json_lookups_without_such_a_value_are_missing(text: str, expected: Any) -> None:
    assert value(text, {"http.request.body.raw": b'{"t": true, "s": "1"}'}) == expected
    assert value(text, {"http.request.body.raw": b"{broken"}) is None
    assert value(text, {"http.request.body.raw": b"[" * 100_000}) is None


@pytest.mark.parametrize(
    ("number", "found"), [(2**63 - 1, True), (2**63, False), (-(2**63), True), (-(2**63) - 1, False)]
)
def test_json_integers_are_64_bits(number: int, found: bool) -> None:
    request = {"http.request.body.raw": f"[{number}]".encode()}
    assert value("lookup_json_integer(http.request.body.raw, 0)", request) == (number if found else None)


def test_url_decoding_keeps_what_is_no_escape_and_joins_surrogates() -> None:
    request = {"http.host": b"%zz%4"}
    assert value("url_decode(http.host)", request) == b"%zz%4"
    assert value('url_decode(http.host, "u")', {"http.host": b"%uD83D%uDE00"}) == "\N{GRINNING FACE}".encode()
    assert value('url_decode(http.host, "u")', {"http.host": b"%uD83D"}) == b"%uD83D"
    assert value('url_decode(http.host, "ur")', {"http.host": b"%25u2601"}) == b"\xe2\x98\x81"
    assert value('url_decode(http.host, "r")', {"http.host": b"%252B"}) == b" "
