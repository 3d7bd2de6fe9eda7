"""The report's order and shape, and that nothing in it can be more than text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from review_samples import NEW, review

from ops.review.markdown import LONGEST, MARKER, block, code, markdown
from ops.review.report import Change, Review, StackReview, Violation


def test_what_cannot_be_taken_back_comes_first() -> None:
    text = markdown(review())
    assert re.findall(r"^### (.*)$", text, re.MULTILINE) == [
        "Data that would be deleted",
        "Protection that would go",
        "Outages",
        "Policies",
        "Edge of neurmatic",
        "Changes",
        "What could not be judged",
    ]
    assert "## Infrastructure: stopped by 1 policy violation, 1 edge case that fails\n" in text
    assert "- `media` (Bucket, neurmatic production), to delete: every object in the bucket" in text
    assert "- `db` (Container, neurmatic production), to replace: the container stops" in text
    assert (
        "neurmatic production: 1 to create, 1 to update, 1 to replace, 1 to delete, 1 no longer protected, 81" in text
    )
    assert "`ports[0].ip` `127.0.0.1` to `0.0.0.0`" in text
    assert "neuropilot production: none." in text
    assert "PostgreSQL restarts: 5 s." in text


def test_no_change_is_one_line() -> None:
    text = markdown(Review("aaa", "bbb", [StackReview("neurmatic", "production", [], 86)]))
    assert text.startswith(f"{MARKER}\n## Infrastructure: no changes\n")
    assert "### Changes" not in text


def test_words_that_several_resources_share_are_said_once() -> None:
    violations = [Violation("edge-proxied", f"record-{number}", "Why.\nproxied: What.", True) for number in range(12)]
    text = markdown(Review("a", "b", [StackReview("neurmatic", "production", [], 0, violations)]))
    assert text.count("proxied: What.") == 1
    assert "`record-7` (neurmatic production) and 4 more, by `edge-proxied`" in text


def test_a_long_report_fits_into_a_comment_and_says_so() -> None:
    violations = [Violation(f"rule-{number}", "a", f"{number} " + "word " * 700, True) for number in range(2_000)]
    stacks = [StackReview(f"system{number}", "s", [NEW] * 500, 0, violations) for number in range(40)]
    text = markdown(Review("a", "b", stacks))
    assert len(text) < LONGEST + 500
    assert "the rest is in the job's summary and artifact." in text

    wide = [
        replace(stack, changes=[replace(NEW, name=f"{'n' * 100}{each}") for each in range(500)]) for stack in stacks
    ]
    text = markdown(Review("a", "b", wide))
    assert len(text) < LONGEST + 500
    assert text.rstrip().endswith("the rest is in the job's summary and artifact.")
    assert len(re.findall(r"^```", text, re.MULTILINE)) % 2 == 0, "a block that was cut open is closed"


HOSTILE = [
    "`</details><script>alert(1)</script>",
    "](https://evil.example) ![x](https://evil.example/x.png)",
    "www.evil.example",
    "@everyone\n# Approved\n",
    "```\nAll is well\n```",
    "a|b|c",
    "\u202egnp.exe\u2066",
    "\x1b[31mred\x00",
    "<!-- infrastructure-review -->",
    "$(rm -rf /) ${{ github.token }}",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_stays_a_name(name: str) -> None:
    change = Change("delete", name, f"aws:s3/bucket:{name}", name, [], name, name)
    stack = StackReview(name, name, [change], 0, [Violation(name, name, name, True)], [name], [name], [name])
    text = markdown(Review(name, name, [stack], [], [name]))
    outside = without_code(text)
    assert "evil.example" not in outside
    assert "@" not in outside
    assert "Approved" not in [line.strip("# ") for line in outside.splitlines() if line.startswith("#")]
    assert re.findall(r"<(?!/?details>|/?summary>|!-- infrastructure-review -->)", outside) == []
    assert outside.count("<!--") == 1
    assert not re.search("[\x00-\x08\x0b-\x1f\u200e\u200f\u202a-\u202e\u2066-\u2069]", text)


@given(st.text())
def test_code_is_one_line_that_ends_where_it_seems_to(text: str) -> None:
    made = code(text)
    assert "\n" not in made
    assert made == "(empty)" or (made.count("`") == 2 and made.startswith("`") and made.endswith("`"))


@given(st.text())
def test_a_block_ends_where_it_seems_to(text: str) -> None:
    lines = block(text).splitlines()
    assert [line for line in lines if line.lstrip().startswith("```")] == ["```text", "```"]


def without_code(text: str) -> str:
    """As a reader of Markdown has it: blocks first, then spans, which never reach over a line."""
    blocks = re.sub(r"^```text\n.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", blocks)
