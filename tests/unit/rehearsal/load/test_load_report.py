"""What requests tell together: shares, percentiles, phases."""

from __future__ import annotations

from collections import Counter

from rehearsal.load import EVERY, Heard, Phase, Plan, Report
from rehearsal.load.plan import VISITORS, cycle, visitor
from rehearsal.load.record import End, Record, read
from rehearsal.load.report import mistakes, percentile


def record(due: float, ended: float, kind: str = "new GET", outcome: str = "") -> Record:
    return Record(kind, due, due, ended, outcome, "1", "", again=False, on_idle=False)


def heard(*records: Record, sent: int = 100, seconds: float = 1) -> Heard:
    return Heard(Plan(rate=100), list(records), End(0, seconds, sent))


def test_each_class_has_its_share_and_they_are_evenly_mixed() -> None:
    order = cycle(EVERY)
    assert Counter(order) == EVERY
    assert max(order[start : start + 10].count("kept GET") for start in range(90)) <= 4


def test_visitors_are_as_many_as_are_promised() -> None:
    assert len({visitor(number) for number in range(VISITORS)}) == VISITORS == 20_000


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([4, 1, 3, 2], 50) == 2
    assert percentile([4, 1, 3, 2], 99) == 4
    assert percentile([], 99) == 0


def test_a_phase_that_no_request_overlapped_was_not_measured() -> None:
    seen = heard(record(1.0, 1.2), record(3.0, 3.1))
    phases = [Phase("create", 0.5, 1.1), Phase("switch", 1.3, 2.9), Phase("delete", 3.05, 9)]
    assert list(mistakes(seen, phases)) == ["no request overlapped the phase switch: it was not measured"]


def test_less_than_nine_tenths_of_the_rate_is_not_the_rate() -> None:
    assert list(mistakes(heard(record(0, 1), sent=91))) == []
    assert list(mistakes(heard(record(0, 1), sent=89))) == ["only 89 of 100 requests were sent: the rate was not held"]


def test_a_client_that_is_late_itself_hides_nothing() -> None:
    late = Record("new GET", 10, 11, 11.5, "", "1", "", again=False, on_idle=False)
    assert late.seconds == 1.5
    assert Report([late]).late == 1


def test_a_time_within_a_deploy_is_told_from_the_quiet_around_it() -> None:
    report = Report([record(0, 0.1), record(5, 7), record(9, 9.2, kind="slow", outcome="cut")])
    deploy = Phase("deploy", 4, 8)
    assert report.during(deploy).seconds(99) == 2
    assert report.outside(deploy).quick.seconds(99) == 0.1
    assert "| slow | 1 | 1 cut |" in report.table()


def test_what_the_client_says_is_what_is_heard() -> None:
    said = record(1.5, 2.25, outcome="502")
    assert read(said.line()) == said
    assert read(End(1, 2, 3).line()) == End(1, 2, 3)
