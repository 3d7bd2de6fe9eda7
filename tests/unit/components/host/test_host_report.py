from __future__ import annotations

from dataclasses import replace

import pytest

from components.host.report import (
    CHANGED,
    COMPARED,
    EXTRA,
    FAILED,
    OK,
    Line,
    Report,
    ReportError,
    parse,
    token,
    write_end,
)
from components.host.report import write as as_json

LINES = (
    Line("package:curl", OK),
    Line("file:/etc/a", CHANGED, "has other content", "--- a\n+++ b\n-x\n+y"),
    Line("swap:/swapfile", COMPARED, "a container cannot change it"),
    Line("account:intruder", EXTRA, "can log in"),
    Line("unit:docker.service", FAILED, "did not start"),
)
WHOLE = Report(
    LINES, run="check", seconds=0.6, release="debian-12", container=True, confirm="c0ffee", facts={"cpus": 2}
)


def text_of(report: Report) -> str:
    return "\n".join([*map(as_json, report.lines), write_end(report), ""])


def test_a_report_survives_the_way_back() -> None:
    assert parse(text_of(WHOLE)) == WHOLE


def test_an_item_that_is_in_order_takes_few_bytes() -> None:
    assert as_json(LINES[0]) == '{"item": "package:curl", "state": "ok"}'


def test_drift_is_what_is_not_as_desired_and_could_be() -> None:
    assert [line.state for line in WHOLE.drift] == [CHANGED, EXTRA, FAILED]
    assert Report(LINES[:1] + LINES[2:3]).fingerprint == ""


def test_the_fingerprint_names_the_drift_and_nothing_else() -> None:
    assert replace(WHOLE, seconds=9.0, confirm="").fingerprint == WHOLE.fingerprint
    other = (replace(LINES[1], diff="--- a\n+++ b\n-x\n+z"), *LINES[2:])
    assert replace(WHOLE, lines=other).fingerprint != WHOLE.fingerprint


def test_a_run_that_was_cut_off_is_no_report() -> None:
    with pytest.raises(ReportError, match="cut off"):
        parse(text_of(WHOLE).rsplit("\n", 2)[0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sudo: a password is required", "Line 1 .* is no JSON"),
        ('{"item": "a", "state": "splendid"}', "the state 'splendid'"),
        ('{"thing": "a"}', "not about an item"),
        ("[1]", "not about an item"),
    ],
)
def test_what_is_no_report_is_said_in_one_sentence(text: str, words: str) -> None:
    with pytest.raises(ReportError, match=words):
        parse(f"{text}\n")


def test_the_second_login_brings_the_new_token_or_the_last_one() -> None:
    assert token(text_of(WHOLE)) == "c0ffee"
    assert token(text_of(replace(WHOLE, confirm="", confirmed="0ld"))) == "0ld"
    assert token("") == "", "a rehearsal without a machine has no output"
