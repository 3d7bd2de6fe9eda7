"""The web firewall and the rate limits at the edge: there, switched on, and without an open door."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from .frame import CRITICAL, LOW, MEDIUM, UNJUDGED, Book, Finding, Pattern, Resource, known
from .kinds import FIREWALL_RULE, RULESET, ZONE_SETTING
from .relations import by_zone

# The same subject as names and settings, in a file of its own.
book = Book("edge")

CUSTOM, MANAGED, LIMITS = "http_request_firewall_custom", "http_request_firewall_managed", "http_ratelimit"
CACHE, CONFIG, HEADERS = "http_request_cache_settings", "http_config_settings", "http_response_headers_transform"
FIREWALL_PHASES = (CUSTOM, MANAGED, LIMITS)
MANAGED_RULESETS = {"efb7b8c949ac4650a09736fc376e9aee", "77454fe2d30c4220b5701f6fdfb893ba"}
FREE_RULESET = "77454fe2d30c4220b5701f6fdfb893ba"
OWASP_RULESET = "4814384a9e5d4991b9815dcfc25d2f1f"
PERIODS = (10, 60, 120, 300, 600, 3600, 14400, 86400)
ALWAYS = Pattern(r"^\(*\s*(true|1 eq 1|not false|http\.host ne \"\"|ip\.src in \{\s*0\.0\.0\.0/0.*\})\s*\)*$")
AUTHENTICATION = Pattern(r"log-?in|sign-?in|auth|session|password|token", re.IGNORECASE)
# What a visitor says of itself, and can say as it likes.
SPOOFABLE = Pattern(r"http\.(user_agent|referer|cookie|x_forwarded_for)|http\.request\.(headers|cookies|uri\.args)")
RELIABLE = Pattern(
    r"ip\.(src|geoip)|cf\.(tls|bot|verified|client|threat)|http\.(host|request\.(uri(\.path)?|method))\b(?!\.args)"
)
KEPT_HEADERS = ("strict-transport-security", "x-content-type-options", "x-frame-options", "content-security-policy")


def rules_of(resource: Resource, *phases: str) -> Iterator[str]:
    """The paths of a ruleset's rules, if it is of one of these phases."""
    if resource.read("phase") in phases:
        for path, _ in resource.items("rules"):
            yield path


@book.rule(
    "no-open-door",
    [RULESET],
    "A skip rule that matches everything switches the firewall off without saying so.",
    "Narrow the expression to the requests that are meant.",
    "Prowler zone_firewall_blocking_rules_configured",
    severity=CRITICAL,
)
def rule_lets_everything_through(resource: Resource) -> Iterator[Finding]:
    for path in rules_of(resource, *FIREWALL_PHASES):
        expression = resource.read(f"{path}.expression")
        if resource.read(f"{path}.action") in ("skip", "allow") and _is_always_true(expression):
            yield Finding(f"{path}.expression", "every request would skip the firewall.")


def _is_always_true(expression: object) -> bool:
    return isinstance(expression, str) and bool(ALWAYS.match(expression.strip()))


@book.rule(
    "spoofable-skip",
    [RULESET],
    "A rule that lets requests through for what they say of themselves lets everyone through who says it.",
    "Compare something that the visitor cannot choose as well: ip.src, or a secret that the origin checks.",
    "OWASP A01",
)
def skip_can_be_talked_into(resource: Resource) -> Iterator[Finding]:
    for path in rules_of(resource, *FIREWALL_PHASES):
        expression = resource.text(f"{path}.expression")
        spoofable = expression and SPOOFABLE.search(expression) and not RELIABLE.search(expression)
        if spoofable and resource.read(f"{path}.action") in ("skip", "allow"):
            yield Finding(f"{path}.expression", "whoever sends the right header would skip the firewall.")


