"""Custom rules, rate limits, managed rules and bots: the phases that stop requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgerules.language import UNKNOWN
from edgerules.simulator.counters import Counters
from edgerules.simulator.outcome import Stop
from edgerules.simulator.program import Compiled
from edgerules.simulator.run import Answer, Run
from edgerules.zone import Zone

CHALLENGES = frozenset({"challenge", "js_challenge", "managed_challenge"})
STOPPING = CHALLENGES | {"block"}

MANAGED_RULESETS = {
    "efb7b8c949ac4650a09736fc376e9aee": "Cloudflare Managed Ruleset",
    "4814384a9e5d4991b9815dcfc25d2f1f": "OWASP Core Ruleset",
    "77454fe2d30c4220b5701f6fdfb893ba": "Cloudflare Free Managed Ruleset",
    "e22d83c647c64a3eae91b71b499d988e": "Sensitive Data Detection",
    "c2e184081120413c86c3ab7e14069605": "Exposed Credentials Check",
}
"""Ids of docs: waf/managed-rules, November 2026."""


def stop_of(rule: Compiled, default: int, because: str = "") -> Stop:
    """What the visitor gets from a rule that blocks or challenges."""
    action = rule.rule.action
    response = rule.parameters.get("response")
    status, kind = (403, None) if action in CHALLENGES else (default, None)
    if action == "block" and isinstance(response, Mapping):
        status, kind = response.get("status_code", default), response.get("content_type")
    return Stop(rule.name, action, status, content_type=kind, phase=rule.phase, because=because)


def custom(run: Run, rules: list[Compiled]) -> None:
    doubt = ""  # the rule that perhaps skips the rest
    for rule, matched in run.matches(rules):
        answer: Answer = UNKNOWN if doubt and matched is True else matched
        action = rule.rule.action
        why = doubt or (run.why_unknown(rule) if answer is UNKNOWN else "")
        if action in STOPPING:
            if run.end(stop_of(rule, 403, why), answer):
                return
        elif action == "skip":
            if skip(run, rule, answer):
                return
            if answer is UNKNOWN and _skips_rest(rule):
                doubt = f"perhaps skipped by {rule.name}"
        elif action == "log":
            run.note(rule, "log")
        else:
            run.end(Stop(rule.name, action, phase=rule.phase, because=f"{action} cannot be simulated"), UNKNOWN)


def _skips_rest(rule: Compiled) -> bool:
    parameters = rule.parameters
    return parameters.get("ruleset") == "current" or parameters.get("phase") == "current"


def skip(run: Run, rule: Compiled, answer: Answer) -> bool:
    """Note the phases that are skipped; True when the rest of this phase is skipped beyond doubt."""
    phases = rule.parameters.get("phases") or []
    products = rule.parameters.get("products") or []
    for phase in phases:
        if answer is True:
            run.skipped.add(phase)
        else:
            run.perhaps_skipped.setdefault(phase, rule.name)
    rest = ["the rest of this ruleset"] if _skips_rest(rule) else []
    run.note(rule, "skip" if answer is True else "skip?", ", ".join(map(str, [*rest, *phases, *products])))
    return answer is True and _skips_rest(rule)


def rate_limits(run: Run, rules: list[Compiled], counters: dict[str, Counters]) -> None:
    if "http_ratelimit" in run.skipped:
        return
    skipper = run.perhaps_skipped.get("http_ratelimit")
    here = skipper is None and not run.maybe  # does the request reach this phase beyond doubt?
    for rule in rules:
        if rule.key is None:
            continue
        matched = rule.match(run.fields)
        _count_request(run, rule, matched, counters[rule.name], here)
        if matched is False:
            if run.trace:
                run.note(rule, "no match")
            continue
        key = rule.key(run.fields)
        exceeded = counters[rule.name].exceeded(key, run.at, matched is True and here)
        if exceeded is False:
            run.note(rule, "counted")
        elif rule.rule.action in STOPPING:
            because = "" if exceeded is True else _why_limit_unknown(run, rule, matched, key, skipper)
            if run.end(stop_of(rule, 429, because), exceeded):
                return
        else:
            run.note(rule, rule.rule.action, "rate limit exceeded")


def _count_request(run: Run, rule: Compiled, matched: Answer, counters: Counters, here: bool) -> None:
    if rule.counts_responses or rule.key is None or _counts_at_origin(rule):
        return
    counted = matched if rule.counting is None else rule.counting(run.fields)
    if counted is not False:
        counters.count(rule.key(run.fields), run.at, counted is True and here)


def _counts_at_origin(rule: Compiled) -> bool:
    return rule.rule.ratelimit is not None and rule.rule.ratelimit.requests_to_origin


def _why_limit_unknown(run: Run, rule: Compiled, matched: Answer, key: tuple[Any, ...], skipper: str | None) -> str:
    if skipper:
        return f"perhaps skipped by {skipper}"
    if matched is UNKNOWN:
        return run.why_unknown(rule)
    if UNKNOWN in key:
        return "its characteristics are not stated"
    return "not every counted request is certain"


def count_response(run: Run, rules: list[Compiled], counters: dict[str, Counters], hit: Answer) -> None:
    """Counting that waits for the answer: response fields, or only what goes to the origin."""
    if "http_ratelimit" in run.skipped:
        return
    certain = not run.maybe and "http_ratelimit" not in run.perhaps_skipped
    for rule in rules:
        at_origin = _counts_at_origin(rule)
        if rule.key is None or not (rule.counts_responses or at_origin):
            continue
        if at_origin and hit is True:
            continue
        counted = (rule.counting or rule.match)(run.fields)
        if counted is not False:
            sure = counted is True and certain and not (at_origin and hit is UNKNOWN)
            counters[rule.name].count(rule.key(run.fields), run.at, sure)


def managed(run: Run, rules: list[Compiled]) -> None:
    """Nobody outside Cloudflare can run its managed rules: what reaches them is unknown."""
    if "http_request_firewall_managed" in run.skipped:
        return
    skipper = run.perhaps_skipped.get("http_request_firewall_managed")
    excepted: set[str] = set()
    for rule, answer in run.matches(rules):
        parameters = rule.parameters
        if rule.rule.action == "skip":
            if skip(run, rule, answer):
                return
            if answer is True:
                excepted.update(map(str, parameters.get("rulesets") or []))
        elif rule.rule.action == "execute":
            _execute(run, rule, excepted, skipper)
        elif rule.rule.action in STOPPING:
            why = f"perhaps skipped by {skipper}" if skipper else run.why_unknown(rule)
            if run.end(stop_of(rule, 403, why), UNKNOWN if skipper else answer):
                return


def _execute(run: Run, rule: Compiled, excepted: set[str], skipper: str | None) -> None:
    ruleset = str(rule.parameters.get("id", ""))
    name = MANAGED_RULESETS.get(ruleset, f"managed ruleset {ruleset}")
    if ruleset in excepted or _harmless(rule.parameters):
        run.note(rule, "execute", f"{name}: stops nothing here")
    elif run.request.managed_pass:
        run.note(rule, "execute", f"{name}: taken to pass, as the case says")
    else:
        why = f"managed: {name}" + (f", perhaps skipped by {skipper}" if skipper else "")
        run.end(Stop(rule.name, "execute", phase=rule.phase, because=why), UNKNOWN)


def _harmless(parameters: Mapping[str, Any]) -> bool:
    """Overridden as a whole to log or to nothing, with no finer override that could stop a request."""
    overrides = parameters.get("overrides")
    if not isinstance(overrides, Mapping) or overrides.get("categories") or overrides.get("rules"):
        return False
    return overrides.get("enabled") is False or overrides.get("action") == "log"


_SBFM = "http_request_sbfm"


def bots(run: Run, zone: Zone) -> None:
    """Bot Fight Mode (cannot be skipped) and Super Bot Fight Mode. Scores count only where a case states them."""
    settings = zone.bot_management
    if run.request.bots_pass:
        return
    if settings.fight_mode:
        run.end(_bot_stop("fight_mode", "managed_challenge", "bots: Bot Fight Mode"), UNKNOWN)
    decisions = {settings.sbfm_definitely_automated, settings.sbfm_likely_automated, settings.sbfm_verified_bots}
    if decisions == {"allow"} or _SBFM in run.skipped:
        return
    decision = _sbfm_decision(run, zone)
    if decision is None:
        run.end(_bot_stop("super_bot_fight_mode", "managed_challenge", "bots: Super Bot Fight Mode"), UNKNOWN)
    elif decision != "allow":
        skipper = run.perhaps_skipped.get(_SBFM)
        because = f"perhaps skipped by {skipper}" if skipper else ""
        run.end(_bot_stop("super_bot_fight_mode", decision, because, 403), UNKNOWN if skipper else True)


def _bot_stop(name: str, action: str, because: str, status: int | None = None) -> Stop:
    return Stop(f"bots:{name}", action, status, phase=_SBFM, because=because)


def _sbfm_decision(run: Run, zone: Zone) -> str | None:
    """The decision, or None where the case does not state what it hangs on."""
    settings = zone.bot_management
    verified, score = run.fields["cf.client.bot"], run.fields["cf.bot_management.score"]
    if verified is True:
        return settings.sbfm_verified_bots
    if verified is not False or not isinstance(score, int):
        return None
    if score <= 1:
        return settings.sbfm_definitely_automated
    return settings.sbfm_likely_automated if score < 30 else "allow"
