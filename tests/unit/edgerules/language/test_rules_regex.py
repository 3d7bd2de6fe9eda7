"""Regular expressions are Rust's: what Python adds is refused, what differs is translated."""

from __future__ import annotations

import string

import pytest
from rules_support import decide, value

from edgerules.language import ExpressionError, parse
from edgerules.language.regex import RegexError, check, group_count, search_pattern
from edgerules.language.regex.linear import Program, is_risky
from edgerules.language.regex.parse import parse_regex
from edgerules.language.regex.tree import POSIX, size

REFUSED = [
    (r"(?=a)", "look-around"),
    (r"(?!a)", "look-around"),
    (r"(?<=a)b", "look-around"),
    (r"(?<!a)b", "look-around"),
    (r"(a)\1", "back-references"),
    (r"(?P<n>a)(?P=n)", "back-references"),
    (r"\k<n>", "back-references"),
    (r"(?>a)", "atomic"),
    (r"(a)?(?(1)b|c)", "conditional"),
    (r"(?#comment)", "does not exist"),
    (r"(?)", "does not exist"),
    (r"(?&x)", "recursion"),
    (r"(?a)x", "does not exist"),
    (r"(?L)x", "does not exist"),
    (r"a\Z", r"\\z"),
    (r"\h", "does not exist"),
    (r"\q", "no escape"),
    (r"\0", "back-references"),
    (r"*a", "nothing before"),
    (r"a|*", "nothing before"),
    (r"(", "no closing"),
    (r"a)", "without an opening"),
    (r"[a", "no closing"),
    (r"[]", "no closing"),
    (r"[b-a]", "wrong order"),
    (r"[a-\d]", "one character at each end"),
    (r"a{2,1}", "wrong order"),
    (r"a{,3}", "count"),
    (r"a{x}", "count"),
    (r"a{1 2}", "count"),
    (r"(?:a{9999999999}){0}", "count is too big"),
    (r"(?:a{1,9999999999}){0}", "count is too big"),
    (r"[\b]", "no meaning"),
    (r"\pL", "Unicode"),
    (r"[\x{e9}]", "Unicode"),
    ("[\N{LATIN SMALL LETTER E WITH ACUTE}]", "Unicode"),
    (r"(?P<n>a)(?P<n>b)", "twice"),
    (r"a{1000}{1000}", "too big"),
    (r"a{400000}", "too big"),
    (r"[a-z]{150000}", "too big"),
    (r"(?ii)a", "twice"),
    (r"(?i-i)a", "twice"),
    (r"\x{d800}", "no character"),
    (r"\x{dfff}", "no character"),
    (r"\x{110000}", "no character"),
    ("(" * 101 + ")" * 101, "too deeply"),
    ("[" * 32 + "a" + "]" * 32, "too deeply"),
    ("a\\", "backslash at the end"),
    (r"(?u)\p", "needs a class"),
]


@pytest.mark.parametrize(("pattern", "reason"), REFUSED)
def test_refused(pattern: str, reason: str) -> None:
    with pytest.raises(RegexError, match=reason):
        check(pattern.encode())


