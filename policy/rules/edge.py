"""Every public name stands behind Cloudflare, and the firewall there has no open door."""

from __future__ import annotations

from collections.abc import Iterator

from .frame import UNJUDGED, About, Finding, Resource, Rule

RECORD = "cloudflare:index/dnsRecord:DnsRecord"
RULESET = "cloudflare:index/ruleset:Ruleset"
PROXIABLE = {"A", "AAAA", "CNAME"}
FIREWALL_PHASES = {"http_request_firewall_custom", "http_request_firewall_managed", "http_ratelimit"}


def name_shows_the_origin(resource: Resource) -> Iterator[Finding]:
    kind = resource.read("type")
    if kind not in PROXIABLE or _is_for_mail(resource):
        return
    # Cloudflare's default for proxied is false.
    if resource.read("proxied", default=False) is False:
        yield Finding("proxied", "the name would lead past Cloudflare and show the origin's address.")


def _is_for_mail(resource: Resource) -> bool:
    content = resource.read("content")
    return (
        resource.read("type") == "CNAME" and isinstance(content, str) and content.rstrip(".").endswith("sendgrid.net")
    )


def rule_lets_everything_through(resource: Resource) -> Iterator[Finding]:
    if resource.read("phase") not in FIREWALL_PHASES:
        return
    for path, _ in resource.items("rules"):
        expression = resource.read(f"{path}.expression")
        if resource.read(f"{path}.action") == "skip" and _is_always_true(expression):
            yield Finding(f"{path}.expression", "every request would skip the firewall.")


def _is_always_true(expression: object) -> bool:
    return isinstance(expression, str) and expression.strip().strip("()").strip() in ("true", "1 eq 1")


def rule_has_no_ref(resource: Resource) -> Iterator[Finding]:
    for path, _ in resource.items("rules"):
        ref = resource.read(f"{path}.ref")
        if ref is not UNJUDGED and not ref:
            yield Finding(f"{path}.ref", "Cloudflare would number the rule anew at each change.")


RULES = [
    Rule(
        About(
            "edge-proxied",
            "A name that is not proxied has no firewall and no rate limit, and tells attackers the origin's address.",
            "Set proxied to true.",
            frameworks=("Prowler dns_record_proxied",),
        ),
        (RECORD,),
        name_shows_the_origin,
    ),
    Rule(
        About(
            "edge-no-open-door",
            "A skip rule that matches everything switches the firewall off without saying so.",
            "Narrow the expression to the requests that are meant.",
            frameworks=("Prowler zone_firewall_blocking_rules_configured",),
        ),
        (RULESET,),
        rule_lets_everything_through,
    ),
    Rule(
        About(
            "edge-rule-refs",
            "Rules without a ref get new ids when one is inserted: their events and exceptions no longer match.",
            "Give every rule a stable ref.",
            frameworks=("pulumi-cloudflare#939",),
        ),
        (RULESET,),
        rule_has_no_ref,
    ),
]
