"""The page that a recovery leaves: what took how long, what was verified, and whether it was in time."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone
from io import StringIO
from pathlib import Path

import pytest

from ops.drill.heard import heard
from ops.drill.recover import reported
from ops.drill.steps import TARGET_SECONDS, Step, Steps, spoken
from ops.errors import OperatorError


def test_steps_facts_and_the_verdict_are_on_the_page(tmp_path: Path) -> None:
    steps = Steps("Recovery of production: loss of the whole server", target=TARGET_SECONDS)
    with steps.step("the data out of the bucket") as step:
        step.said = "12 tables"
    steps.done[0].seconds = 61.5
    steps.facts["Ledger"] = "100 of 100"
    steps.write(tmp_path / "reports" / "page.md")
    page = (tmp_path / "reports" / "page.md").read_text()
    assert "| the data out of the bucket | 61.5 | 12 tables |" in page
    assert "| Ledger | 100 of 100 |" in page
    assert "Recovered in 62 s: within the RTO of 4 h, within the target of 10 minutes." in page


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (601, "within the RTO of 4 h, OVER the target of 10 minutes"),
        (14401, "MORE THAN the RTO of 4 h, OVER the target of 10 minutes"),
    ],
)
def test_what_took_too_long_is_said(seconds: float, said: str) -> None:
    assert said in Steps("x", TARGET_SECONDS, done=[Step("a", seconds)]).verdict()


def test_a_step_that_failed_is_the_verdict() -> None:
    steps = Steps("x")
    with pytest.raises(OperatorError), steps.step("the server"):
        raise OperatorError("It is on fire.")
    assert steps.verdict() == "NOT RECOVERED: the server: It is on fire."
    assert steps.done[0].name == "the server"


def test_the_recovery_point_is_judged_by_the_rpo() -> None:
    steps, now = Steps("x"), datetime(2026, 11, 22, tzinfo=timezone.utc)
    steps.lost(now - timedelta(hours=23), now)
    assert "23.0 hours before (within the RPO of 24 h)" in steps.facts["Recovery point"]
    steps.lost(now - timedelta(hours=25), now)
    assert "25.0 hours before (MORE THAN the RPO of 24 h)" in steps.facts["Recovery point"]


def test_times_as_people_say_them() -> None:
    assert [spoken(each) for each in (90, 600, 9000)] == ["90 s", "10 minutes", "2.5 hours"]


def test_what_a_command_says_is_shown_and_known() -> None:
    terminal = StringIO()
    code, lines = heard([sys.executable, "-c", "import sys; print('one'); sys.exit('two')"], terminal)
    assert (code, sorted(lines)) == (1, ["one", "two"])
    assert "          one\n" in terminal.getvalue()


def refused_in_between(path: Path) -> None:
    with reported(Steps("x"), path) as steps:
        with steps.step("compared"):
            pass
        raise OperatorError("Nothing was changed.")


def test_whatever_ends_a_recovery_is_on_its_page(tmp_path: Path) -> None:
    """Also what happens between two steps, such as a question that is answered with no."""
    with pytest.raises(OperatorError):
        refused_in_between(tmp_path / "page.md")
    assert "NOT RECOVERED: Nothing was changed." in (tmp_path / "page.md").read_text()
