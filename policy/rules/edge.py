"""Every public name stands behind Cloudflare, and the zone's own settings are as they should be."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from .frame import LOW, MEDIUM, UNJUDGED, Book, Finding, Pattern, Resource, known, must_be
from .kinds import (
    ACCESS_RULE,
    BOTS,
    DNSSEC,
    HEALTHCHECK,
    LEAKED_CREDENTIALS,
    LIST,
    LIST_ITEM,
    LOAD_BALANCER,
    NORMALIZATION,
    PAGE_RULE,
    PAUSABLE,
    RECORD,
    ZONE_SETTING,
)
from .relations import by_zone

book = Book("edge")

PROXIABLE = ("A", "AAAA", "CNAME")
# Targets of senders and verifiers, which have to be seen as they are.
MAIL_TARGETS = (
    "sendgrid.net",
    "amazonses.com",
    "mailgun.org",
    "mcsv.net",
    "mandrillapp.com",
    "mtasv.net",
    "onmicrosoft.com",
    "acm-validations.aws",
)
SERVICE_NAME = Pattern(r"(^|\.)(_[a-z0-9-]+|[a-z0-9-]+\._domainkey)\.")
# Each zone setting with what is good, and what any other value would mean.
SETTINGS: dict[str, tuple[set[str], str]] = {
    "always_online": ({"off"}, "visitors would see old copies from an archive, errors included."),
    "browser_check": ({"on"}, "requests that no browser sends would pass unseen."),
    "development_mode": ({"off"}, "every request would go to the origin, past the cache."),
    "email_obfuscation": ({"on"}, "addresses on pages would be collected for spam."),
    "hotlink_protection": ({"on"}, "other sites would show its images at its cost."),
    "ip_geolocation": ({"on"}, "the origin would not learn the visitor's country."),
    "server_side_exclude": ({"on"}, "content meant for people would be shown to bots."),
    "security_level": ({"low", "medium", "high"}, "every visitor would pass, or every visitor would be challenged."),
}
SHORTEST_PASS, LONGEST_PASS = 900, 2700


@book.rule(
    "proxied",
    [RECORD],
    "A name that is not proxied has no firewall and no rate limit, and tells attackers the origin's address.",
    "Set proxied to true.",
    "Prowler dns_record_proxied",
)
def name_shows_the_origin(resource: Resource) -> Iterator[Finding]:
    kind = resource.read("type")
    if kind not in PROXIABLE or _is_for_services(resource):
        return
    # Cloudflare's default for proxied is false.
    if resource.read("proxied", default=False) is False:
        yield Finding("proxied", "the name would lead past Cloudflare and show the origin's address.")


def _is_for_services(resource: Resource) -> bool:
    """Records that mail servers and certificate authorities read: a proxy would hide them."""
    name, content = resource.read("name", default=""), resource.read("content", default="")
    if resource.read("type") != "CNAME" or UNJUDGED in (name, content):
        return False
    return str(content).rstrip(".").endswith(MAIL_TARGETS) or bool(SERVICE_NAME.search(str(name)))


@book.rule(
    "wildcard",
    [RECORD],
    "A wildcard answers for names that nobody planned, and takeovers and phishing hide behind them.",
    "Declare each name.",
    "Prowler dns_record_no_wildcard",
    severity=MEDIUM,
)
def name_is_a_wildcard(resource: Resource) -> Iterator[Finding]:
    if resource.read("type") in PROXIABLE and str(resource.text("name") or "").startswith("*"):
        yield Finding("name", "every name that was never declared would answer.")


@book.rule(
    "internal-address",
    [RECORD],
    "A private address in public DNS helps nobody but those who map the network.",
    "Remove the record, or name the public address.",
    "Prowler dns_record_no_internal_ip",
    severity=MEDIUM,
)
def address_is_internal(resource: Resource) -> Iterator[Finding]:
    if resource.read("type") not in ("A", "AAAA"):
        return
    try:
        address = ipaddress.ip_address(resource.text("content") or "")
    except ValueError:
        return
    if any(address in network for network in INTERNAL if network.version == address.version):
        yield Finding("content", "the address is one of a private network.")


INTERNAL = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
]


@book.rule(
    "ttl",
    [RECORD],
    "Cloudflare sets the ttl of a proxied name itself; another value is a change in every preview.",
    "Set ttl to 1.",
    "pulumi-cloudflare#669",
    severity=LOW,
)
def ttl_is_not_automatic(resource: Resource) -> Iterator[Finding]:
    if resource.read("proxied") is True and resource.read("ttl", default=1) not in (1, UNJUDGED):
        yield Finding("ttl", "it has to be 1 where the name is proxied.")


@book.rule(
    "spf",
    [RECORD],
    "An SPF record that ends in +all or ?all lets everyone send mail in the domain's name.",
    "End it in -all, or ~all while you find out who sends.",
    "Prowler zone_record_spf_exists",
    "RFC 7208",
    severity=MEDIUM,
)
def spf_allows_everyone(resource: Resource) -> Iterator[Finding]:
    text = _txt(resource)
    if text.startswith("v=spf1") and not re.search(r"\s[-~]all$|\sredirect=", text):
        yield Finding("content", "everyone could send mail in the domain's name.")


@book.rule(
    "dmarc",
    [RECORD],
    "With p=none receivers deliver forged mail as if it were real.",
    "Set p to quarantine or reject.",
    "Prowler zone_record_dmarc_exists",
    "RFC 7489",
    severity=MEDIUM,
)
def dmarc_does_nothing(resource: Resource) -> Iterator[Finding]:
    text = _txt(resource)
    if text.startswith("v=dmarc1") and not re.search(r";\s*p=(quarantine|reject)\b", text):
        yield Finding("content", "forged mail would be delivered.")


def _txt(resource: Resource) -> str:
    if resource.read("type") != "TXT":
        return ""
    return (resource.text("content") or "").strip('" ').lower()


@book.relation(
    "mail-records",
    "Without SPF and DMARC anyone can send mail in the domain's name, whether or not it sends any itself.",
    'Declare TXT records: "v=spf1 -all" (or the senders) and "v=DMARC1; p=reject" at _dmarc.',
    "Prowler zone_record_spf_exists",
    "Prowler zone_record_dmarc_exists",
    severity=MEDIUM,
)
def zone_has_no_mail_records(resources: list[Resource]) -> Iterator[Finding]:
    for settings, records in _owned_zones(resources):
        texts = [_txt(record) for record in records]
        if any(record.read("type") == "TXT" and not known(record.read("content")) for record in records):
            continue
        for start, what in (("v=spf1", "SPF"), ("v=dmarc1", "DMARC")):
            if not any(text.startswith(start) for text in texts):
                yield Finding("content", f"the zone would have no {what} record.", settings.urn)


@book.relation(
    "dkim",
    "Mail without a signature is easier to forge and ends in the spam folder.",
    "Declare the sender's DKIM records below _domainkey.",
    "Prowler zone_record_dkim_exists",
    severity=LOW,
)
def mail_is_not_signed(resources: list[Resource]) -> Iterator[Finding]:
    for settings, records in _owned_zones(resources):
        sends = any(_txt(record).startswith("v=spf1 ") and "include:" in _txt(record) for record in records)
        if sends and not any("_domainkey" in (record.text("name") or "") for record in records):
            yield Finding("name", "mail that the zone sends would not be signed.", settings.urn)


@book.relation(
    "caa",
    "Without CAA records every certificate authority of the world may issue for the domain.",
    "Declare CAA records with the authorities that are used.",
    "Prowler zone_record_caa_exists",
    "RFC 8659",
    severity=MEDIUM,
)
def zone_has_no_caa(resources: list[Resource]) -> Iterator[Finding]:
    for settings, records in _owned_zones(resources):
        if not any(record.read("type") in ("CAA", UNJUDGED) for record in records):
            yield Finding("type", "every certificate authority could issue for the domain.", settings.urn)


def _owned_zones(resources: list[Resource]) -> Iterator[tuple[Resource, list[Resource]]]:
    """Zones whose settings this stack declares; the records of others are their owner's business."""
    records = by_zone(resources, [RECORD])
    for zone, settings in by_zone(resources, [ZONE_SETTING]).items():
        if zone in records:
            yield settings[0], records[zone]


