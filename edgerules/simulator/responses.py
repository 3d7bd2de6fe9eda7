"""The answer that the visitor gets: status and headers, of the origin or of the edge itself."""

from __future__ import annotations

from typing import Any

from edgerules.language import UNKNOWN
from edgerules.simulator.changes import apply_header
from edgerules.simulator.firewall import CHALLENGES
from edgerules.simulator.outcome import Stop
from edgerules.simulator.program import Compiled
from edgerules.simulator.run import Run
from edgerules.zone import Zone

_ERROR_TYPES = {"block": b"waf", "managed_challenge": b"managed_challenge", "challenge": b"legacy_challenge"}


def begin(run: Run) -> None:
    """The answer before any response rule, and the response fields that come with it."""
    stop, origin = run.stop, run.request.origin
    if stop is not None:
        run.status = stop.status
        _edge_headers(run, stop)
    elif origin is not None:
        run.status = origin.status
        run.headers = {name: list(values) for name, values in origin.headers.items()}
    else:
        run.headers_complete = False
    if run.maybe:
        _blur(run)
    _response_fields(run)


def _blur(run: Run) -> None:
    """Where the request may have been stopped earlier, the status is only known if all ends agree on it."""
    ends = {stop.status for stop in run.maybe} | {run.status}
    run.status = run.status if len(ends) == 1 else None
    run.headers_complete = False
    for name in ("location", "content-type", "cf-mitigated"):
        if name in run.headers or run.stop is None:
            run.headers[name] = UNKNOWN


def _edge_headers(run: Run, stop: Stop) -> None:
    if stop.location is not None:
        run.headers["location"] = [stop.location]
    elif stop.action == "redirect":
        run.headers["location"] = UNKNOWN
    if stop.content_type:
        run.headers["content-type"] = [stop.content_type]
    elif stop.action != "redirect":
        run.headers["content-type"] = ["text/html; charset=UTF-8"]
    if stop.action in CHALLENGES:
        run.headers["cf-mitigated"] = ["challenge"]


def _response_fields(run: Run) -> None:
    fields, stop = run.fields, run.stop
    known = run.headers_complete
    headers: Any = UNKNOWN
    if known:
        headers = {
            name.encode(): [_bytes(value) for value in values] if isinstance(values, list) else UNKNOWN
            for name, values in run.headers.items()
        }
    fields["http.response.code"] = UNKNOWN if run.status is None else run.status
    for prefix in ("", "raw."):
        fields[prefix + "http.response.headers"] = headers
        fields[prefix + "http.response.headers.names"] = list(headers) if known else UNKNOWN
    if run.maybe or (stop is None and run.status is None):
        fields["cf.response.error_type"] = UNKNOWN
    elif stop is None:
        fields["cf.response.error_type"] = b"5xx" if (run.status or 0) >= 500 else b""
    elif stop.phase == "http_ratelimit":
        fields["cf.response.error_type"] = b"ratelimit"
    else:
        fields["cf.response.error_type"] = _ERROR_TYPES.get(stop.action, b"")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def custom_errors(run: Run, rules: list[Compiled]) -> None:
    """`serve_error` replaces the answer; the first match ends the phase."""
    for rule, answer in run.matches(rules):
        if rule.rule.action != "serve_error":
            continue
        status = rule.parameters.get("status_code")
        run.note(rule, "serve_error" if answer is True else "serve_error?")
        if answer is True:
            run.status = status if isinstance(status, int) else run.status
            kind = rule.parameters.get("content_type", "text/html")
            run.headers["content-type"] = [str(kind)]
            return
        run.status = run.status if run.status == status else None


def hsts(run: Run, zone: Zone) -> None:
    """The setting `security_header`; only sent over TLS."""
    policy = zone.settings.security_header.strict_transport_security
    if not policy.enabled or run.request.scheme != "https":
        return
    parts = [f"max-age={policy.max_age}"]
    parts += ["includeSubDomains"] if policy.include_subdomains else []
    parts += ["preload"] if policy.preload else []
    run.headers["strict-transport-security"] = ["; ".join(parts)]
    if policy.nosniff:
        run.headers["x-content-type-options"] = ["nosniff"]


def transform(run: Run, rules: list[Compiled]) -> None:
    """Response header rules run in order and also change the edge's own pages."""
    for rule, answer in run.matches(rules):
        for name, change in (rule.parameters.get("headers") or {}).items():
            key, operation = name.lower(), change["operation"]
            value = rule.values[f"header:{key}"](run.fields) if operation != "remove" else None
            if isinstance(value, bytes):
                value = value.decode("utf-8", "surrogateescape")
            if operation == "add" and not run.headers_complete and key not in run.headers:
                value = UNKNOWN  # it joins whatever the origin sent
            apply_header(run.headers, key, operation, value, answer is True)
            if key not in run.headers and not run.headers_complete:
                run.headers[key] = []  # known to be absent
        run.note(rule, "rewrite" if answer is True else "rewrite?", "response headers")
