"""The policy evaluator against truth tables written from AWS's documentation (IAM User Guide, policy elements)."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.clouds.aws.policy.decision import Question, Verdict, decide, holds
from rehearsal.clouds.aws.policy.document import Condition, MalformedError, parse
from rehearsal.clouds.aws.policy.operators import OPERATORS, arn_like, like

ACCOUNT = "123456789012"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"
OBJECT = "arn:aws:s3:::media/photos/cat.jpg"


def question(action: str = "s3:GetObject", resource: str = OBJECT, who: str = ALICE, **context: Any) -> Question:
    values = {key.lower(): value if isinstance(value, tuple) else (value,) for key, value in context.items()}
    return Question(action, resource, who, ACCOUNT, values)


def verdict(asked: Question, identity: list[dict[str, Any]], resource: list[dict[str, Any]] | None = None) -> Verdict:
    version = {"Version": "2012-10-17"}
    policies = [parse({**version, "Statement": identity})] if identity else []
    return decide(asked, policies, parse({**version, "Statement": resource}) if resource else None).verdict


def says(effect: str, **rest: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "s3:GetObject", "Resource": "*", **rest}


SAYINGS: dict[str, list[dict[str, Any]]] = {"nothing": [], "allow": [says("Allow")], "deny": [says("Deny")]}


@pytest.mark.parametrize(("identity", "resource"), list(itertools.product(SAYINGS, SAYINGS)))
def test_an_explicit_deny_wins_then_an_allow_and_silence_is_no(identity: str, resource: str) -> None:
    named = [{**statement, "Principal": "*"} for statement in SAYINGS[resource]]
    expected = (
        Verdict.EXPLICIT
        if "deny" in (identity, resource)
        else Verdict.ALLOWED
        if "allow" in (identity, resource)
        else Verdict.IMPLICIT
    )
    assert verdict(question(), SAYINGS[identity], named) is expected


@pytest.mark.parametrize(
    ("action", "pattern", "fits"),
    [
        ("s3:GetObject", "s3:GetObject", True),
        ("s3:GetObject", "S3:getobject", True),
        ("s3:GetObject", "s3:Get*", True),
        ("s3:GetObject", "s3:Get?bject", True),
        ("s3:GetObject", "*", True),
        ("s3:GetObject", "s3:GetObjectVersion", False),
        ("s3:GetObjectVersion", "s3:GetObject", False),
        ("s3:GetObject", "iam:*", False),
    ],
)
def test_actions_fit_whatever_their_case(action: str, pattern: str, fits: bool) -> None:
    allowed = verdict(question(action), [{"Effect": "Allow", "Action": pattern, "Resource": "*"}])
    negated = verdict(question(action), [{"Effect": "Allow", "NotAction": pattern, "Resource": "*"}])
    assert (allowed is Verdict.ALLOWED, negated is Verdict.ALLOWED) == (fits, not fits)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        (OBJECT, True),
        ("arn:aws:s3:::media/*", True),
        ("arn:aws:s3:::media*", True),
        ("arn:aws:s3:::*/cat.jpg", True),
        ("arn:aws:s3:::media", False),
        ("arn:aws:s3:::Media/*", False),
        ("arn:aws:s3:::media/photos/${aws:username}.jpg", False),
    ],
)
def test_resources_fit_with_their_case(pattern: str, fits: bool) -> None:
    allowed = verdict(question(), [says("Allow", Resource=pattern)])
    statement = {"Effect": "Allow", "Action": "*", "NotResource": pattern}
    assert allowed is (Verdict.ALLOWED if fits else Verdict.IMPLICIT)
    assert verdict(question(), [statement]) is (Verdict.IMPLICIT if fits else Verdict.ALLOWED)


@pytest.mark.parametrize(
    ("principal", "who", "fits"),
    [
        ("*", ALICE, True),
        ("*", "", True),
        ({"AWS": "*"}, "", True),
        ({"AWS": ALICE}, ALICE, True),
        ({"AWS": [f"arn:aws:iam::{ACCOUNT}:user/bob", ALICE]}, ALICE, True),
        ({"AWS": ACCOUNT}, ALICE, True),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, ALICE, True),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "", False),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/bob"}, ALICE, False),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/*"}, ALICE, False),
        ({"Service": "logging.s3.amazonaws.com"}, ALICE, False),
    ],
)
def test_principals_name_whom_a_bucket_policy_is_about(principal: Any, who: str, fits: bool) -> None:
    named, others = says("Allow", Principal=principal), says("Allow", NotPrincipal=principal)
    assert verdict(question(who=who), [], [named]) is (Verdict.ALLOWED if fits else Verdict.IMPLICIT)
    assert verdict(question(who=who), [], [others]) is (Verdict.IMPLICIT if fits else Verdict.ALLOWED)


# operator, values of the policy, values of the request (None: it has no such key), and whether the condition is met
TABLE: list[tuple[str, list[str], tuple[str, ...] | None, bool]] = [
    ("StringEquals", ["a", "b"], ("b",), True),
    ("StringEquals", ["a"], ("A",), False),
    ("StringEquals", ["a*"], ("ab",), False),
    ("StringEquals", ["a"], None, False),
    ("StringNotEquals", ["a", "b"], ("c",), True),
    ("StringNotEquals", ["a", "b"], ("b",), False),
    ("StringNotEquals", ["a"], None, True),
    ("StringEqualsIgnoreCase", ["ABC"], ("abc",), True),
    ("StringNotEqualsIgnoreCase", ["ABC"], ("abc",), False),
    ("StringLike", ["home/*/x?"], ("home/a/b/xy",), True),
    ("StringLike", ["home/*"], ("Home/a",), False),
    ("StringNotLike", ["home/*"], ("etc/a",), True),
    ("StringNotLike", ["home/*"], ("home/a",), False),
    ("StringEqualsIfExists", ["a"], None, True),
    ("StringEqualsIfExists", ["a"], ("b",), False),
    ("StringLikeIfExists", ["a*"], None, True),
    ("NumericEquals", ["10"], ("10.0",), True),
    ("NumericNotEquals", ["10"], ("10",), False),
    ("NumericLessThan", ["10"], ("9",), True),
    ("NumericLessThan", ["10"], ("10",), False),
    ("NumericLessThanEquals", ["10"], ("10",), True),
    ("NumericGreaterThan", ["10"], ("100",), True),
    ("NumericGreaterThan", ["10"], ("9",), False),
    ("NumericGreaterThanEquals", ["10"], ("10",), True),
    ("NumericEquals", ["10"], ("ten",), False),
    ("NumericEquals", ["10"], None, False),
    ("DateGreaterThan", ["2026-01-01T00:00:00Z"], ("2026-06-01T00:00:00Z",), True),
    ("DateGreaterThan", ["2026-01-01T00:00:00Z"], ("2025-06-01T00:00:00Z",), False),
    ("DateLessThan", ["1767225600"], ("2025-12-31T23:59:59Z",), True),
    ("DateEquals", ["2026-01-01T00:00:00Z"], ("1767225600",), True),
    ("DateNotEquals", ["2026-01-01T00:00:00Z"], ("1767225600",), False),
    ("DateLessThanEquals", ["2026-01-01T00:00:00Z"], ("2026-01-01T00:00:00Z",), True),
    ("DateGreaterThanEquals", ["2026-01-01T00:00:00Z"], ("2026-01-01T00:00:00Z",), True),
    ("Bool", ["false"], ("false",), True),
    ("Bool", ["false"], ("true",), False),
    ("Bool", ["true"], None, False),
    ("BoolIfExists", ["true"], None, True),
    ("BinaryEquals", ["QmluYXJ5"], ("QmluYXJ5",), True),
    ("BinaryEquals", ["QmluYXJ5"], ("QmluYXJ6",), False),
    ("IpAddress", ["203.0.113.0/24"], ("203.0.113.7",), True),
    ("IpAddress", ["203.0.113.0/24"], ("198.51.100.7",), False),
    ("IpAddress", ["2001:db8::/32"], ("2001:db8::1",), True),
    ("IpAddress", ["203.0.113.0/24"], ("2001:db8::1",), False),
    ("NotIpAddress", ["203.0.113.0/24"], ("198.51.100.7",), True),
    ("NotIpAddress", ["203.0.113.0/24", "198.51.100.0/24"], ("198.51.100.7",), False),
    ("NotIpAddress", ["203.0.113.0/24"], None, True),
    ("ArnEquals", [ALICE], (ALICE,), True),
    ("ArnLike", [f"arn:aws:iam::{ACCOUNT}:user/*"], (ALICE,), True),
    ("ArnLike", ["arn:aws:iam::*:user/alice"], (ALICE,), True),
    ("ArnLike", ["arn:aws:*"], (ALICE,), False),
    ("ArnNotLike", ["arn:aws:iam::*:role/*"], (ALICE,), True),
    ("ArnNotEquals", [ALICE], (ALICE,), False),
    ("StringEqualsIgnoreCase", ["ABC"], ("abd",), False),
    ("StringNotEqualsIgnoreCase", ["ABC"], ("abd",), True),
    ("NumericNotEquals", ["10"], ("11",), True),
    ("NumericLessThanEquals", ["10"], ("11",), False),
    ("NumericGreaterThanEquals", ["10"], ("9",), False),
    ("DateLessThan", ["1767225600"], ("2026-01-01T00:00:00Z",), False),
    ("DateEquals", ["2026-01-01T00:00:00Z"], ("1767225601",), False),
    ("DateNotEquals", ["2026-01-01T00:00:00Z"], ("1767225601",), True),
    ("DateLessThanEquals", ["2026-01-01T00:00:00Z"], ("2026-01-01T00:00:01Z",), False),
    ("DateGreaterThanEquals", ["2026-01-01T00:00:00Z"], ("2025-12-31T23:59:59Z",), False),
    ("ArnEquals", [ALICE], (ALICE + "x",), False),
    ("ArnNotEquals", [ALICE], (ALICE + "x",), True),
    ("ArnNotLike", ["arn:aws:iam::*:user/*"], (ALICE,), False),
    ("Null", ["true"], None, True),
    ("Null", ["true"], ("x",), False),
    ("Null", ["false"], ("x",), True),
    ("Null", ["false"], None, False),
    ("ForAllValues:StringEquals", ["a", "b"], ("a", "b"), True),
    ("ForAllValues:StringEquals", ["a", "b"], ("a", "c"), False),
    ("ForAllValues:StringEquals", ["a"], None, True),
    ("ForAllValues:StringLike", ["a*"], ("ab", "ac"), True),
    ("ForAnyValue:StringEquals", ["a"], ("a", "c"), True),
    ("ForAnyValue:StringEquals", ["a"], ("b", "c"), False),
    ("ForAnyValue:StringEquals", ["a"], None, False),
    ("ForAnyValue:StringNotEquals", ["a"], ("a", "c"), True),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "wanted", "given", "met"), TABLE)
def test_condition_operators(operator: str, wanted: list[str], given: tuple[str, ...] | None, met: bool) -> None:
    context = {} if given is None else {"some:key": given}
    assert holds(Condition(operator, "Some:Key", tuple(wanted)), context) is met


def test_every_operator_is_in_the_table_with_both_answers() -> None:
    for name in OPERATORS:
        assert {met for operator, _, _, met in TABLE if operator == name} == {True, False}, name


def test_all_lines_of_a_condition_have_to_be_met() -> None:
    condition = {"StringEquals": {"a:x": "1", "a:y": "2"}, "Bool": {"a:z": "true"}}
    statement = [says("Allow", Condition=condition)]
    met = {"a:x": "1", "a:y": "2", "a:z": "true"}
    assert verdict(question(**met), statement) is Verdict.ALLOWED
    for missing in met:
        assert verdict(question(**{**met, missing: "no"}), statement) is Verdict.IMPLICIT


def test_policy_variables_stand_for_the_caller() -> None:
    own = [says("Allow", Resource="arn:aws:s3:::home/${aws:username}/*")]
    mine = question(resource="arn:aws:s3:::home/alice/x", **{"aws:username": "alice"})
    assert verdict(mine, own) is Verdict.ALLOWED
    assert verdict(question(resource="arn:aws:s3:::home/bob/x", **{"aws:username": "alice"}), own) is Verdict.IMPLICIT
    assert verdict(question(resource="arn:aws:s3:::home//x"), own) is Verdict.IMPLICIT
    star = question(resource="arn:aws:s3:::home/bob/x", **{"aws:username": "*"})
    assert verdict(star, own) is Verdict.IMPLICIT


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("no json", "valid JSON"),
        ([], "valid JSON"),
        ({"Version": "2012-10-17"}, "Statement"),
        ({"Version": "2026-01-01", "Statement": [says("Allow")]}, "version"),
        ({"Statement": [says("Perhaps")]}, "effect"),
        ({"Statement": [{"Effect": "Allow", "Resource": "*"}]}, "Action"),
        ({"Statement": [says("Allow", NotAction="s3:*")]}, "NotAction"),
        ({"Statement": [says("Allow", NotResource="*")]}, "NotResource"),
        ({"Statement": [says("Allow", Condition={"StringIs": {"a": "b"}})]}, "Condition type : StringIs"),
        ({"Statement": [says("Allow", Condition={"NullIfExists": {"a": "true"}})]}, "Condition type"),
        ({"Statement": [says("Allow", Condition={"ForSome:StringEquals": {"a": "b"}})]}, "Condition type"),
        ({"Statement": [says("Allow", Principal={"User": "x"})]}, "principal"),
        ({"Statement": [says("Allow", Sid="a"), says("Deny", Sid="a")]}, "unique"),
        ({"Statement": [says("Allow", Effects="x")]}, "Effects"),
    ],
)
def test_malformed_documents_are_refused_with_a_reason(document: Any, words: str) -> None:
    with pytest.raises(MalformedError, match=words):
        parse(document if isinstance(document, dict | str) else str(document))


TEXTS = st.text(alphabet="ab*?$/{}", max_size=8)


@given(TEXTS)
def test_a_text_without_specials_fits_itself_only(text: str) -> None:
    plain = text.replace("*", "").replace("?", "").replace("$", "")
    assert like(plain, plain)
    assert not like(plain + "x", plain)
    assert like(plain, "*")
    assert like(plain, plain + "*")


@given(st.lists(st.text(alphabet="ab*", max_size=3), min_size=6, max_size=6))
def test_an_arn_fits_part_by_part(parts: list[str]) -> None:
    pattern = ":".join(parts)
    value = ":".join(part.replace("*", "a") for part in parts)
    assert arn_like(value, pattern)
    assert not arn_like(":".join(value.split(":")[:5]), pattern)


@given(st.sampled_from(sorted(OPERATORS)), st.text(max_size=12), st.text(max_size=12))
def test_no_value_makes_an_operator_fail(operator: str, value: str, wanted: str) -> None:
    condition = Condition(operator, "k", (wanted,))
    met = holds(condition, {"k": (value,)}, variables=False)
    assert met != (OPERATORS[operator].compare(value, wanted) == OPERATORS[operator].negated)
