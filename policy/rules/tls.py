"""Nothing travels in the clear: at the edge, to the origin, to the buckets, to the databases."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .documents import Statement, statements
from .frame import MEDIUM, UNJUDGED, Book, Finding, Pattern, Resource, known, must_be, of
from .kinds import (
    BUCKET,
    BUCKET_POLICY,
    HOSTNAME_TLS,
    PULLS,
    PULLS_SETTINGS,
    RULESET,
    UNIVERSAL_SSL,
    ZONE_SETTING,
)
from .relations import by_zone, covers

book = Book("tls")

# Each zone setting with the values that keep TLS whole, and what any other value would mean.
SETTINGS: dict[str, tuple[set[str], str]] = {
    "ssl": ({"strict"}, "Cloudflare would not verify the origin's certificate."),
    "min_tls_version": ({"1.2", "1.3"}, "visitors could be held to TLS 1.0 or 1.1."),
    "tls_1_3": ({"on", "zrt"}, "TLS 1.3 would be off."),
    "automatic_https_rewrites": ({"on"}, "pages would load parts of themselves without TLS."),
}
# A zone that sets any of its settings has to set these: Cloudflare's own defaults are weaker.
NEEDED_SETTINGS = ("ssl", "min_tls_version", "security_header")
WEAK_CIPHER = Pattern(r"(RC4|3DES|DES-CBC|MD5|NULL|EXPORT|AES(128|256)-(SHA|SHA256|GCM-SHA256|GCM-SHA384)$|-SHA$)")
HALF_A_YEAR = 15_768_000


@book.rule(
    "edge-settings",
    [ZONE_SETTING],
    "Every hop from visitor to origin is encrypted and verified, or anyone on the way can read and change it.",
    "Set ssl to strict, min_tls_version to 1.2 or 1.3, and tls_1_3 and automatic_https_rewrites to on.",
    "Mozilla 6.0",
    "Prowler zone_ssl_strict",
    "Prowler zone_min_tls_version_secure",
    "Prowler zone_tls_1_3_enabled",
    "Prowler zone_automatic_https_rewrites_enabled",
)
def setting_weakens_tls(resource: Resource) -> Iterator[Finding]:
    good, consequence = SETTINGS.get(resource.text("settingId") or "", (None, ""))
    value = resource.read("value")
    if good is not None and known(value) and str(value) not in good:
        yield Finding("value", consequence)


@book.rule(
    "hsts",
    [ZONE_SETTING],
    "Without HSTS the first request of a visit goes out in plain text, and whoever answers it owns the visit.",
    "Set strict_transport_security to enabled, include_subdomains and a max_age of at least half a year.",
    "Mozilla 6.0",
    "OWASP secure headers",
    "Prowler zone_hsts_enabled",
)
def hsts_is_weak(resource: Resource) -> Iterator[Finding]:
    if resource.read("settingId") != "security_header" or not known(resource.read("value")):
        return
    # The provider's own documentation writes it in both ways.
    old = resource.read("value.strictTransportSecurity") is not None
    root = "value.strictTransportSecurity" if old else "value.strict_transport_security"
    if not known(resource.read(root)):
        return
    subdomains, age = ("includeSubdomains", "maxAge") if old else ("include_subdomains", "max_age")
    for name in ("enabled", subdomains):
        if resource.read(f"{root}.{name}", default=False) is False:
            yield Finding(f"{root}.{name}", "HSTS would not hold for the whole domain.")
    seconds = resource.number(f"{root}.{age}", default=0)
    if known(seconds) and seconds < HALF_A_YEAR:
        yield Finding(f"{root}.{age}", "browsers would forget it within half a year.")


@book.rule(
    "zero-rtt",
    [ZONE_SETTING],
    "Requests in early data can be replayed by whoever recorded them: a payment is made twice.",
    "Set 0rtt to off, unless the application refuses early data for everything that changes something.",
    "RFC 8446 8",
    severity=MEDIUM,
)
def early_data_is_on(resource: Resource) -> Iterator[Finding]:
    if resource.read("settingId") == "0rtt" and resource.read("value") == "on":
        yield Finding("value", "requests could be replayed.")


@book.rule(
    "ciphers",
    [ZONE_SETTING, HOSTNAME_TLS],
    "Old ciphers are broken, or lose all past traffic with the key.",
    "Leave ciphers to Cloudflare, or list ECDHE suites with AES-GCM and CHACHA20 only; min_tls_version 1.2 or later.",
    "Mozilla 6.0",
)
def ciphers_are_weak(resource: Resource) -> Iterator[Finding]:
    setting = resource.read("settingId")
    if setting == "ciphers":
        for path, cipher in resource.items("value"):
            if WEAK_CIPHER.search(str(cipher)) and not str(cipher).startswith(("ECDHE-", "AEAD-")):
                yield Finding(path, "this cipher suite is weak.")
    of_a_host = setting == "min_tls_version" and resource.type == HOSTNAME_TLS
    if of_a_host and resource.read("value") in ("1.0", "1.1"):
        yield Finding("value", "visitors of this host could be held to TLS 1.0 or 1.1.")


@book.relation(
    "zone-settings",
    "What a zone does not set is Cloudflare's default: TLS 1.0, no HSTS, an origin whose certificate nobody checks.",
    "Declare the zone setting.",
    "Prowler zone_ssl_strict",
    "Prowler zone_min_tls_version_secure",
    "Prowler zone_hsts_enabled",
)
def zone_lacks_a_setting(resources: list[Resource]) -> Iterator[Finding]:
    for settings in by_zone(resources, [ZONE_SETTING]).values():
        given = [setting.read("settingId") for setting in settings]
        if UNJUDGED in given:
            continue
        for name in NEEDED_SETTINGS:
            if name not in given:
                yield Finding("settingId", f"the zone's {name} would be left to its default.", settings[0].urn)


@book.relation(
    "https-redirect",
    "A name that answers plain HTTP is a name whose visitors can be sent anywhere.",
    "Set always_use_https to on, or redirect all that is `not ssl` in a dynamic redirect rule.",
    "Prowler zone_https_redirect_enabled",
    "dev-sec nginx",
)
def zone_answers_plain_http(resources: list[Resource]) -> Iterator[Finding]:
    rulesets = by_zone(resources, [RULESET])
    for zone, settings in by_zone(resources, [ZONE_SETTING]).items():
        forced = [
            s for s in settings if s.read("settingId") == "always_use_https" and s.read("value") in ("on", UNJUDGED)
        ]
        if not forced and not any(_redirects(each) for each in rulesets.get(zone, ())):
            yield Finding("always_use_https", "nothing would lead visitors from http to https.", settings[0].urn)


def _redirects(ruleset: Resource) -> bool:
    if ruleset.read("phase") != "http_request_dynamic_redirect":
        return False
    for path, _ in ruleset.items("rules"):
        expression = ruleset.read(f"{path}.expression", default="")
        on = ruleset.read(f"{path}.enabled", default=True)
        if expression is UNJUDGED or (on is not False and re.match(r"^\(*not ssl\b", str(expression))):
            return True
    return False


@book.relation(
    "buckets",
    "Without a policy that denies plain HTTP, S3 serves objects and accepts keys' signatures in the clear.",
    "Add a BucketPolicy that denies s3:* to all where aws:SecureTransport is false, on bucket and objects.",
    "AWS FSBP S3.5",
    "CIS AWS 2.1.1",
    "KICS 4bc4dd4c",
    "CKV_AWS_379",
    "Prowler s3_bucket_secure_transport_policy",
)
def bucket_accepts_plain_http(resources: list[Resource]) -> Iterator[Finding]:
    """A bucket is judged by the policies of its stack; one whose policy is unknown is counted, not passed."""
    find = covers(resources, [BUCKET_POLICY])
    for bucket in of(resources, BUCKET):
        if not any(_denies_plain_http(policy) for policy in [*find(bucket), bucket]):
            yield Finding("policy", "the bucket answers without TLS.", bucket.urn)


def _denies_plain_http(policy: Resource) -> bool:
    if policy.type in BUCKET and policy.read("policy") is None:
        return False
    if policy.read("policy") is UNJUDGED:
        return True
    return any(_is_tls_only(statement) for statement in statements(policy, "policy"))


def _is_tls_only(statement: Statement) -> bool:
    covered = statement.resources
    everything = any(arn.endswith("/*") for arn in covered) and any(not arn.endswith("/*") for arn in covered)
    given = {str(key).lower(): value for key, value in (statement.conditions.get("Bool") or {}).items()}
    return (
        not statement.allow
        and not statement.inverted
        and bool({"s3:*", "*"} & set(statement.actions))
        and statement.principals.get("AWS") == ("*",)
        and str(given.get("aws:securetransport")).lower() == "false"
        and len(statement.conditions) == 1
        and (everything or covered == ("*",))
    )


@book.rule(
    "origin-pulls",
    [PULLS_SETTINGS, PULLS],
    "Without a client certificate anyone who learns the origin's address can talk to it past the edge.",
    "Set enabled to true.",
    "Cloudflare authenticated origin pulls",
)
def origin_pulls_are_off(resource: Resource) -> Iterator[Finding]:
    paths = [f"{path}.enabled" for path, _ in resource.items("configs")] if resource.type == PULLS else ["enabled"]
    for path in paths:
        if resource.read(path, default=False) is False:
            yield Finding(path, "the origin could not tell Cloudflare from anybody else.")


book.rule(
    "universal-certificate",
    [UNIVERSAL_SSL],
    "Without an edge certificate the zone's names stop answering over TLS.",
    "Set enabled to true.",
    "Prowler zone_universal_ssl_enabled",
)(must_be("enabled", [True], "the zone's names would have no edge certificate.", True))


RULES = book.rules