@book.rule(
    "rule-refs",
    [RULESET],
    "Rules without a ref get new ids when one is inserted: their events and exceptions no longer match.",
    "Give every rule a stable ref.",
    "pulumi-cloudflare#939",
    severity=LOW,
)
def rule_has_no_ref(resource: Resource) -> Iterator[Finding]:
    for path, _ in resource.items("rules"):
        ref = resource.read(f"{path}.ref")
        if ref is not UNJUDGED and not ref:
            yield Finding(f"{path}.ref", "Cloudflare would number the rule anew at each change.")


@book.rule(
    "rule-enabled",
    [RULESET],
    "A firewall rule that is switched off looks in every list like one that is at work.",
    "Set enabled to true, or remove the rule.",
    "Prowler zone_waf_enabled",
)
def rule_is_off(resource: Resource) -> Iterator[Finding]:
    for path in rules_of(resource, *FIREWALL_PHASES):
        # Cloudflare's default is true.
        if resource.read(f"{path}.enabled", default=True) is False:
            yield Finding(f"{path}.enabled", "the rule would do nothing.")


@book.rule(
    "only-logging",
    [RULESET],
    "Rules that only log protect nobody, and few read the log.",
    "Set action to block or managed_challenge.",
    "Prowler zone_firewall_blocking_rules_configured",
)
def rules_only_log(resource: Resource) -> Iterator[Finding]:
    actions = [resource.read(f"{path}.action") for path in rules_of(resource, CUSTOM, LIMITS)]
    if actions and all(action in ("log", "skip") for action in actions):
        yield Finding("rules", "none of the rules would stop a request.")


@book.rule(
    "managed-overrides",
    [RULESET],
    "An override can switch a managed ruleset off and leave it standing there.",
    "Override single rules by id, and only the ones that stopped real visitors.",
    "Prowler zone_waf_enabled",
    "Prowler zone_waf_owasp_ruleset_enabled",
)
def managed_rules_are_weakened(resource: Resource) -> Iterator[Finding]:
    for path in rules_of(resource, MANAGED):
        overrides = f"{path}.actionParameters.overrides"
        if resource.read(f"{overrides}.enabled") is False:
            yield Finding(f"{overrides}.enabled", "the managed rules would be off.")
        if resource.read(f"{overrides}.action") == "log":
            yield Finding(f"{overrides}.action", "the managed rules would only log.")
        expression = resource.read(f"{path}.expression", default="true")
        if resource.read(f"{path}.action") == "skip" and _is_always_true(expression):
            yield Finding(f"{path}.action", "every request would skip the managed rules.")


@book.relation(
    "firewall",
    "The managed rules stop what is attacked this week; a zone without them waits for its own authors.",
    "Execute Cloudflare's managed ruleset in the phase http_request_firewall_managed.",
    "Prowler zone_waf_enabled",
    "OWASP A06",
)
def zone_has_no_firewall(resources: list[Resource]) -> Iterator[Finding]:
    for settings, executed in _executed(resources):
        if not MANAGED_RULESETS & executed and UNJUDGED not in executed:
            yield Finding("rules", "the zone would run without Cloudflare's managed rules.", settings.urn)


@book.relation(
    "owasp",
    "The OWASP core rules see kinds of attack, where the managed ones know single ones.",
    "Execute the OWASP ruleset as well (on the free plan there is none).",
    "Prowler zone_waf_owasp_ruleset_enabled",
    "OWASP core rule set",
    severity=MEDIUM,
)
def zone_has_no_core_rules(resources: list[Resource]) -> Iterator[Finding]:
    for settings, executed in _executed(resources):
        if not {OWASP_RULESET, FREE_RULESET, UNJUDGED} & executed:
            yield Finding("rules", "the zone would run without the OWASP core rules.", settings.urn)


def _executed(resources: list[Resource]) -> Iterator[tuple[Resource, set[object]]]:
    """For each zone that this stack owns, the managed rulesets that are at work."""
    rulesets = by_zone(resources, [RULESET])
    for zone, settings in by_zone(resources, [ZONE_SETTING]).items():
        found: set[object] = set()
        for ruleset in rulesets.get(zone, ()):
            for path in rules_of(ruleset, MANAGED):
                on = ruleset.read(f"{path}.enabled", default=True) is not False
                if on and ruleset.read(f"{path}.action") == "execute":
                    found.add(ruleset.read(f"{path}.actionParameters.id"))
        yield settings[0], found


