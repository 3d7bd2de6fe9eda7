"""Headers of every answer. `set` replaces what the origin sent: a header is there once, whoever else sets it."""

from __future__ import annotations

from components.edge.headers import HSTS, security_headers
from components.edge.rules.words import Rule, one_of, quote, rule
from components.site import SiteSettings

REQUESTING = 'http.request.headers["origin"][0]'
CORS_GRANTS = (
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Access-Control-Max-Age",
)


def host_rules(site: SiteSettings) -> list[Rule]:
    """The origin grants CORS from the same list. Here it is done again for what never reached it (429, 403) and for
    copies from the cache, which were made for somebody else's request.
    """
    return [_security(site), _grant(site), _refuse(site)]


def _security(site: SiteSettings) -> Rule:
    # The zone's own setting says HSTS.
    values = {name: value for name, value in security_headers(site).items() if name != HSTS}
    headers = {name: {"operation": "set", "value": value} for name, value in values.items()}
    headers["X-Powered-By"] = {"operation": "remove"}
    hosts = one_of("http.host", site.names)
    return rule("security-headers", "Security headers", hosts, "rewrite", action_parameters={"headers": headers})


def _grant(site: SiteSettings) -> Rule:
    cors = site.cors
    headers = {
        "Access-Control-Allow-Origin": {"operation": "set", "expression": REQUESTING},
        "Access-Control-Allow-Methods": {"operation": "set", "value": ", ".join(cors.methods)},
        "Access-Control-Max-Age": {"operation": "set", "value": str(cors.max_age)},
    }
    if cors.credentials:
        headers["Access-Control-Allow-Credentials"] = {"operation": "set", "value": "true"}
    expression = f"http.host eq {quote(site.api)} and {one_of(REQUESTING, site.origins)}"
    return rule("cors-grant", "Known origins may read", expression, "rewrite", action_parameters={"headers": headers})


def _refuse(site: SiteSettings) -> Rule:
    """Whatever the application says: an origin that is not on the list gets no grant."""
    headers = {name: {"operation": "remove"} for name in CORS_GRANTS}
    expression = f"http.host eq {quote(site.api)} and not {one_of(REQUESTING, site.origins)}"
    words = "Unknown origins get no grant"
    return rule("cors-refuse", words, expression, "rewrite", action_parameters={"headers": headers})
