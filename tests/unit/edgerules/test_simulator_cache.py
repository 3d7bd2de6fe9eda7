"""The cache decision and its TTL."""

from __future__ import annotations

from typing import Any

import pytest
from edge_support import bare, edge, rule, send

from edgerules.language import UNKNOWN
from edgerules.simulator import Cached


def cache(ref: str, expression: str, **parameters: Any) -> dict[str, Any]:
    return rule(ref, expression, "set_cache_settings", action_parameters=parameters)


def decide(request: str | dict[str, Any], *rules: dict[str, Any], **parts: Any) -> Cached:
    outcome = send(edge(http_request_cache_settings=list(rules), **parts), request)
    assert outcome.cache is not None
    return outcome.cache


def test_the_last_matching_rule_wins_for_each_setting() -> None:
    """docs: cache/how-to/cache-rules/order."""
    override = {"mode": "override_origin", "default": 3600}
    images = cache("images", 'starts_with(http.request.uri.path, "/images")', cache=True, edge_ttl=override)
    bypass = cache("bypass", 'http.host eq "example.com"', cache=False)
    assert decide("/images/a.png", images, bypass).eligible is False
    assert decide("/images/a.png", bypass, images).edge_ttl == 3600
    browser = cache("browser", "true", browser_ttl={"mode": "override_origin", "default": 10})
    both = decide("/images/a.png", images, browser)
    assert (both.edge_ttl, both.browser_ttl, both.rules) == (3600, 10, ["images", "browser"])


@pytest.mark.parametrize(
    ("path", "eligible"),
    [
        ("/app.js", True),
        ("/APP.JS", True),
        ("/robots.txt", True),
        ("/", False),
        ("/page.html", False),
        ("/a.json", False),
    ],
)
def test_by_default_only_known_extensions_are_stored(path: str, eligible: bool) -> None:
    assert decide(path).eligible is eligible


@pytest.mark.parametrize(
    ("status", "ttl"), [(200, 7200), (206, 7200), (301, 7200), (302, 1200), (404, 180), (500, None), (403, None)]
)
def test_default_ttl_by_status(status: int, ttl: int | None) -> None:
    assert decide(f"/a.js --status {status}").edge_ttl == ttl


@pytest.mark.parametrize(
    ("headers", "ttl"),
    [
        ({"cache-control": "max-age=60"}, 60),
        ({"cache-control": "public, max-age=60, s-maxage=90"}, 90),
        ({"cache-control": "private, max-age=60"}, None),
        ({"cache-control": "no-store"}, None),
        ({"cache-control": "max-age=0"}, 0),
        ({"cache-control": "no-cache"}, 0),
        ({"set-cookie": "a=b"}, None),
        ({"expires": "Thu, 01 Jan 2099 00:00:00 GMT"}, UNKNOWN),
    ],
)
def test_the_origin_decides_unless_overridden(headers: dict[str, str], ttl: Any) -> None:
    request = {"path": "/a.js", "origin": {"status": 200, "headers": headers}}
    assert decide(request).edge_ttl == ttl
    override = cache("o", "true", cache=True, edge_ttl={"mode": "override_origin", "default": 5})
    assert decide(request, override).edge_ttl == 5


def test_bypass_by_default_needs_the_origins_word() -> None:
    follow = cache("f", "true", cache=True, edge_ttl={"mode": "bypass_by_default"})
    assert decide("/api", follow).eligible is False
    told = {"path": "/api", "origin": {"headers": {"cache-control": "max-age=300"}}}
    assert decide(told, follow).edge_ttl == 300


def test_ttl_by_status_code() -> None:
    """docs: cache/how-to/configure-cache-status-code, the API example."""
    ttl = [
        {"status_code_range": {"to": 299}, "value": 86400},
        {"status_code_range": {"from": 300, "to": 499}, "value": 0},
        {"status_code_range": {"from": 500}, "value": -1},
    ]
    by_code = cache("c", "true", cache=True, edge_ttl={"mode": "respect_origin", "status_code_ttl": ttl})
    assert [decide(f"/ --status {status}", by_code).edge_ttl for status in (200, 404, 500)] == [86400, None, None]


def test_authorization_needs_permission_to_be_stored() -> None:
    """docs: cache/concepts/cache-control, conditions."""
    bearer = {"path": "/a.js", "headers": {"authorization": "Bearer x"}}
    plain = {**bearer, "origin": {"headers": {"cache-control": "max-age=60"}}}
    public = {**bearer, "origin": {"headers": {"cache-control": "public, max-age=60"}}}
    assert (decide(plain).edge_ttl, decide(public).edge_ttl) == (None, 60)
    override = cache("o", "true", cache=True, edge_ttl={"mode": "override_origin", "default": 5})
    assert decide(plain, override).edge_ttl is UNKNOWN


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_only_reading_is_stored(method: str) -> None:
    everything = cache("all", "true", cache=True, edge_ttl={"mode": "override_origin", "default": 5})
    assert decide(f"{method} /a.js", everything).eligible is False


def test_without_an_answer_the_decision_is_open() -> None:
    outcome = edge().send(bare("/a.js"))
    assert outcome.cache is not None
    assert (outcome.cache.eligible, outcome.cache.edge_ttl, outcome.cache.status) == (UNKNOWN, UNKNOWN, None)


def test_uncertain_cache_rules_leave_the_setting_open() -> None:
    assert decide("/a.js", cache("bot", "cf.client.bot", cache=False)).eligible is UNKNOWN


def test_development_mode_stores_nothing() -> None:
    assert decide("/a.js", settings={"development_mode": "on"}).eligible is False