@book.rule(
    "rate-limit",
    [RULESET],
    "A rate limit that Cloudflare refuses, or that never counts, is found out at the first attack.",
    "Give period, requestsPerPeriod, mitigationTimeout and characteristics with cf.colo.id and one visitor's mark.",
    "Prowler zone_rate_limiting_enabled",
    "Cloudflare rate limiting parameters",
)
def limit_never_counts(resource: Resource) -> Iterator[Finding]:
    for rule in rules_of(resource, LIMITS):
        path = f"{rule}.ratelimit"
        if resource.read(path) is None:
            yield Finding(path, "the rule has no limit.")
        elif known(resource.read(path)):
            yield from _limit_problems(resource, path)


def _limit_problems(resource: Resource, path: str) -> Iterator[Finding]:
    marks = {str(mark) for _, mark in resource.items(f"{path}.characteristics")}
    if resource.size(f"{path}.characteristics") == len(marks) and ("cf.colo.id" not in marks or len(marks) < 2):
        yield Finding(f"{path}.characteristics", "it needs cf.colo.id and what tells visitors apart.")
    if {"ip.src", "cf.unique_visitor_id"} <= marks:
        yield Finding(f"{path}.characteristics", "ip.src and cf.unique_visitor_id exclude each other.")
    period = resource.number(f"{path}.period")
    if known(period) and period not in PERIODS:
        yield Finding(f"{path}.period", "Cloudflare has no such period.")
    for name, least in (("requestsPerPeriod", 1), ("mitigationTimeout", 0)):
        value = resource.number(f"{path}.{name}", default=-1)
        if known(value) and value < least and resource.read(f"{path}.scorePerPeriod") is None:
            yield Finding(f"{path}.{name}", "the limit would never hold.")


@book.relation(
    "authentication-limit",
    "Without a limit on login and registration passwords are tried by the million.",
    "Declare a rate limit (phase http_ratelimit) whose expression covers the paths of authentication.",
    "Prowler zone_rate_limiting_enabled",
    "OWASP A07",
    severity=CRITICAL,
)
def logins_are_unlimited(resources: list[Resource]) -> Iterator[Finding]:
    rulesets = by_zone(resources, [RULESET])
    for zone, settings in by_zone(resources, [ZONE_SETTING]).items():
        if not any(_limits_logins(ruleset) for ruleset in rulesets.get(zone, ())):
            yield Finding("rules", "logins could be tried without end.", settings[0].urn)


def _limits_logins(ruleset: Resource) -> bool:
    for path in rules_of(ruleset, LIMITS):
        expression = ruleset.read(f"{path}.expression", default="")
        on = ruleset.read(f"{path}.enabled", default=True) is not False
        covered = expression is UNJUDGED or AUTHENTICATION.search(str(expression)) or _is_always_true(expression)
        if on and covered and ruleset.read(f"{path}.action") not in ("log", None):
            return True
    return False


@book.relation(
    "one-ruleset",
    "Cloudflare keeps one ruleset for each phase of a zone: of two, one undoes the other at every update.",
    "Put all rules of a phase into one Ruleset.",
    "pulumi-cloudflare#782",
)
def phase_is_written_twice(resources: list[Resource]) -> Iterator[Finding]:
    for rulesets in by_zone(resources, [RULESET]).values():
        counted: Counter[str] = Counter()
        for ruleset in rulesets:
            phase, kind = ruleset.read("phase"), ruleset.read("kind", default="zone")
            if known(phase) and kind == "zone":
                counted[str(phase)] += 1
                if counted[str(phase)] == 2:
                    yield Finding("phase", "another ruleset of the same zone has this phase.", ruleset.urn)


