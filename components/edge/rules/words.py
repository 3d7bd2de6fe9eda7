"""The words of rules: expressions as text, rules as the mappings of Cloudflare's API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Rule = dict[str, Any]
"""A rule of a ruleset: ref, description, expression, action, enabled, and what the action needs."""

PATH = "http.request.uri.path"
LOWER_PATH = f"lower({PATH})"
"""Servers such as Express match paths in any case: so do rules."""


def rule(ref: str, description: str, expression: str, action: str, **rest: Mapping[str, Any] | None) -> Rule:
    """`enabled` is said aloud: a default that the API fills in would be a diff."""
    given = {key: value for key, value in rest.items() if value is not None}
    return {
        "ref": ref,
        "description": description,
        "expression": expression,
        "action": action,
        "enabled": True,
        **given,
    }


def quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def one_of(field: str, values: Iterable[str]) -> str:
    listed = [quote(value) for value in values]
    return f"{field} eq {listed[0]}" if len(listed) == 1 else f"{field} in {{{' '.join(listed)}}}"


def starts(path: str, field: str = LOWER_PATH) -> str:
    return f"starts_with({field}, {quote(path.lower())})"


def at_or_below(path: str) -> str:
    """The path itself and everything below it, but not /administration for /admin."""
    whole = path.lower().rstrip("/")
    return f"{LOWER_PATH} eq {quote(whole)} or {starts(whole + '/')}"


def any_of(parts: Iterable[str]) -> str:
    listed = list(parts)
    return f"({' or '.join(listed)})"
