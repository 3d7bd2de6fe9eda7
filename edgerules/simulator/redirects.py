"""Redirects: Always Use HTTPS, single redirects, and bulk redirects from lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgerules.language import UNKNOWN
from edgerules.simulator.outcome import Stop
from edgerules.simulator.program import Compiled
from edgerules.simulator.run import Run
from edgerules.zone import Redirect, Zone


def always_https(run: Run, zone: Zone) -> None:
    """The zone setting acts before any rule."""
    request = run.request
    if zone.settings.always_use_https == "on" and request.scheme == "http":
        location = f"https://{request.host}{request.target}"
        run.end(Stop("setting:always_use_https", "redirect", 301, location, phase="settings"), True)


def single(run: Run, rules: list[Compiled]) -> None:
    for rule, answer in run.matches(rules):
        source = rule.parameters.get("from_value")
        if rule.rule.action != "redirect" or not isinstance(source, Mapping):
            continue
        why = run.why_unknown(rule) if answer is UNKNOWN else ""
        target = rule.values["target"](run.fields)
        location = _location(run, target, bool(source.get("preserve_query_string")))
        stop = Stop(
            rule.name,
            "redirect",
            _status(source),
            location,
            phase=rule.phase,
            because=why or ("" if location else "its target cannot be computed offline"),
        )
        if run.end(stop, answer):
            return


def _status(source: Mapping[str, Any]) -> int:
    status = source.get("status_code", 302)
    return status if isinstance(status, int) else 302


def _location(run: Run, target: Any, keep_query: bool) -> str | None:
    if not isinstance(target, bytes):
        return None
    query = run.fields["http.request.uri.query"]
    if keep_query and query is UNKNOWN:
        return None
    if keep_query and query:
        target += (b"&" if b"?" in target else b"?") + query
    return str(target, "utf-8", "surrogateescape")


def bulk(run: Run, rules: list[Compiled], zone: Zone) -> None:
    for rule, answer in run.matches(rules):
        source = rule.parameters.get("from_list")
        name = source.get("name") if isinstance(source, Mapping) else None
        entries = zone.lists.get(str(name))
        if entries is None:
            run.end(Stop(rule.name, "redirect", phase=rule.phase, because=f"list {name} not given"), UNKNOWN)
            continue
        path, query = run.fields["http.request.uri.path"], run.fields["http.request.uri.query"]
        if path is UNKNOWN or query is UNKNOWN:
            run.end(Stop(rule.name, "redirect", phase=rule.phase, because="a rewrite is uncertain"), UNKNOWN)
            continue
        url = str(path, "utf-8", "surrogateescape"), str(query, "utf-8", "surrogateescape")
        item = next((item for item in entries.redirects if _fits(run, item, url[0])), None)
        if item is None:
            continue
        why = run.why_unknown(rule) if answer is UNKNOWN else ""
        target = _bulk_target(item, *url)
        stop = Stop(rule.name, "redirect", item.status_code, target, phase=rule.phase, because=why)
        if run.end(stop, answer):
            return


def _source(item: Redirect) -> tuple[str, str, str]:
    scheme, _, rest = item.source_url.rpartition("://")
    host, slash, path = rest.partition("/")
    return scheme, host.lower(), slash + path or "/"


def _fits(run: Run, item: Redirect, path: str) -> bool:
    scheme, host, start = _source(item)
    name = run.request.host.lower()
    hosts = name == host or (item.include_subdomains and name.endswith("." + host))
    below = item.subpath_matching and path.startswith(start.rstrip("/") + "/")
    return hosts and scheme in ("", run.request.scheme) and (path == start or below)


def _bulk_target(item: Redirect, path: str, query: str) -> str:
    target = item.target_url
    if item.subpath_matching and item.preserve_path_suffix:
        suffix = path[len(_source(item)[2].rstrip("/")) :]
        target = target.rstrip("/") + suffix
    if item.preserve_query_string and query:
        target += ("&" if "?" in target else "?") + query
    return target
