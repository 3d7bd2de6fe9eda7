"""The production program on a machine: it comes up whole, changes its release under load, and stays without a diff."""

from __future__ import annotations

import pytest

from rehearsal.load import asking
from rehearsal.whole import WholeStack

pytestmark = [pytest.mark.rehearsal, pytest.mark.engine, pytest.mark.slow]


def test_it_comes_up_whole_and_stays_as_it_is(whole: WholeStack) -> None:
    running = whole.containers()
    assert len(running) == 6
    assert all("(healthy)" in status for status in running.values()), running
    with asking(whole.target()) as seen:
        while seen.total < 100:
            pass
    assert not seen.failed
    assert set(seen.answers) == {"1.4.2"}
    again = whole.pulumi("preview", "--refresh", "--expect-no-changes")
    assert again.returncode == 0, again.stdout[-3000:]


def test_a_release_replaces_another_and_nobody_notices(whole: WholeStack) -> None:
    before = whole.containers()
    with asking(whole.target(), "deploy") as seen:
        done = whole.up("1.4.3")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    after = whole.containers()
    assert not seen.failed
    assert seen.answers["1.4.2"] > 20
    assert seen.answers["1.4.3"] > 20
    assert {name for name in before if "backend" in name}.isdisjoint(after)
    assert len(after) == 6
    ledger = whole.ledger()
    assert not [key for key in seen.written if key not in ledger]


@pytest.mark.long
@pytest.mark.parametrize("fault", ["FAULT_CRASH_AT_START=1", "FAULT_DIE_AFTER=12"])
def test_a_bad_release_leaves_the_one_before_serving(whole: WholeStack, fault: str) -> None:
    name, _, value = fault.partition("=")
    with asking(whole.target(), name) as seen:
        done = whole.up("1.4.4", **{name: value})
    assert done.returncode != 0
    assert not seen.failed
    with asking(whole.target(), f"{name}-after") as seen:
        good = whole.up("1.4.3")
    assert good.returncode == 0, good.stdout[-3000:] + good.stderr
    assert not seen.failed
    assert len(whole.containers()) == 6
