"""From the engine's events to what becomes of each resource."""

from __future__ import annotations

from typing import Any

import pytest

from ops.review.events import at, component_of, parse, shown, understand
from ops.review.report import Change, Violation

STACK = "urn:pulumi:production::neurmatic::pulumi:pulumi:Stack::neurmatic-production"
BUCKET = "aws:s3/bucket:Bucket"
CONTAINER = "docker:index/container:Container"


def event(op: str, type_: str, name: str = "it", **more: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:production::neurmatic::infra:storage:Storage${type_}::{name}"
    return {"resourcePreEvent": {"metadata": {"op": op, "urn": urn, "type": type_, "old": None, "new": None, **more}}}


def only(*events: dict[str, Any]) -> Change:
    (change,) = understand(events).changes
    return change


def test_a_bucket_that_goes_takes_its_objects_along() -> None:
    assert only(event("delete", BUCKET)).loses == "every object in the bucket"
    assert only(event("replace", BUCKET), event("create-replacement", BUCKET)).loses == "every object in the bucket"
    assert only(event("update", BUCKET)).loses == ""


def test_a_container_that_is_deleted_first_is_an_outage() -> None:
    first = [event("delete-replaced", CONTAINER), event("replace", CONTAINER), event("create-replacement", CONTAINER)]
    last = [event("create-replacement", CONTAINER), event("replace", CONTAINER), event("delete-replaced", CONTAINER)]
    assert (only(*first).op, bool(only(*first).outage)) == ("replace", True)
    assert (only(*last).op, bool(only(*last).outage)) == ("replace", False)


def test_protection_that_goes_is_a_change_although_the_engine_calls_it_the_same() -> None:
    kept, free = {"protect": True, "inputs": {}}, {"inputs": {}}
    assert only(event("same", BUCKET, old=kept, new=free)).op == "unprotect"
    assert understand([event("same", BUCKET, old=kept, new=kept)]).unchanged == 1


def test_differences_are_values_and_never_long() -> None:
    old = {"inputs": {"rules": [{"a.b": 1}], "secret": "[secret]", "text": "x" * 500}}
    new = {"inputs": {"rules": [{"a.b": 2}], "secret": "[secret]", "text": "y\ny"}}
    diff = {path: {} for path in ('rules[0]["a.b"]', "secret", "text", "gone.deep[3]")}
    found = only(event("update", BUCKET, old=old, new=new, detailedDiff=diff)).differences
    assert [(each.path, each.old, each.new) for each in found[:2]] == [
        ('rules[0]["a.b"]', "1", "2"),
        ("secret", "[secret]", "[secret]"),
    ]
    assert (len(found[2].old), found[2].new) == (80, "y y")
    assert (found[3].old, found[3].new) == ("absent", "absent")


def test_policies_stop_or_warn_and_what_they_could_not_judge_is_apart() -> None:
    def policy(name: str, level: str, message: str) -> dict[str, Any]:
        resource = f"{STACK.rpartition('::')[0]}::db"
        return {
            "policyEvent": {"policyName": name, "enforcementLevel": level, "message": message, "resourceUrn": resource}
        }

    found = understand(
        [
            policy("exposure", "mandatory", "<{%fg 1%}>Why.<{%reset%}>\nports: What."),
            policy("naming", "advisory", "No tag."),
            policy("coverage", "advisory", "Values that are unknown.\nports is not known yet."),
            policy("pack-summary", "advisory", "A table."),
        ]
    )
    assert found.violations == [
        Violation("exposure", "db", "Why.\nports: What.", True),
        Violation("naming", "db", "No tag.", False),
    ]
    assert found.unjudged == ["db: ports is not known yet."]


def test_a_line_that_was_cut_off_is_left_out() -> None:
    assert list(parse(['{"a": 1}', "Previewing", '{"b": '])) == [{"a": 1}]


@pytest.mark.parametrize(
    ("urn", "component"),
    [
        ("urn:pulumi:s::p::infra:edge:CloudflareEdge$infra:edge:Zone$a:b:C::it", "CloudflareEdge"),
        ("urn:pulumi:s::p::a:b:C::it", "the stack itself"),
    ],
)
def test_a_resource_belongs_to_its_outermost_component(urn: str, component: str) -> None:
    assert component_of(urn) == component


def test_what_is_not_there_is_absent() -> None:
    assert at({"a": [1]}, "a[1]") is None
    assert at("text", "a.b") is None
    assert shown(None) == "absent"