@book.rule(
    "cached-secrets",
    [RULESET],
    "A cache that keeps what one visitor was shown when logged in shows it to the next.",
    "Leave requests with Authorization or a cookie out of the expression, and respect the origin's headers.",
    "OWASP A01",
)
def private_answers_are_cached(resource: Resource) -> Iterator[Finding]:
    for path in rules_of(resource, CACHE):
        expression = resource.text(f"{path}.expression")
        if expression is None or resource.read(f"{path}.actionParameters.cache") is not True:
            continue
        wide = _is_always_true(expression) or re.search(r"\bapi\b|/auth|/admin|/account", expression)
        careful = "authorization" in expression and "cookie" in expression
        if wide and not careful:
            yield Finding(f"{path}.expression", "answers for single visitors would be shown to others.")


@book.rule(
    "cache-deception",
    [RULESET],
    "With /account/x.css a visitor is made to put a private page into the cache, where anyone can fetch it.",
    "Set actionParameters.cacheKey.cacheDeceptionArmor to true.",
    "Cloudflare cache deception armor",
    severity=MEDIUM,
)
def cache_can_be_deceived(resource: Resource) -> Iterator[Finding]:
    for path in rules_of(resource, CACHE):
        forced = resource.read(f"{path}.actionParameters.edgeTtl.mode") == "override_origin"
        armor = resource.read(f"{path}.actionParameters.cacheKey.cacheDeceptionArmor", default=False)
        if forced and resource.read(f"{path}.actionParameters.cache") is True and armor is False:
            yield Finding(f"{path}.actionParameters.cacheKey.cacheDeceptionArmor", "private pages could be cached.")


@book.rule(
    "config-rules",
    [RULESET],
    "A configuration rule that switches protection off does so for everyone who asks for that path.",
    "Remove securityLevel and bic from the rule.",
    "Prowler zone_browser_integrity_check_enabled",
    severity=MEDIUM,
)
def config_opens_a_door(resource: Resource) -> Iterator[Finding]:
    for path in rules_of(resource, CONFIG):
        for name, bad in (
            ("securityLevel", ("off", "essentially_off")),
            ("bic", (False,)),
            ("emailObfuscation", (False,)),
        ):
            if resource.read(f"{path}.actionParameters.{name}") in bad:
                yield Finding(f"{path}.actionParameters.{name}", "protection would be off for these requests.")


@book.rule(
    "headers-kept",
    [RULESET],
    "Browsers protect visitors only if they are told to.",
    "Leave the header, or set it to a stricter value.",
    "OWASP secure headers",
    severity=MEDIUM,
)
def security_header_is_removed(resource: Resource) -> Iterator[Finding]:
    for rule in rules_of(resource, HEADERS):
        for path, _ in resource.entries(f"{rule}.actionParameters.headers"):
            name = path.rpartition(".")[2]
            if name.lower() in KEPT_HEADERS and resource.read(f"{path}.operation") == "remove":
                yield Finding(path, "browsers would no longer be told to protect visitors.")


@book.rule(
    "cors",
    [RULESET],
    "With * and credentials, or an echo of the origin, any page may act in the visitor's name.",
    "Name the one origin.",
    "OWASP A01",
)
def any_origin_is_allowed(resource: Resource) -> Iterator[Finding]:
    for rule in rules_of(resource, HEADERS):
        path = f"{rule}.actionParameters.headers.Access-Control-Allow-Origin"
        expression = resource.read(f"{rule}.expression", default="")
        echoed = "origin" in (resource.text(f"{path}.expression") or "") and "origin" not in str(expression)
        if resource.read(f"{path}.value") == "*" or echoed:
            yield Finding(path, "any page could act in the visitor's name.")


@book.rule(
    "legacy-firewall",
    [FIREWALL_RULE],
    "The old firewall rules pass requests before the new ones see them.",
    "Write the rule into the ruleset of phase http_request_firewall_custom.",
    "own rule",
    severity=MEDIUM,
)
def legacy_rule_passes(resource: Resource) -> Iterator[Finding]:
    if resource.read("action") in ("allow", "bypass"):
        yield Finding("action", "these requests would pass the firewall.")


RULES = book.rules
