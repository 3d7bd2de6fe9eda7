"""What becomes of each rate limit at the edge, whose plans count over a few periods only and have few rules.

Nothing is lost in silence: every limit gets one sentence that says what the edge does with it. The origin enforces all
of them exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from components.site import NeurmaticSite, NeuropilotSite, SiteSettings
from components.values import CloudflarePlan, OnMisfit, Rate
from edgerules.tables.limits import LIMITS, RateLimits
from edgerules.tables.plans import Plan

PERIODS = {
    CloudflarePlan.FREE: (10,),
    CloudflarePlan.PRO: (10, 60),
    CloudflarePlan.BUSINESS: (10, 60, 120, 300, 600),
    CloudflarePlan.ENTERPRISE: (10, 60, 120, 300, 600, 900, 3600),
}
"""Seconds that a plan counts over. The newest documentation has more of them, older pages only these: November 2026."""


@dataclass(frozen=True)
class Wanted:
    """A limit as the site asks for it. Limits with the same `family` may share a rule."""

    name: str
    rate: Rate
    paths: tuple[str, ...] = ()
    """Beginnings of paths; none: the whole API."""
    family: str = ""


@dataclass(frozen=True)
class Fitted:
    """A rate limiting rule to be: for all of `wanted`, so many requests in a period that the plan has."""

    wanted: tuple[Wanted, ...]
    requests: int
    period: int

    @property
    def name(self) -> str:
        return "-and-".join(each.name for each in self.wanted)

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(path for each in self.wanted for path in each.paths)


@dataclass
class Outcome:
    rules: list[Fitted] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What became of each, for people."""
    refused: list[str] = field(default_factory=list)
    """What the settings do not allow to become of them."""


def wanted(site: SiteSettings) -> list[Wanted]:
    """The most important first: guessing passwords is what nothing else at the edge stops."""
    if isinstance(site, NeurmaticSite):
        limits = site.limits
        return [
            Wanted("login", limits.login, limits.login_paths, "sign-in"),
            Wanted("registration", limits.registration, limits.registration_paths, "sign-in"),
            Wanted("api", limits.api),
        ]
    if isinstance(site, NeuropilotSite):
        return [Wanted("auth", site.limits.auth, site.limits.auth_paths), Wanted("general", site.limits.general)]
    return []


def fit(limits: Sequence[Wanted], plan: CloudflarePlan, on_misfit: OnMisfit) -> Outcome:
    """Rules for as many limits as the plan has room for, and a sentence about each."""
    outcome = Outcome()
    table = LIMITS[Plan(plan.value)].ratelimit
    told = [each for each in limits if each.paths or _knows_hosts(table)]
    for each in limits:
        if each not in told:
            _leave_out((each,), f"rules of the {plan.value} plan cannot tell host names apart", outcome)
    groups = _share(told) if len(told) > table.rules else [(each,) for each in told]
    for group in groups[table.rules :]:
        _leave_out(group, f"the {plan.value} plan has {_count(table.rules)}", outcome)
    for group in groups[: table.rules]:
        _add(group, plan, on_misfit, outcome)
    if on_misfit is OnMisfit.REFUSE and len(limits) > len(outcome.rules):
        has = f"{_count(table.rules)}{'' if _knows_hosts(table) else ' that cannot tell host names apart'}"
        outcome.refused.append(
            f'edge.on_misfit: {len(limits)} rate limits, but the {plan.value} plan has {has}; "refuse" was asked for'
        )
    return outcome


def nearest(rate: Rate, has: Sequence[int], on_misfit: OnMisfit) -> tuple[int, int]:
    """Requests and period. Zero requests: no count over this period is strict enough."""
    period = max((each for each in has if each <= rate.seconds), default=has[0])
    if period == rate.seconds:
        return rate.requests, period
    strict = on_misfit is OnMisfit.STRICTER
    if period > rate.seconds:
        # The shortest period is longer than asked: the same rate over it, or the same count.
        return (rate.requests if strict else -(-rate.requests * period // rate.seconds)), period
    windows = -(-rate.seconds // period)
    return (rate.requests // windows if strict else rate.requests), period


def _knows_hosts(table: RateLimits) -> bool:
    """Without the host among its fields a rule cannot tell the API from the site."""
    return table.fields is None or "http.host" in table.fields


def _share(limits: Sequence[Wanted]) -> list[tuple[Wanted, ...]]:
    groups: dict[str, tuple[Wanted, ...]] = {}
    for each in limits:
        key = each.family or each.name
        groups[key] = (*groups.get(key, ()), each)
    return list(groups.values())


def _add(group: tuple[Wanted, ...], plan: CloudflarePlan, on_misfit: OnMisfit, outcome: Outcome) -> None:
    # One rule has one period and one count: the shortest period, and of the counts the one that `on_misfit` asks for.
    period = min(nearest(each.rate, PERIODS[plan], on_misfit)[1] for each in group)
    counts = [nearest(each.rate, (period,), on_misfit)[0] for each in group]
    requests = min(counts) if on_misfit is OnMisfit.STRICTER else max(counts)
    rule = Fitted(group, requests, period)
    longest = PERIODS[plan][-1]
    if requests == 0:
        outcome.refused += [
            f"site.limits.{each.name}: {each.rate}; the {plan.value} plan counts over {longest} s at most, and even"
            f' one request in each would be more. Allowed: a higher rate, a greater plan, or edge.on_misfit "looser"'
            for each in group
        ]
        return
    outcome.rules.append(rule)
    outcome.notes += [_sentence(each, rule, longest) for each in group]
    if on_misfit is OnMisfit.REFUSE:
        outcome.refused += [
            f"site.limits.{each.name}: {each.rate}; the {plan.value} plan counts over {_listed(PERIODS[plan])} s only,"
            ' and edge.on_misfit is "refuse"'
            for each in group
            if each.rate.seconds not in PERIODS[plan] and each.rate.seconds > PERIODS[plan][0]
        ]


def _leave_out(group: tuple[Wanted, ...], reason: str, outcome: Outcome) -> None:
    outcome.notes += [
        f"{each.name}: not limited at the edge, since {reason}; only the origin enforces {each.rate}." for each in group
    ]


def _sentence(each: Wanted, rule: Fitted, longest: int) -> str:
    asked, given = each.rate.requests * rule.period, rule.requests * each.rate.seconds
    shared = [other.name for other in rule.wanted if other is not each]
    with_whom = f" in one rule with {' and '.join(shared)}" if shared else ""
    what = f"{each.name}: {rule.requests} requests in {rule.period} s at the edge{with_whom}"
    if (rule.requests, rule.period) == (each.rate.requests, each.rate.seconds):
        return f"{what}, as asked." if not shared else f"{what}, which counts both together."
    if asked == given and rule.period > each.rate.seconds:
        return f"{what}, the rate of {each.rate} over the shortest period that there is."
    than = "looser" if given > asked else "stricter"
    bound = f"{longest} s at most" if rule.period < each.rate.seconds else f"{rule.period} s at least"
    cause = "" if rule.period == each.rate.seconds else f" (the plan counts over {bound})"
    return f"{what}, {than} than {each.rate}{cause}; the origin enforces that exactly."


def _count(rules: int) -> str:
    return "1 rate limiting rule" if rules == 1 else f"{rules} rate limiting rules"


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))
