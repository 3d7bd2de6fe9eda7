"""The zone's own settings: TLS on both sides, HSTS, HTTP/3."""

from __future__ import annotations

import re
from typing import Any

from components.edge.config import EdgeSettings
from components.site import SiteSettings


def zone_settings(settings: EdgeSettings, site: SiteSettings) -> dict[str, Any]:
    """Cloudflare's `setting_id` to the value as its API answers it."""
    return {
        "ssl": "strict",
        "min_tls_version": settings.tls.minimum,
        "tls_1_3": _tls_1_3(settings),
        "0rtt": _switch(settings.tls.zero_rtt),
        "http3": _switch(settings.tls.http3),
        "automatic_https_rewrites": "on",
        # It would redirect the ACME challenge as well: a redirect rule that exempts it stands in its place.
        "always_use_https": "off",
        "websockets": "on",
        "security_header": {"strict_transport_security": hsts(site.headers.strict_transport_security)},
    }


def hsts(header: str | None) -> dict[str, Any]:
    """The header's text as Cloudflare's switches. `nosniff` stays off: a rule sets that header, and once is enough."""
    parts = [part.strip().lower() for part in (header or "").split(";")]
    age = next((found[1] for part in parts if (found := re.fullmatch(r'max-age="?([0-9]+)"?', part))), "0")
    return {
        "enabled": bool(header),
        "max_age": int(age),
        "include_subdomains": "includesubdomains" in parts,
        "preload": "preload" in parts,
        "nosniff": False,
    }


def _tls_1_3(settings: EdgeSettings) -> str:
    """With 0-RTT the API answers `zrt` for what was written as `on`: writing `on` would be a diff for ever."""
    if not settings.tls.tls_1_3:
        return "off"
    return "zrt" if settings.tls.zero_rtt else "on"


def _switch(on: bool) -> str:
    return "on" if on else "off"
