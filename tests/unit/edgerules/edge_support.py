"""Zones in one line, for tests."""

from __future__ import annotations

from typing import Any

from edgerules.cases.requests import build
from edgerules.simulator import Edge, Outcome, Request
from edgerules.zone import Document, Zone
from edgerules.zone import build as build_zone

CUSTOM, LIMITS, CACHE = "http_request_firewall_custom", "http_ratelimit", "http_request_cache_settings"
REDIRECT, REWRITE, MANAGED = (
    "http_request_dynamic_redirect",
    "http_request_transform",
    "http_request_firewall_managed",
)
ANSWER = "http_response_headers_transform"


def rule(ref: str, expression: str, action: str = "block", **more: Any) -> dict[str, Any]:
    return {"ref": ref, "expression": expression, "action": action, **more}


def zone(plan: str = "enterprise", /, **parts: Any) -> Zone:
    """Phases and other parts of a zone by keyword."""
    phases = {name: value for name, value in parts.items() if name.startswith("http_")}
    rest = {name: value for name, value in parts.items() if name not in phases}
    return build_zone(Document("zone", {"plan": plan, "rules": phases, **rest}))


def edge(**parts: Any) -> Edge:
    return Edge(zone(**parts))


def send(edge: Edge, line: str | dict[str, Any], at: float = 0.0) -> Outcome:
    defaults = {"host": "example.com", "ip": "198.51.100.7", "country": "DE", "origin": {"status": 200}}
    return edge.send(build(line, defaults), at)


def bare(line: str | dict[str, Any]) -> Request:
    """A request without the defaults of `send`: no address, no country, no answer of the origin."""
    return build(line, {"host": "example.com"})
