"""What rules change on the way to the origin: URL rewrites, request headers, origin and configuration rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgerules.language import UNKNOWN
from edgerules.simulator.program import Compiled
from edgerules.simulator.run import Run


def normalised(run: Run) -> None:
    """With the scope `both` the origin gets the path that the rules have judged."""
    path = run.fields["http.request.uri.path"]
    if path != run.fields["raw.http.request.uri.path"]:
        run.origin_changes["path"] = _word(path)


def rewrite_url(run: Run, rules: list[Compiled]) -> None:
    """Every rule reads the URL as it came; of several that set the same part, the last one stays."""
    changed: dict[str, Any] = {}
    for rule, answer in run.matches(rules):
        for part in ("path", "query"):
            if part not in rule.values:
                continue
            value = UNKNOWN if answer is UNKNOWN else rule.values[part](run.fields)
            if part == "query" and value is None:
                value = b""
            if value is not None:
                changed[part] = value
        run.note(rule, "rewrite" if answer is True else "rewrite?", _words(changed))
    for part, value in changed.items():
        run.fields.rewrite(part, value)
        run.origin_changes[part] = _word(value)


def _words(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_word(value)}" for name, value in values.items())


def _word(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else "unknown"


def request_headers(run: Run, rules: list[Compiled]) -> None:
    if not rules:
        return
    headers = dict(run.fields["http.request.headers"])
    changed = False
    for rule, answer in run.matches(rules):
        for name, change in (rule.parameters.get("headers") or {}).items():
            key = name.lower().encode()
            value = rule.values[f"header:{name.lower()}"](run.fields) if change["operation"] != "remove" else None
            apply_header(headers, key, change["operation"], value, answer is True)
            changed = True
            run.origin_changes[f"header {name.lower()}"] = _header_word(headers.get(key))
        run.note(rule, "rewrite" if answer is True else "rewrite?", "request headers")
    if changed:
        run.fields.set_headers(headers)


def _header_word(values: Any) -> str:
    if values is None:
        return "removed"
    return ", ".join(_word(value) for value in values) if isinstance(values, list) else "unknown"


def apply_header(headers: dict[Any, Any], name: Any, operation: str, value: Any, certain: bool) -> None:
    """One header operation; an empty or missing value removes, an uncertain one makes the header unknown."""
    if not certain or value is UNKNOWN or (operation == "add" and headers.get(name) is UNKNOWN):
        headers[name] = UNKNOWN
    elif operation == "add":
        if value:
            headers[name] = [*(headers.get(name) or []), value]
    elif operation == "set" and value:
        headers[name] = [value]
    else:
        headers.pop(name, None)


def origin(run: Run, rules: list[Compiled]) -> None:
    """`route`: host header, SNI, host and port of the origin; the last match wins for each."""
    for rule, answer in run.matches(rules):
        for name, value in _flat(rule.parameters):
            run.origin_changes[name] = str(value) if answer is True else "unknown"
        run.note(rule, rule.rule.action)


def _flat(parameters: Mapping[str, Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in parameters.items():
        if isinstance(value, Mapping):
            found += [(f"{name}.{inner}", item) for inner, item in value.items()]
        else:
            found.append((name, value))
    return found


def configuration(run: Run, rules: list[Compiled]) -> None:
    for rule, _ in run.matches(rules):
        run.note(rule, rule.rule.action)