MEANS = [
    (r"^a$", b"a\n", False),  # Python's $ would match before the final newline
    (r"(?m)^b$", b"a\nb\nc", True),
    (r"(?m)^b$", b"ab", False),
    (r"\Aab\z", b"ab", True),
    (r"a.c", b"a\nc", False),
    (r"(?s)a.c", b"a\nc", True),
    (r"a.c", b"a\xffc", True),
    (r"^\w+$", "\N{LATIN SMALL LETTER E WITH ACUTE}".encode(), False),
    (r"\d", "\N{ARABIC-INDIC DIGIT ONE}".encode(), False),
    (r"^[^a]$", b"\n", True),
    (r"\xff", b"\xff", True),
    (r"(?i)select", b"SeLeCt", True),
    (r"(?i)^[0-9@]$", b"\x10", False),
    (r"(?i)^[0-9@]$", b"`", False),
    (r"se(?i)lect", b"SELECT", False),
    (r"se(?i)lect", b"seLECT", True),
    (r"(?i:s)elect", b"Select", True),
    (r"(?i:s)elect", b"SELECT", False),
    (r"a(?i)b|c", b"C", True),
    (r"(?i)a(?-i)b", b"AB", False),
    (r"(?x) a b # comment", b"ab", True),
    (r"^a++$", b"aaa", True),  # repeated twice in Rust, possessive in Python
    (r"^a*+a$", b"aaa", True),
    (r"^(?:a{2}){3}$", b"aaaaaa", True),
    (r"^a{2}{3}$", b"aaaaa", False),
    (r"^[[:alpha:]&&[^b]]+$", b"ac", True),
    (r"^[[:alpha:]&&[^b]]+$", b"ab", False),
    (r"^[a-z--c]+$", b"c", False),
    (r"^[a-c~~b-d]+$", b"ad", True),
    (r"^[a-c~~b-d]$", b"b", False),
    (r"^[]a]+$", b"]a", True),
    (r"^[--0]$", b".", False),
    (r"^[--0]+$", b"-0", True),
    (r"[a&&]", b"a", False),
    (r"^[[:foo:]]$", b"f", True),
    (r"^[[:^digit:]]$", b"5", False),
    (r"^[[:^digit:]]$", b"a", True),
    (r"^[[:lower:]]$", b"A", False),
    (r"(?i)^[[:lower:]]$", b"A", True),
    (r"^[a-z]$", b"A", False),
    (r"(?i)^[a-z]$", b"A", True),
    (r"^[a-a]$", b"a", True),
    (r"^\a\t\n\v\f\r$", b"\x07\t\n\x0b\x0c\r", True),
    ("^\x7f$", b"\x7f", True),
    (r"^\x{7f}$", b"\x7f", True),
    (r"^\x{80}$", b"\xc2\x80", True),
    (r"^\x80$", b"\x80", True),
    (r"^\x{d7ff}|\x{e000}|\x{10ffff}$", b"", False),
    ("(?x)a # comment\n b", b"ab", True),
    ("(?x) a b", b"zz", False),
    ("(?x)a#c\nb", b"a", False),
    ("(?x)a#c", b"a", True),
    ("^\x80$", b"\xc2\x80", True),
    (r"^(?<year>a)$", b"a", True),
    ("[" * 31 + "a" + "]" * 31, b"a", True),
    (r"(?u)^a\x7f$", b"a\x7f", True),
    (r"^(?:ab){0}$", b"", True),
    (r"^ab*$", b"a", True),
    (r"^ab*$", b"abbb", True),
    (r"^ab+$", b"a", False),
    (r"^ab+$", b"abbb", True),
    (r"^ab?$", b"a", True),
    (r"^ab?$", b"abb", False),
    (r"^a{2,}$", b"a", False),
    (r"^a{1,2}$", b"aaa", False),
    (r"(?:a{999999999}){0}b", b"b", True),
    (r"a$", b"a\x00", False),
    (r"\<", b" ", False),
    (r"\>", b" ", False),
    (r"\<a", b"aa", True),
    (r"b\<a", b"ba", False),
    (r"a\>b", b"ab", False),
    (r"^a{2,}$", b"aaaa", True),
    (r"a\b{start-half}", b"ab", False),
    (r" \b{start-half}b", b" b", True),
    (r"a\b{end-half} ", b"a ", True),
    (r"ab\b{end-half}", b"abc", False),
    (r"\b{start-half}b", b"ab", False),
    ("(" * 100 + "a" + ")" * 100, b"a", True),
    (r"a{300000}", b"a", False),
    ("(?P<\N{LATIN SMALL LETTER E WITH ACUTE}>x)", b"x", True),
    (r"^[-a]+$", b"-a", True),
    (r"^[a-]+$", b"-a", True),
    (r"\bfoo\b", b"a foo b", True),
    (r"\bfoo\b", b"afoo", False),
    (r"\B", b"", True),  # Python says no before 3.14
    (r"\<foo\>", b"a foo", True),
    (r"^\s$", b"\x0b", True),
    (r"^\/a\"$", b'/a"', True),
    (r"[a&&b]", b"ab", False),
    (r"(?U)a+", b"a", True),
    (r"^(?P<year>\d{4})$", b"2026", True),
    ("^\N{LATIN SMALL LETTER E WITH ACUTE}+$", b"\xc3\xa9\xc3\xa9", True),
    (r"^\x{e9}$", b"\xc3\xa9", True),
    (r"^\u00e9?$", b"\xc3", False),
    (r"", b"", True),
    (r"a||b", b"", True),
]


@pytest.mark.parametrize(("pattern", "text", "expected"), MEANS)
def test_meaning(pattern: str, text: bytes, expected: bool) -> None:
    compiled = search_pattern(pattern.encode())
    assert compiled is not None
    assert (compiled.search(text) is not None) is expected


def test_error_names_the_character() -> None:
    with pytest.raises(ExpressionError, match="column 19: character 3 of the regular expression: look-around"):
        parse('http.host matches "ab(?=c)"')


@pytest.mark.parametrize(
    ("literal", "text", "expected"),
    [
        (r'"a\"b"', b'a"b', True),
        (r'"\d"', b"7", True),
        (r'"["]"', b'"', True),
        (r'"\\"', b"\\", True),
        (r'r"\\"', b"\\", True),
        (r'r#"a"b"#', b'a"b', True),
    ],
)
def test_quoted_patterns_keep_their_escapes(literal: str, text: bytes, expected: bool) -> None:
    assert decide(f"http.host matches {literal}", {"http.host": text}) is expected


