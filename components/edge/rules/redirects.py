"""Redirects: to https, and from the name that is not the site's own to the one that is."""

from __future__ import annotations

from components.edge.rules.words import PATH, Rule, quote, rule, starts
from components.site import NeuropilotSite, SiteSettings

PERMANENT = 301


def to_https(site: SiteSettings) -> Rule:
    """For every name of the zone. First, because preload lists want http://apex to lead to https://apex itself."""
    # A certificate authority asks over plain HTTP and must not need the certificate that it is about to issue.
    expression = f"not ssl and not {starts(site.acme_path, PATH)}"
    return _redirect("https", "To https, but for the ACME challenge", expression, "http.host")


def to_canonical(site: SiteSettings) -> Rule:
    """Neurmatic lives on the apex, NeuroPilot on www."""
    alias, target = (site.apex, site.www) if isinstance(site, NeuropilotSite) else (site.www, site.apex)
    expression = f"ssl and http.host eq {quote(alias)}"
    return _redirect("canonical-name", f"{alias} leads to {target}", expression, quote(target))


def _redirect(ref: str, description: str, expression: str, host: str) -> Rule:
    value = {
        "status_code": PERMANENT,
        "target_url": {"expression": f'concat("https://", {host}, http.request.uri)'},
        # http.request.uri brings the query along already.
        "preserve_query_string": False,
    }
    return rule(ref, description, expression, "redirect", action_parameters={"from_value": value})
