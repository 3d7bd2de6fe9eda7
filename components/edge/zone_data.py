"""The zone as data for `edgerules`: the same builders that feed the resources, so that a test of it tests the zone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.edge.bots import bot_management
from components.edge.config import EdgeSettings
from components.edge.dns import records
from components.edge.rules.zone import HandedOver, rulesets
from components.edge.zone_settings import zone_settings
from components.site import SiteSettings
from components.values import ZoneRole

URL_NORMALIZATION = {"type": "cloudflare", "scope": "both"}
"""`both`: the origin gets the path that the rules have judged, and no other spelling of it."""


def zone_of(
    settings: EdgeSettings,
    site: SiteSettings,
    ipv4: str | None = None,
    ipv6: str | None = None,
    tenants: Sequence[HandedOver] = (),
) -> dict[str, Any]:
    """Everything that decides what happens to a request, in the shape of `edgerules.zone`."""
    zone: dict[str, Any] = {
        "plan": settings.plan.value,
        "name": settings.zone,
        "records": [entry.properties() for entry in records(settings, site, ipv4, ipv6)],
    }
    if settings.role is ZoneRole.TENANT:
        return zone
    return {
        **zone,
        "settings": zone_settings(settings, site),
        "rules": rulesets(settings, site, tenants),
        "url_normalization": URL_NORMALIZATION,
        "bot_management": bot_management(settings),
        "must_pass": must_pass(settings, site),
    }


def must_pass(settings: EdgeSettings, site: SiteSettings) -> list[dict[str, Any]]:
    """Requests that no rule may ever stop: whoever locks them out breaks certificates, alarms or search."""
    known: dict[str, Any] = {"assume": {"managed": "pass", "bots": "pass"}, "country": "US", "ip": "192.0.2.7"}
    names: list[tuple[str, dict[str, Any]]] = [
        ("ACME challenge", {"url": f"http://{name}{site.acme_path.rstrip('/')}/token", "country": "SE"})
        for name in site.names
    ]
    crawler = {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}
    home = site.origins[0]
    wanted: list[tuple[str, dict[str, Any]]] = [
        *names,
        ("health check", {"url": f"https://{site.api}{settings.health.path}"}),
        ("search engine", {"url": f"{home}/", "headers": crawler, "fields": {"cf.client.bot": True}}),
        *(
            ("known address", {"url": f"https://{site.api}{path}", "ip": address.split("/")[0]})
            for address in site.admin.addresses[:1]
            for path in site.admin.paths
        ),
    ]
    return [{"name": name, "request": {**known, **request}} for name, request in wanted]
