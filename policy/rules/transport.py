"""What programs, certificates and providers do about TLS."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .credentials import environment
from .frame import MEDIUM, UNJUDGED, Book, Finding, Pattern, Resource, is_true, known, must_be
from .kinds import (
    AWS_PROVIDER,
    BUCKET_WEBSITE,
    CLOUDFLARE_PROVIDER,
    COMMAND,
    CONTAINER,
    HEALTHCHECK,
    LIST_ITEM,
    LOCAL_COMMAND,
    LOCALLY_SIGNED,
    ORIGIN_CERTIFICATE,
    PAGE_RULE,
    PRIVATE_KEY,
    R2_CUSTOM_DOMAIN,
    RULESET,
    SELF_SIGNED,
    SERVICE,
)
from .near import is_near

# The same subject as the edge and the buckets, in a file of its own.
book = Book("tls")

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
    authority = resource.read("isCaCertificate", default=False)
    for path, use in resource.items("allowedUses"):
        if authority is False and use in ("cert_signing", "crl_signing"):
            yield Finding(path, "a certificate that is no CA could sign others.")
        if authority is True and use in ("server_auth", "client_auth"):
            yield Finding("isCaCertificate", "a certificate that is shown to others could sign more of its kind.")


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
        if any(not is_near(host) for host in re.findall(r"http://(\[[^\]]+\]|[^/\s:\"]+)", text)):
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
        return not is_near(host)
    encrypted = re.search(
        r"(sslmode|ssl-mode)=(require|verify|required)|[?&](ssl|tls)=(true|1)", f"?{query}", re.IGNORECASE
    )
    return not is_near(host) and not encrypted and not scheme.lower().endswith("+srv")


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
        if match and not is_near(match.group("host")):
            yield Finding(path, "another machine would be called over plain HTTP.")


RULES = book.rules
