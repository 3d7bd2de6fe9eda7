"""Cache rules. The last one that matches wins, setting by setting: first the refusal, then what is exempt from it."""

from __future__ import annotations

from typing import Any

from components.edge.config import EdgeSettings
from components.edge.rules.words import Rule, any_of, at_or_below, one_of, quote, rule
from components.site import NeurmaticSite, SiteSettings
from components.values import CloudflarePlan

EXTENSIONS = (
    *("avif", "css", "eot", "gif", "ico", "jpeg", "jpg", "js", "mjs", "mp4", "otf", "png", "svg", "ttf", "wasm"),
    *("webm", "webmanifest", "webp", "woff", "woff2"),
)


def host_rules(settings: EdgeSettings, site: SiteSettings) -> list[Rule]:
    api = [_api_refused(site), *([_api_reads(settings, site)] if isinstance(site, NeurmaticSite) else [])]
    return [*api, _assets(site)]


def _api_refused(site: SiteSettings) -> Rule:
    expression = f"http.host eq {quote(site.api)}"
    return rule(
        "api-uncached", "The API is not cached", expression, "set_cache_settings", action_parameters={"cache": False}
    )


def _api_reads(settings: EdgeSettings, site: NeurmaticSite) -> Rule:
    """Anonymous reads, for as long as the origin says.

    The origin's Cache-Control decides, and an answer without one is not kept: a rule that overrides it would keep
    private answers and strip Set-Cookie, and below Business cannot say five minutes at all.
    """
    conditions = (
        f"http.host eq {quote(site.api)}",
        one_of("http.request.method", ("GET", "HEAD")),
        'not len(http.request.headers["authorization"]) gt 0',
        'not len(http.request.headers["cookie"]) gt 0',
        f"not {any_of(at_or_below(path) for path in never_cached(settings, site))}",
    )
    parameters: dict[str, Any] = {
        "cache": True,
        "edge_ttl": {"mode": "bypass_by_default"},
        "browser_ttl": {"mode": "respect_origin"},
    }
    if settings.plan is CloudflarePlan.ENTERPRISE:
        # Other plans cannot put a header into the key. What depends on Origin are the grants of CORS, and those a rule
        # for response headers writes anew into every answer, from the cache or not.
        parameters["cache_key"] = {"custom_key": {"header": {"include": ["origin"]}}}
    return rule(
        "api-reads",
        "Anonymous reads of the API, as long as the origin says",
        " and ".join(conditions),
        "set_cache_settings",
        action_parameters=parameters,
    )


def never_cached(settings: EdgeSettings, site: NeurmaticSite) -> list[str]:
    """Paths of the API that no cache may answer for."""
    accounts = [path.rsplit("/", 1)[0] for path in (*site.limits.login_paths, *site.limits.registration_paths)]
    listed = [settings.health.path, *site.admin.paths, *accounts, site.websocket_path, site.acme_path]
    return [path for path in dict.fromkeys(listed) if path.strip("/")]


def _assets(site: SiteSettings) -> Rule:
    expression = (
        f"{one_of('http.host', (site.apex, site.www))} and {one_of('http.request.uri.path.extension', EXTENSIONS)}"
    )
    parameters = {
        "cache": True,
        "edge_ttl": {
            "mode": "override_origin",
            "default": site.caching.assets,
            # During a deploy a new file can be missing for a moment: that moment must not last a day.
            "status_code_ttl": [{"status_code_range": {"from": 300, "to": 599}, "value": -1}],
        },
        "browser_ttl": {"mode": "respect_origin"},
        # A page that answers under the name of a picture is not a picture.
        "cache_key": {"cache_deception_armor": True},
    }
    return rule("assets", "Static files", expression, "set_cache_settings", action_parameters=parameters)
