"""The report as data: what was written is read again, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from review_samples import review

from ops.review.report import LARGEST_REPORT, LONGEST_TEXT, MOST_ITEMS, ReportError, read, write


def test_what_was_written_is_read_again() -> None:
    assert read(write(review())) == review()


def changed(change: Callable[[dict[str, Any]], object]) -> str:
    data = json.loads(write(review()))
    change(data)
    return json.dumps(data)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda data: data.pop("base"), "lacks base"),
        (lambda data: data.update(surprise=1), "fields that this version does not know"),
        (lambda data: data.update(stacks={}), "report.stacks must be a list"),
        (lambda data: data.update(notes=["a"] * (MOST_ITEMS + 1)), "must be a list of at most"),
        (lambda data: data.update(base="a" * (LONGEST_TEXT + 1)), "no longer than"),
        (lambda data: data.update(base=None), "must be of type str"),
        (lambda data: data["stacks"][0].update(unchanged=True), "report.stacks[0].unchanged must be of type int"),
        (lambda data: data["stacks"][0]["changes"][0].update(op="<b>"), "What becomes of a resource is one of create"),
        (lambda data: data["stacks"].append([]), "report.stacks[2] must be an object"),
    ],
    ids=["missing", "unknown", "no-list", "too-many", "too-long", "none", "bool", "op", "no-object"],
)
def test_what_is_no_report_is_refused_with_a_sentence(change: Callable[[dict[str, Any]], object], says: str) -> None:
    with pytest.raises(ReportError, match=says.replace("[", r"\[")):
        read(changed(change))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, "0" * (LARGEST_REPORT + 1)], ids=str.__len__)
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(ReportError):
        read(text)
