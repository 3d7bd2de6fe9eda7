"""Tell the way of one request through a zone, for people."""

from __future__ import annotations

from collections.abc import Iterator

from edgerules.language import UNKNOWN
from edgerules.simulator import ALLOWED, STOPPED, Cached, Edge, Outcome, Request, Step

_PHASES = {
    "dns": "DNS",
    "tls": "TLS",
    "settings": "zone settings",
    "http_request_dynamic_redirect": "single redirects",
    "http_request_transform": "URL rewrites",
    "http_config_settings": "configuration rules",
    "http_request_origin": "origin rules",
    "http_request_firewall_custom": "custom rules",
    "http_ratelimit": "rate limits",
    "http_request_firewall_managed": "managed rules",
    "http_request_sbfm": "bots",
    "http_request_redirect": "bulk redirects",
    "http_request_late_transform": "request headers",
    "http_request_cache_settings": "cache rules",
    "http_custom_errors": "custom errors",
    "http_response_headers_transform": "response headers",
}


def explain(edge: Edge, request: Request) -> str:
    """What every rule made of `request`, and what the visitor gets."""
    outcome = edge.send(request, trace=True)
    lines = [f"{request}", *_facts(request), *_way(outcome.steps), *_end(outcome)]
    return "\n".join(lines)


def _facts(request: Request) -> Iterator[str]:
    known = [f"ip {request.ip}" if request.ip else "ip not stated"]
    known.append(f"country {request.country}" if request.country else "country not stated")
    known.append(f"origin answers {request.origin.status}" if request.origin else "origin's answer not stated")
    yield "  " + ", ".join(known)
    yield from (f"  {name}: {', '.join(values)}" for name, values in request.headers.items())


def _way(steps: list[Step]) -> Iterator[str]:
    phase = ""
    for step in steps:
        if step.phase != phase:
            phase = step.phase
            yield _PHASES.get(phase, phase)
        mark = "-" if step.action == "no match" else "*"
        yield f"  {mark} {step.rule}: {step.action} {step.note}".rstrip()


def _end(outcome: Outcome) -> Iterator[str]:
    yield f"=> {outcome.summary()}"
    for name, text in outcome.to_origin.items():
        yield f"   to the origin: {name} = {text}"
    if outcome.cache is not None and outcome.verdict != STOPPED:
        yield f"   cache: {_cache(outcome.cache)}"
    for name, values in sorted(outcome.headers.items()):
        if isinstance(values, list) and not values:
            yield f"   {name} is removed"
        else:
            yield f"   {name}: {', '.join(values) if isinstance(values, list) else 'not known'}"
    if outcome.verdict == ALLOWED and not outcome.headers_complete:
        yield "   and whatever headers the origin sends"


def _cache(cached: Cached) -> str:
    if cached.eligible is False:
        return f"not stored ({cached.status})"
    stored = "perhaps stored" if cached.eligible is UNKNOWN else "stored"
    return f"{stored} at the edge for {_seconds(cached.edge_ttl)}, in the browser for {_seconds(cached.browser_ttl)}"


def _seconds(value: object) -> str:
    if value is UNKNOWN:
        return "an unknown time (the origin decides)"
    return "as long as the browser likes" if value is None else f"{value} s"
