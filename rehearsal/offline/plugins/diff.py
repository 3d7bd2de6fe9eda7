"""What changed between two sets of inputs, and what that means for the resource."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from rehearsal.offline.plugins.behaviour import Rules
from rehearsal.offline.plugins.check import DEFAULTS
from rehearsal.offline.plugins.wire import UNKNOWN, Values, plain

ADD, DELETE, UPDATE = "ADD", "DELETE", "UPDATE"


@dataclass
class Difference:
    """The changed paths with their kinds, and the properties that force a replacement."""

    paths: dict[str, str] = field(default_factory=dict)
    replaces: list[str] = field(default_factory=list)
    delete_first: bool = False


def compare(old: Values, new: Values, rules: Rules, ignored: list[str]) -> Difference:
    """Compare inputs property by property."""
    found, skipped = Difference(), [_pattern(path) for path in ignored]
    for name in sorted((old.keys() | new.keys()) - {DEFAULTS}):
        paths: dict[str, str] = {}
        _walk(plain(old.get(name)), plain(new.get(name)), name, rules, paths)
        paths = {path: kind for path, kind in paths.items() if not any(skip.match(path) for skip in skipped)}
        changed = name in paths if rules.whole_only else bool(paths)
        if changed and rules.replaces & {name, "*"} and name not in rules.in_place:
            found.replaces.append(name)
        found.paths.update(paths)
    found.delete_first = bool(found.replaces) and (rules.delete_first or _named_by_hand(new, rules))
    return found


def _pattern(path: str) -> re.Pattern[str]:
    """Match a path of ignore_changes and all that is below it; [*] stands for every item."""
    return re.compile(re.escape(path).replace(r"\[\*\]", r"\[\d+\]") + r"(?![^.\[])")


def _named_by_hand(new: Values, rules: Rules) -> bool:
    """Two objects cannot share a name that the program fixed, so the old one goes first."""
    return bool(rules.autoname) and rules.autoname in new and rules.autoname not in new.get(DEFAULTS, ())


def _walk(old: Any, new: Any, path: str, rules: Rules, paths: dict[str, str]) -> None:
    if old is None or new is None:
        if old is not new:
            paths[path] = ADD if old is None else DELETE
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if not key.startswith("__"):
                _walk(old.get(key), new.get(key), f"{path}{_step(key)}", rules, paths)
    elif isinstance(old, list) and isinstance(new, list):
        _walk_lists(old, new, path, rules, paths)
    elif new is UNKNOWN or not _same(old, new):
        paths[path] = UPDATE


def _walk_lists(old: list[Any], new: list[Any], path: str, rules: Rules, paths: dict[str, str]) -> None:
    if path.rsplit(".", 1)[-1] in rules.unordered:
        old, new = sorted(old, key=_key), sorted(new, key=_key)
    for index in range(max(len(old), len(new))):
        one = old[index] if index < len(old) else None
        other = new[index] if index < len(new) else None
        _walk(one, other, f"{path}[{index}]", rules, paths)


def _step(key: str) -> str:
    return f".{key}" if key.replace("_", "").isalnum() else f"[{json.dumps(key)}]"


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=repr)


def _same(old: Any, new: Any) -> bool:
    """Equal, or two texts of the same JSON document: the real plugins compare policies that way."""
    if old == new and isinstance(old, bool) == isinstance(new, bool):
        return True
    if not (isinstance(old, str) and isinstance(new, str) and old[:1] == new[:1] == "{"):
        return False
    try:
        return bool(json.loads(old) == json.loads(new))
    except ValueError:
        return False