ASCII = [chr(byte) for byte in range(128)]
CLASSES = {
    "alnum": str.isalnum,
    "alpha": str.isalpha,
    "ascii": str.isascii,
    "blank": "\t ".__contains__,
    "cntrl": lambda char: not char.isprintable(),
    "digit": str.isdigit,
    "graph": lambda char: char.isprintable() and char != " ",
    "lower": str.islower,
    "print": str.isprintable,
    "punct": string.punctuation.__contains__,
    "space": "\t\n\v\f\r ".__contains__,
    "upper": str.isupper,
    "word": lambda char: char.isalnum() or char == "_",
    "xdigit": string.hexdigits.__contains__,
}


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_named_class(name: str) -> None:
    assert sorted(POSIX[name]) == [ord(char) for char in ASCII if CLASSES[name](char)]
    assert set(POSIX) == set(CLASSES)


@pytest.mark.parametrize(
    ("pattern", "count"), [("((a)(b))c", 3), ("(?:a)|(b)+", 1), ("a", 0), ("(?i)(a|(b){2})", 2), ("(?P<n>a)", 1)]
)
def test_groups_are_counted(pattern: str, count: int) -> None:
    assert group_count(pattern.encode()) == count


NEEDS_UNICODE = [
    r"(?u)\b",
    r"(?u).",
    r"(?u)\w",
    r"(?u)[\x{e9}]",
    r"(?ui)\x{e9}",
    r"(?u)\x80",
    r"(?u)\p{Greek}",
    r"(?R)a$",
]


@pytest.mark.parametrize("pattern", NEEDS_UNICODE)
def test_what_needs_unicode_tables_is_checked_but_not_run(pattern: str) -> None:
    assert search_pattern(pattern.encode()) is None


@pytest.mark.parametrize("pattern", [r"(?u)a^$\A\z", r"(?u)\x{e9}", r"(?u)[a-z]", r"(?u)(?-u)\w"])
def test_what_unicode_does_not_change_is_run(pattern: str) -> None:
    assert search_pattern(pattern.encode()) is not None


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("a+", b"b"), ("a+?", b"baa"), ("(?U)a+", b"baa"), ("(?U)a+?", b"b"), ("a{2}", b"ba"), ("a{1,2}?", b"baa")],
)
def test_greed_shows_in_replacements(pattern: str, expected: bytes) -> None:
    assert value(f'regex_replace("aaa", "{pattern}", "b")') == expected


@pytest.mark.parametrize(
    ("pattern", "offset"),
    [
        ("ab[c", 2),
        ("ab*(", 3),
        ("(*a)", 1),
        ("ab(?=c)", 2),
        ("a[b-a]", 2),
        ("a{2}(?<!b)", 4),
        (r"ab\q", 2),
        ("a)b", 1),
        ("a\\", 1),
        (r"x[\b]", 3),
        ("a{2,1}", 1),
        ("[a\N{SNOWMAN}]", 2),
        ("a{1000}{1000}", 0),
    ],
)
def test_errors_point_at_their_character(pattern: str, offset: int) -> None:
    with pytest.raises(RegexError) as caught:
        check(pattern.encode())
    assert caught.value.offset == offset


@pytest.mark.parametrize(("pattern", "text", "expected"), MEANS)
def test_the_linear_matcher_means_the_same(pattern: str, text: bytes, expected: bool) -> None:
    part, _ = parse_regex(pattern)
    if size(part) < 1_000_000:
        assert Program(part).search(text) is expected


@pytest.mark.timeout(10)
@pytest.mark.parametrize("pattern", [r"^(a+)+$", r"^(a|aa)+$", r"^(a*)*$", r"(?:a?){30}b", r"^(\w+\s?)*$"])
def test_no_pattern_runs_for_ages(pattern: str) -> None:
    assert decide(f'http.host matches r"{pattern}"', {"http.host": b"a" * 5000 + b"!"}) is False


@pytest.mark.parametrize(
    ("pattern", "risky"),
    [
        ("a+", False),
        ("(a+)+", True),
        ("(a|b)*", True),
        ("(?:ab)*c+", False),
        ("(a{1,2}){9}", True),
        ("(a?){8}", False),
        ("((a{2})+)x", False),
        ("x(y(a*)+)", True),
        ("a|(b+)*", True),
    ],
)
def test_which_patterns_are_matched_in_linear_time(pattern: str, risky: bool) -> None:
    assert is_risky(parse_regex(pattern)[0]) is risky
