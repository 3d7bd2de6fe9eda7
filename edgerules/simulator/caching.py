"""The cache decision, and a small cache so that sequences see HIT and MISS.

Docs: cache/concepts/default-cache-behavior, cache/how-to/cache-rules/{settings,order},
cache/how-to/configure-cache-status-code (November 2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgerules.language import UNKNOWN, Unknown
from edgerules.simulator.outcome import Cached
from edgerules.simulator.program import Compiled
from edgerules.simulator.request import Origin
from edgerules.simulator.run import Answer, Run
from edgerules.zone import Zone

DEFAULT_EXTENSIONS = frozenset(
    b"7z avi avif apk bin bmp bz2 class css csv doc docx dmg ejs eot eps exe flac gif gz ico iso jar jpg jpeg "
    b"js mid midi mkv mp3 mp4 ogg otf pdf pict png ppt pptx ps rar svg svgz swf tar tif tiff ttf webm webp "
    b"woff woff2 xls xlsx zip zst".split()
)
DEFAULT_TTL = {200: 7200, 206: 7200, 301: 7200, 302: 1200, 303: 1200, 404: 180, 410: 180}

Ttl = int | Unknown | None


def settings_of(run: Run, rules: list[Compiled]) -> tuple[dict[str, Any], list[str]]:
    """The merged settings: for each one the last matching rule wins. Uncertain matches make a setting UNKNOWN."""
    merged: dict[str, Any] = {}
    names: list[str] = []
    for rule, answer in run.matches(rules):
        for name, value in rule.parameters.items():
            if answer is True:
                merged[name] = value
            elif merged.get(name) != value:
                merged[name] = UNKNOWN
        names.append(rule.name)
        run.note(rule, "set_cache_settings" if answer is True else "set_cache_settings?")
    return merged, names


def decide(run: Run, rules: list[Compiled], zone: Zone) -> Cached:
    settings, names = settings_of(run, rules)
    origin = run.request.origin
    eligible = _eligible(run, settings, zone)
    edge = _edge_ttl(run, settings, origin) if eligible is not False else None
    if edge is None and eligible is True and origin is not None:
        return Cached(False, None, _browser_ttl(settings, zone, origin), "BYPASS", names)
    if eligible is False:
        status = "BYPASS" if settings.get("cache") is False else "DYNAMIC"
        return Cached(False, None, _browser_ttl(settings, zone, origin), status, names)
    # Whether it is stored hangs on an answer that is not stated, unless a rule overrides the origin.
    stored: Answer = UNKNOWN if edge is UNKNOWN and _hangs_on_answer(settings) else eligible
    return Cached(stored, edge, _browser_ttl(settings, zone, origin), None, names)


def _hangs_on_answer(settings: Mapping[str, Any]) -> bool:
    return settings.get("cache") is not True


def _eligible(run: Run, settings: Mapping[str, Any], zone: Zone) -> Answer:
    if run.request.method not in ("GET", "HEAD"):
        return False
    if zone.settings.development_mode == "on" or zone.settings.cache_level == "bypass":
        return False
    chosen = settings.get("cache")
    if chosen is not None:
        return UNKNOWN if isinstance(chosen, Unknown) else bool(chosen)
    extension, path = run.fields["http.request.uri.path.extension"], run.fields["http.request.uri.path"]
    if isinstance(extension, Unknown):
        return UNKNOWN
    return bool(extension in DEFAULT_EXTENSIONS or path == b"/robots.txt")


def _edge_ttl(run: Run, settings: Mapping[str, Any], origin: Origin | None) -> Ttl:
    """Seconds at the edge; None: not stored; UNKNOWN: nobody can tell."""
    rule = settings.get("edge_ttl")
    if isinstance(rule, Unknown):
        return UNKNOWN
    rule = rule if isinstance(rule, Mapping) else {}
    if rule.get("status_code_ttl") and origin is not None:
        found = _status_ttl(rule["status_code_ttl"], origin.status)
        if found is not None:
            return found if found > 0 else None
    if origin is None and (rule.get("status_code_ttl") or rule.get("mode") != "override_origin"):
        return UNKNOWN
    if origin is None or rule.get("mode") == "override_origin":
        return _overridden(run, rule, origin)
    return None if _forbidden(run, origin) else _by_origin(origin, rule.get("mode") == "bypass_by_default")


def _status_ttl(entries: Any, status: int) -> int | None:
    for entry in entries if isinstance(entries, list) else []:
        reach = entry.get("status_code_range") or {}
        low, high = reach.get("from", 0), reach.get("to", 999)
        if entry.get("status_code") == status or (reach and low <= status <= high):
            value = entry.get("value")
            return {"no-store": -1, "no-cache": 0}.get(value, 0) if isinstance(value, str) else value
    return None


def _overridden(run: Run, rule: Mapping[str, Any], origin: Origin | None) -> Ttl:
    ttl = rule.get("default")
    if not isinstance(ttl, int) or _authorized(run) or (origin and origin.status not in DEFAULT_TTL):
        return UNKNOWN  # what Cloudflare does then is not documented
    return ttl if ttl > 0 else None


def _authorized(run: Run) -> bool:
    return "authorization" in run.request.headers


def _forbidden(run: Run, origin: Origin) -> bool:
    """Answers that are never stored unless a rule overrides the origin."""
    control = _directives(origin)
    if "set-cookie" in origin.headers or {"private", "no-store"} & control.keys():
        return True
    return _authorized(run) and not {"must-revalidate", "public", "s-maxage"} & control.keys()


def _by_origin(origin: Origin, strict: bool) -> Ttl:
    control = _directives(origin)
    age = control.get("s-maxage", control.get("max-age"))
    if "no-cache" in control or age == "0":
        return 0  # stored, and validated with the origin each time
    if age is not None:
        return int(age) if age.isdigit() else UNKNOWN
    if "expires" in origin.headers:
        return UNKNOWN  # a date against the virtual clock says nothing
    if strict and not control:
        return None
    return DEFAULT_TTL.get(origin.status)


def _directives(origin: Origin) -> dict[str, str]:
    text = ",".join(origin.headers.get("cache-control", ()))
    parts = (part.strip().lower().partition("=") for part in text.split(","))
    return {name: value.strip('"') for name, _, value in parts if name}


def _browser_ttl(settings: Mapping[str, Any], zone: Zone, origin: Origin | None) -> Ttl:
    rule = settings.get("browser_ttl")
    if isinstance(rule, Unknown):
        return UNKNOWN
    mode = rule.get("mode") if isinstance(rule, Mapping) else None
    if mode == "override_origin":
        ttl = rule.get("default") if isinstance(rule, Mapping) else None
        return ttl if isinstance(ttl, int) else UNKNOWN
    if mode in ("bypass", "bypass_by_default"):
        return 0 if mode == "bypass" else UNKNOWN
    if origin is None:
        return UNKNOWN
    age = _directives(origin).get("max-age", "")
    return int(age) if age.isdigit() else None


class Store:
    """What is in the cache of each data centre."""

    def __init__(self) -> None:
        self.until: dict[tuple[str, str, bytes], float] = {}

    def look_up(self, run: Run, cached: Cached, custom_key: bool) -> Answer:
        """Fill in HIT, MISS or EXPIRED; True for a hit, UNKNOWN where nobody can tell."""
        if cached.eligible is False:
            return False
        uri = run.fields["http.request.uri"]
        if cached.eligible is UNKNOWN or not isinstance(cached.edge_ttl, int) or custom_key or uri is UNKNOWN:
            return UNKNOWN
        key = (run.request.colo, run.request.authority.lower(), uri)
        until = self.until.get(key)
        if until is not None and run.at < until:
            cached.status = "HIT"
            return True
        cached.status = "MISS" if until is None else "EXPIRED"
        if not run.maybe and run.request.origin is not None:
            self.until[key] = run.at + cached.edge_ttl
        return False
