"""A provider's own settings: known keys, right types, and credentials of a rehearsal only."""

import json
from typing import Any

from rehearsal.offline.plugins.behaviour import CREDENTIALS, Rules
from rehearsal.offline.plugins.check import Checker
from rehearsal.offline.plugins.diff import Difference
from rehearsal.offline.plugins.diff import compare as compare_values
from rehearsal.offline.plugins.wire import Values, is_unknown, plain

# What the stand-ins accept as a credential: nothing that an account would.
REHEARSAL_VALUES = ("rehearsal-", "AKIAREHEARSAL")
_ENGINE_KEYS = ("version", "pluginDownloadURL")


def settings(schema: Values, values: Values) -> Values:
    """Decode the settings: the SDKs send all but strings as JSON text."""
    types = schema["inputs"]
    return {key: _decoded(value, types.get(key, ["any"])[0]) for key, value in values.items() if _is_setting(key)}


def _is_setting(key: str) -> bool:
    return key not in _ENGINE_KEYS and not key.startswith("__")


def _decoded(value: Any, type_: Any) -> Any:
    if not isinstance(value, str) or type_ == "str" or (isinstance(type_, list) and type_[0] in ("enum", "either")):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def check(name: str, schema: Values, values: Values) -> list[str]:
    """List what is wrong with the settings."""
    checker = Checker(schema, bridged=True)
    decoded = settings(schema, plain(values))
    checker.properties(decoded, schema["inputs"])
    failures = [f"{name} provider: {failure}" for failure in checker.failures]
    return failures + [failure for key in CREDENTIALS.get(name, ()) for failure in _real(name, key, decoded.get(key))]


def _real(name: str, key: str, value: Any) -> list[str]:
    """Refuse a credential that could open a real account."""
    if value is None or value == "" or is_unknown(value):
        return []
    if isinstance(value, list):
        return [found for item in value if isinstance(item, dict) for found in _real(name, key, item.get("password"))]
    if str(value).startswith(REHEARSAL_VALUES):
        return []
    return [
        f"{name} provider: {key} is not a rehearsal value (they begin with {REHEARSAL_VALUES[0]!r}): a rehearsal never"
        " takes the credentials of a real account. Remove it from this stack's configuration."
    ]


def compare(old: Values, new: Values) -> Difference:
    """Compare two provider configurations; a changed one never replaces what it made."""
    return compare_values(old, new, Rules(), list(_ENGINE_KEYS))