@book.rule(
    "dnssec",
    [DNSSEC],
    "Without DNSSEC whoever answers first says where the domain is.",
    "Set status to active, and give the DS record to the registrar.",
    "Prowler zone_dnssec_enabled",
    severity=MEDIUM,
)
def answers_are_not_signed(resource: Resource) -> Iterator[Finding]:
    status = resource.read("status", default="disabled")
    if known(status) and status not in ("active", "pending"):
        yield Finding("status", "answers for the domain would not be signed.")


@book.relation(
    "has-dnssec",
    "Without DNSSEC whoever answers first says where the domain is.",
    "Declare a ZoneDnssec with status active.",
    "Prowler zone_dnssec_enabled",
    severity=MEDIUM,
)
def zone_has_no_dnssec(resources: list[Resource]) -> Iterator[Finding]:
    signed = by_zone(resources, [DNSSEC])
    for zone, settings in by_zone(resources, [ZONE_SETTING]).items():
        if zone not in signed:
            yield Finding("dnssec", "answers for the domain would not be signed.", settings[0].urn)


@book.rule(
    "zone-settings",
    [ZONE_SETTING],
    "Each of these protections is one switch, and off it protects nobody.",
    "Set it to the value that its finding asks for, or leave the setting out.",
    "Prowler zone_development_mode_disabled",
    "Prowler zone_browser_integrity_check_enabled",
    "Prowler zone_email_obfuscation_enabled",
    "Prowler zone_hotlink_protection_enabled",
    "Prowler zone_challenge_passage_configured",
    "Prowler zone_always_online_disabled",
    "Prowler zone_ip_geolocation_enabled",
    "Prowler zone_security_under_attack_disabled",
    severity=MEDIUM,
)
def setting_protects_nobody(resource: Resource) -> Iterator[Finding]:
    setting, value = resource.text("settingId") or "", resource.read("value")
    if not known(value):
        return
    good, consequence = SETTINGS.get(setting, (None, ""))
    if good is not None and str(value) not in good:
        yield Finding("value", consequence)
    if setting == "challenge_ttl" and not SHORTEST_PASS <= _number(value) <= LONGEST_PASS:
        yield Finding("value", "a passed challenge would hold for less than 15 or more than 45 minutes.")


