"""Nothing travels in the clear: at the edge, to the origin, to the buckets, to the databases."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from .credentials import environment
from .documents import Statement, statements
from .frame import MEDIUM, UNJUDGED, Book, Finding, Pattern, Resource, is_true, known, must_be, of
from .kinds import (
    AWS_PROVIDER,
    BUCKET,
    BUCKET_POLICY,
    BUCKET_WEBSITE,
    CLOUDFLARE_PROVIDER,
    COMMAND,
    CONTAINER,
    HEALTHCHECK,
    HOSTNAME_TLS,
    LIST_ITEM,
    LOCAL_COMMAND,
    LOCALLY_SIGNED,
    ORIGIN_CERTIFICATE,
    PAGE_RULE,
    PRIVATE_KEY,
    PULLS,
    PULLS_SETTINGS,
    R2_CUSTOM_DOMAIN,
    RULESET,
    SELF_SIGNED,
    SERVICE,
    UNIVERSAL_SSL,
    ZONE_SETTING,
)
from .relations import by_zone, covers

book = Book("tls")

BUCKETS = BUCKET
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
LONGEST_LEAF = 398 * 24
LONGEST_ORIGIN = 730
PUBLIC_URL = Pattern(r"^http://([^/\s:@]+@)?(?P<host>\[[^\]]+\]|[^/\s:?#]+)", re.IGNORECASE)
POSTGRES_URL = Pattern(r"\b(postgres(ql)?|mysql|mongodb|redis|amqp)://[^\s\"']+", re.IGNORECASE)
WEAK_MODES = Pattern(
    r"(sslmode|ssl-mode)=(disable|allow|prefer)\b|[?&](ssl|tls)=(false|0)\b|sslaccept=accept_invalid_certs",
    re.IGNORECASE,
)
NO_TLS_VARIABLES = Pattern(
    r"^(PGSSLMODE=(disable|allow|prefer)|NODE_TLS_REJECT_UNAUTHORIZED=0|GIT_SSL_NO_VERIFY=(1|true)"
    r"|PYTHONHTTPSVERIFY=0|\w*(SSL|TLS)_?(VERIFY|REJECT_UNAUTHORIZED)=(0|false|no|off)"
    r"|\w*INSECURE_SKIP_(TLS_)?VERIFY=(1|true|yes))$",
    re.IGNORECASE,
)


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


@book.rule(
    "origin-certificate",
    [ORIGIN_CERTIFICATE],
    "A certificate that lives for fifteen years is one that nobody knows how to replace.",
    f"Set requestedValidity to at most {LONGEST_ORIGIN} days.",
    "Mozilla 6.0",
    severity=MEDIUM,
)
def origin_certificate_lives_long(resource: Resource) -> Iterator[Finding]:
    # Cloudflare's default.
    days = resource.number("requestedValidity", default=5475)
    if known(days) and days > LONGEST_ORIGIN:
        yield Finding("requestedValidity", f"it would live longer than {LONGEST_ORIGIN} days.")


@book.rule(
    "key-strength",
    [PRIVATE_KEY],
    "Short keys can be searched for, and P-224 is out of every current recommendation.",
    "Use ED25519, ECDSA with ecdsaCurve P256 or longer, or RSA with rsaBits of at least 2048.",
    "NIST SP 800-57",
)
def key_is_weak(resource: Resource) -> Iterator[Finding]:
    algorithm = resource.read("algorithm")
    bits = resource.number("rsaBits", default=2048)
    if algorithm == "RSA" and known(bits) and bits < 2048:
        yield Finding("rsaBits", "the key would be shorter than 2048 bits.")
    # The provider's default.
    if algorithm == "ECDSA" and resource.read("ecdsaCurve", default="P224") == "P224":
        yield Finding("ecdsaCurve", "P-224 is too weak.")


@book.rule(
    "certificate-lifetime",
    [SELF_SIGNED, LOCALLY_SIGNED],
    "Browsers refuse server certificates of more than 398 days, and a long one outlives the knowledge of its key.",
    "Set validityPeriodHours to at most 9552 (398 days) and earlyRenewalHours to a month.",
    "CA/Browser Forum 6.3.2",
    severity=MEDIUM,
)
def certificate_lives_long(resource: Resource) -> Iterator[Finding]:
    hours = resource.number("validityPeriodHours", default=0)
    if resource.read("isCaCertificate", default=False) is not False:
        return
    if known(hours) and hours > LONGEST_LEAF:
        yield Finding("validityPeriodHours", "it would live longer than 398 days.")


@book.rule(
    "certificate-uses",
    [SELF_SIGNED, LOCALLY_SIGNED],
    "A server's certificate that may sign others is a certificate authority on that server's disk.",
    "Remove cert_signing and crl_signing from allowedUses, or set isCaCertificate where a CA is meant.",
    "RFC 5280 4.2.1",
)
def leaf_may_sign(resource: Resource) -> Iterator[Finding]:
    if resource.read("isCaCertificate", default=False) is not False:
        return
    for path, use in resource.items("allowedUses"):
        if use in ("cert_signing", "crl_signing"):
            yield Finding(path, "a certificate that is no CA could sign others.")


@book.rule(
    "health-check",
    [HEALTHCHECK],
    "A health check over plain HTTP, or one that accepts any certificate, says healthy while visitors see an error.",
    "Set type to HTTPS and httpConfig.allowInsecure to false.",
    "own rule",
    severity=MEDIUM,
)
def health_is_checked_in_the_clear(resource: Resource) -> Iterator[Finding]:
    # Cloudflare's default is HTTP.
    if resource.read("type", default="HTTP") == "HTTP":
        yield Finding("type", "the check would be made without TLS.")
    if resource.read("httpConfig.allowInsecure", default=False) is True:
        yield Finding("httpConfig.allowInsecure", "any certificate would do.")


book.rule(
    "r2-domain",
    [R2_CUSTOM_DOMAIN],
    "A bucket's own domain takes TLS 1.0 unless it is told otherwise.",
    "Set minTls to 1.2 or 1.3.",
    "Mozilla 6.0",
)(must_be("minTls", ["1.2", "1.3"], "visitors could be held to TLS 1.0 or 1.1.", "1.0"))


@book.rule(
    "redirects",
    [RULESET, PAGE_RULE, LIST_ITEM, *BUCKET_WEBSITE],
    "A redirect to http sends visitors who were safe into the clear.",
    "Redirect to https.",
    "dev-sec nginx",
)
def redirects_to_plain_http(resource: Resource) -> Iterator[Finding]:
    paths = [f"{path}.actionParameters.fromValue.targetUrl.value" for path, _ in resource.items("rules")]
    paths += ["actions.forwardingUrl.url", "redirect.targetUrl"]
    for path in paths:
        target = resource.text(path)
        if target and target.lower().startswith("http://"):
            yield Finding(path, "visitors would be sent to plain HTTP.")
    if resource.read("redirectAllRequestsTo.protocol") == "http":
        yield Finding("redirectAllRequestsTo.protocol", "visitors would be sent to plain HTTP.")


@book.rule(
    "exceptions-at-edge",
    [RULESET, PAGE_RULE],
    "A page rule or configuration rule can undo for one path what the zone's settings promise for all.",
    "Remove ssl from the rule, or set it to strict.",
    "Prowler zone_ssl_strict",
)
def rule_weakens_tls(resource: Resource) -> Iterator[Finding]:
    paths = (
        [f"{path}.actionParameters" for path, _ in resource.items("rules")] if resource.type == RULESET else ["actions"]
    )
    for path in paths:
        if resource.read(f"{path}.ssl", default="strict") not in ("strict", UNJUDGED):
            yield Finding(f"{path}.ssl", "for these requests the origin's certificate would not be verified.")
        if resource.read(f"{path}.automaticHttpsRewrites") in (False, "off"):
            yield Finding(f"{path}.automaticHttpsRewrites", "these pages would load parts of themselves without TLS.")


@book.rule(
    "providers",
    [AWS_PROVIDER, CLOUDFLARE_PROVIDER],
    "A provider that does not verify TLS hands its credentials to whoever is on the way.",
    "Remove insecure, and write endpoints and base addresses with https.",
    "OWASP A02",
    severity=MEDIUM,
)
def provider_talks_in_the_clear(resource: Resource) -> Iterator[Finding]:
    if is_true(resource.read("insecure", default=False)):
        yield Finding("insecure", "certificates of AWS would not be checked.")
    for name in ("endpoints", "baseUrl"):
        text = resource.text(name) or ""
        if any(not _is_near(host) for host in re.findall(r"http://(\[[^\]]+\]|[^/\s:\"]+)", text)):
            yield Finding(name, "credentials would travel over plain HTTP.")


@book.rule(
    "database-address",
    [CONTAINER, SERVICE, COMMAND, LOCAL_COMMAND],
    "A database on another machine that is reached without TLS sends its password and all data in the clear.",
    "Ask for verification: sslmode=verify-full (or require), rediss://, amqps://, tls=true.",
    "CIS PostgreSQL 6.8",
)
def database_is_reached_in_the_clear(resource: Resource) -> Iterator[Finding]:
    for path, _, value in environment(resource):
        if any(_is_plain_database(match.group()) for match in POSTGRES_URL.finditer(value)):
            yield Finding(path, "the database would be reached without TLS.")


def _is_plain_database(url: str) -> bool:
    scheme, _, rest = url.partition("://")
    authority, _, query = rest.partition("?")
    host = authority.rpartition("@")[2].partition("/")[0]
    host = host if host.startswith("[") else host.partition(":")[0]
    if WEAK_MODES.search(f"?{query}"):
        return not _is_near(host)
    encrypted = re.search(
        r"(sslmode|ssl-mode)=(require|verify|required)|[?&](ssl|tls)=(true|1)", f"?{query}", re.IGNORECASE
    )
    return not _is_near(host) and not encrypted and not scheme.lower().endswith("+srv")


@book.rule(
    "verification-off",
    [CONTAINER, SERVICE, COMMAND, LOCAL_COMMAND],
    "A program that does not check certificates talks to whoever answers.",
    "Remove the variable, and give the program the certificate authority that it lacks.",
    "OWASP A02",
    "CKV2_DOCKER_6",
)
def program_checks_nothing(resource: Resource) -> Iterator[Finding]:
    for path, name, value in environment(resource):
        if NO_TLS_VARIABLES.match(f"{name}={value}"):
            yield Finding(path, "certificates would not be checked.")


@book.rule(
    "plain-addresses",
    [CONTAINER, SERVICE],
    "What a program calls over plain HTTP on another machine, anyone on the way can read and answer.",
    "Write the address with https.",
    "OWASP A02",
    severity=MEDIUM,
)
def program_calls_plain_http(resource: Resource) -> Iterator[Finding]:
    for path, _, value in environment(resource):
        match = PUBLIC_URL.match(value)
        if match and not _is_near(match.group("host")):
            yield Finding(path, "another machine would be called over plain HTTP.")


def _is_near(host: str) -> bool:
    """This machine, its containers (names without a dot) and private networks."""
    name = host.strip("[]").lower()
    try:
        return ipaddress.ip_address(name).is_private
    except ValueError:
        return "." not in name or name.endswith((".internal", ".local", ".localhost", ".svc"))


RULES = book.rules
