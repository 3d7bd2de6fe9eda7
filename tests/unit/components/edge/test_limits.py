"""What becomes of a rate limit: the specs' figures on every plan, and what `looser` and `stricter` promise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from systems import SYSTEMS

from components.edge.limits import PERIODS, Wanted, fit, nearest, wanted
from components.values import CloudflarePlan, OnMisfit, Rate

FREE, PRO, BUSINESS, ENTERPRISE = CloudflarePlan
LOOSER, STRICTER, REFUSE = OnMisfit.LOOSER, OnMisfit.STRICTER, OnMisfit.REFUSE


def _rules(system: str, plan: CloudflarePlan, on_misfit: OnMisfit) -> dict[str, tuple[int, int]]:
    _, site = SYSTEMS[system]()
    return {rule.name: (rule.requests, rule.period) for rule in fit(wanted(site), plan, on_misfit).rules}


@pytest.mark.parametrize(
    ("system", "plan", "rules"),
    [
        ("neurmatic", FREE, {"login-and-registration": (5, 10)}),
        ("neurmatic", PRO, {"login-and-registration": (5, 60), "api": (100, 10)}),
        ("neurmatic", BUSINESS, {"login": (5, 60), "registration": (3, 60), "api": (100, 10)}),
        ("neurmatic", ENTERPRISE, {"login": (5, 60), "registration": (3, 60), "api": (100, 10)}),
        ("neuropilot", FREE, {"auth": (10, 10)}),
        ("neuropilot", PRO, {"auth": (10, 60), "general": (300, 60)}),
        ("neuropilot", BUSINESS, {"auth": (10, 600), "general": (300, 600)}),
        ("neuropilot", ENTERPRISE, {"auth": (10, 900), "general": (300, 600)}),
    ],
)
def test_looser_keeps_the_count_over_the_period_that_the_plan_has(
    system: str, plan: CloudflarePlan, rules: dict[str, tuple[int, int]]
) -> None:
    assert _rules(system, plan, LOOSER) == rules


def test_stricter_lets_no_more_through_than_asked() -> None:
    assert _rules("neurmatic", PRO, STRICTER) == {"login-and-registration": (3, 60), "api": (10, 10)}
    assert _rules("neuropilot", BUSINESS, STRICTER) == {"auth": (5, 600), "general": (300, 600)}


def test_stricter_than_one_request_cannot_be() -> None:
    _, site = SYSTEMS["neuropilot"]()
    outcome = fit(wanted(site), PRO, STRICTER)
    assert [rule.name for rule in outcome.rules] == ["general"]
    (sentence,) = outcome.refused
    assert sentence.startswith("site.limits.auth: 10/15min; the pro plan counts over 60 s at most")


@pytest.mark.parametrize(
    ("system", "plan", "refused"),
    [
        ("neurmatic", FREE, 3),
        ("neurmatic", PRO, 1),
        ("neurmatic", BUSINESS, 0),
        ("neuropilot", PRO, 2),
        ("neuropilot", BUSINESS, 1),
        ("neuropilot", ENTERPRISE, 0),
    ],
)
def test_refuse_stops_at_what_does_not_fit(system: str, plan: CloudflarePlan, refused: int) -> None:
    _, site = SYSTEMS[system]()
    assert len(fit(wanted(site), plan, REFUSE).refused) == refused


@pytest.mark.parametrize("on_misfit", [LOOSER, STRICTER])
@pytest.mark.parametrize("plan", list(CloudflarePlan))
@pytest.mark.parametrize("system", SYSTEMS)
def test_every_limit_gets_one_sentence(system: str, plan: CloudflarePlan, on_misfit: OnMisfit) -> None:
    _, site = SYSTEMS[system]()
    limits = wanted(site)
    outcome = fit(limits, plan, on_misfit)
    spoken = sorted(text.split(":")[0].removeprefix("site.limits.") for text in outcome.notes)
    refused = sorted(text.split(":")[0].rpartition(".")[2] for text in outcome.refused)
    assert sorted(spoken + refused) == sorted(each.name for each in limits)


def test_the_preview_reads_well() -> None:
    _, site = SYSTEMS["neurmatic"]()
    assert fit(wanted(site), PRO, LOOSER).notes == [
        "login: 5 requests in 60 s at the edge in one rule with registration, which counts both together.",
        "registration: 5 requests in 60 s at the edge in one rule with login, looser than 3/min; the origin enforces"
        " that exactly.",
        "api: 100 requests in 10 s at the edge, the rate of 10/s over the shortest period that there is.",
    ]


rates = st.builds(Rate, st.integers(1, 500), st.sampled_from([1, 3, 10, 45, 60, 90, 300, 600, 900, 3600, 7200]))


@given(rates, st.sampled_from(list(CloudflarePlan)))
def test_what_the_edge_lets_through(rate: Rate, plan: CloudflarePlan) -> None:
    """The most that a patient visitor gets through in the asked period: as many full windows as touch it."""
    for on_misfit in (LOOSER, STRICTER):
        requests, period = nearest(rate, PERIODS[plan], on_misfit)
        most = requests * max(1, -(-rate.seconds // period))
        assert period in PERIODS[plan]
        if on_misfit is STRICTER:
            assert most <= rate.requests
        else:
            assert most >= rate.requests
            assert requests > 0


def test_limits_that_share_a_rule_stay_strict() -> None:
    family = [Wanted("a", Rate(5, 60), ("/a",), "f"), Wanted("b", Rate(3, 600), ("/b",), "f"), Wanted("c", Rate(1, 1))]
    outcome = fit(family, PRO, STRICTER)
    assert [rule.name for rule in outcome.rules] == ["c"], "3 in 600 s are fewer than one in each 60 s"
    assert len(outcome.refused) == 2
    (shared, _) = fit(family, PRO, LOOSER).rules
    assert (shared.requests, shared.period) == (5, 60)