def _number(value: Any) -> float:
    return float(value) if str(value).replace(".", "", 1).isdigit() else 0


@book.rule(
    "bots",
    [BOTS],
    "Most requests to a login come from programs; without bot protection all of them are let through.",
    "Set fightMode, or on paid plans sbfmDefinitelyAutomated to block, and enableJs.",
    "Prowler zone_bot_fight_mode_enabled",
    severity=MEDIUM,
)
def bots_pass(resource: Resource) -> Iterator[Finding]:
    fight = resource.read("fightMode", default=False)
    automated = resource.read("sbfmDefinitelyAutomated", default="allow")
    if fight is False and automated == "allow":
        yield Finding("sbfmDefinitelyAutomated", "programs would pass as visitors.")
    if resource.read("enableJs", default=False) is False:
        yield Finding("enableJs", "programs that hide would not be found out.")


@book.rule(
    "page-rules",
    [PAGE_RULE],
    "A page rule that switches security off does so for everyone who asks for that path.",
    "Remove disableSecurity, waf, browserCheck and securityLevel, or set them to on.",
    "Prowler zone_waf_enabled",
)
def page_rule_opens_a_door(resource: Resource) -> Iterator[Finding]:
    for name, bad in (
        ("disableSecurity", (True,)),
        ("waf", ("off",)),
        ("browserCheck", ("off",)),
        ("securityLevel", ("off", "essentially_off")),
    ):
        if resource.read(f"actions.{name}") in bad:
            yield Finding(f"actions.{name}", "protection would be off for these pages.")


@book.rule(
    "access-rules",
    [ACCESS_RULE],
    "An address that is let in passes every rule of the firewall, and so does everyone behind it.",
    "Allow single addresses, and only where a custom rule cannot say it more exactly.",
    "own rule",
)
def whole_networks_are_let_in(resource: Resource) -> Iterator[Finding]:
    if resource.read("mode") != "whitelist":
        return
    target, value = resource.read("configuration.target"), resource.text("configuration.value") or ""
    if target in ("country", "asn") or _is_wide(value):
        yield Finding("configuration.value", "whole networks would pass every rule of the firewall.")


def _is_wide(value: str, narrowest: int = 24, narrowest6: int = 48) -> bool:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen < (narrowest if network.version == 4 else narrowest6)


@book.rule(
    "lists",
    [LIST, LIST_ITEM],
    "A list that holds half the internet makes every rule that uses it mean something else.",
    "List the addresses that are meant.",
    "own rule",
    severity=MEDIUM,
)
def list_holds_the_internet(resource: Resource) -> Iterator[Finding]:
    for path in ["ip", *(f"{item}.ip" for item, _ in resource.items("items"))]:
        if _is_wide(resource.text(path) or "", 8, 16):
            yield Finding(path, "the entry holds a large part of the internet.")


@book.rule(
    "paused",
    PAUSABLE,
    "A protection that is paused looks in every list like one that is at work.",
    "Remove paused, or remove the rule.",
    "own rule",
    severity=MEDIUM,
)
def protection_is_paused(resource: Resource) -> Iterator[Finding]:
    if resource.read("paused", default=False) is True:
        yield Finding("paused", "it would protect nobody.")


book.rule(
    "load-balancer",
    [LOAD_BALANCER],
    "A load balancer that is not proxied shows the addresses of all origins.",
    "Set proxied to true.",
    "Prowler dns_record_proxied",
)(must_be("proxied", [True], "the origins' addresses would be public.", False))

book.rule(
    "health-check",
    [HEALTHCHECK],
    "A health check that is suspended never says that the site is down.",
    "Set suspended to false.",
    "own rule",
    severity=LOW,
)(must_be("suspended", [False], "nobody would be told that the site is down.", False))

book.rule(
    "leaked-credentials",
    [LEAKED_CREDENTIALS],
    "Passwords that leaked elsewhere are tried here within hours.",
    "Set enabled to true.",
    "Cloudflare leaked credentials",
    severity=MEDIUM,
)(must_be("enabled", [True], "logins with leaked passwords would not be marked.", False))

book.rule(
    "normalization",
    [NORMALIZATION],
    "Without normalization %2e%2e and // walk past rules that compare paths.",
    "Set scope to both (or incoming), and type to cloudflare.",
    "OWASP path traversal",
    severity=MEDIUM,
)(must_be("scope", ["both", "incoming"], "paths in disguise would pass rules that compare them."))

RULES = book.rules
