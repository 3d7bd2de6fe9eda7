"""What a stack says about its policies: exceptions, levels and reports. Read strictly; a mistake is one sentence.

In the stack file, so that whoever reviews a change sees it:

    policy:exceptions:
      - {rule: storage-access-log, resource: media-bucket, reason: why, owner: who, expires: 2027-03-31}
    policy:levels: {"*": advisory}
    policy:reports: {sarif: /tmp/policy.sarif, junit: /tmp/policy.xml}
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

NAMESPACE = "policy:"
SECTIONS = ("exceptions", "levels", "reports")
LEVELS = ("mandatory", "advisory", "remediate", "disabled")
REPORTS = ("sarif", "junit")
FIELDS = ("rule", "resource", "reason", "owner", "expires")
OPTIONAL = ("property",)
# An exception is looked at again at least once a year.
LONGEST = timedelta(days=366)
MIDNIGHT = re.compile(r"[T ]00:00:00( ?\+0000)?( ?(UTC|Z))?$")


class SettingsError(Exception):
    """One sentence: what, where, what to do."""


@dataclass(frozen=True)
class PolicyException:
    """One finding that somebody answers for, until a day."""

    place: str
    rule: str
    resource: str
    reason: str
    owner: str
    expires: date
    property: str = ""

    def covers(self, rule: str, urn: str, property_: str) -> bool:
        return (
            rule == self.rule
            and matches(self.resource, urn)
            and (not self.property or property_ == self.property or property_.startswith(f"{self.property}."))
        )


@dataclass(frozen=True)
class PolicySettings:
    exceptions: tuple[PolicyException, ...] = ()
    levels: Mapping[str, str] = field(default_factory=dict)
    reports: Mapping[str, Path] = field(default_factory=dict)

    def level(self, rule: str) -> str | None:
        """What the stack asks for: the longest pattern that fits decides."""
        fitting = [pattern for pattern in self.levels if pattern_fits(pattern, rule)]
        return self.levels[max(fitting, key=len)] if fitting else None


def pattern_fits(pattern: str, text: str) -> bool:
    """Exact, or by a beginning: `storage-*`."""
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def matches(wanted: str, urn: str) -> bool:
    """A resource is named by its URN or by its name, either one with a * at the end."""
    return pattern_fits(wanted, urn if wanted.startswith("urn:") else urn.rpartition("::")[2])


def from_environment(environment: Mapping[str, str], rules: Collection[str], today: date) -> PolicySettings:
    """The stack's configuration as the language host passes it on, and the two variables for reports."""
    config = json.loads(environment.get("PULUMI_CONFIG") or "{}")
    given = {key[len(NAMESPACE) :]: _value(key, text) for key, text in config.items() if key.startswith(NAMESPACE)}
    named = {kind: environment.get(f"POLICY_{kind.upper()}") for kind in REPORTS}
    settings = parse(given, rules, today, NAMESPACE)
    reports = parse({"reports": {kind: path for kind, path in named.items() if path}}, rules, today, "environment ")
    return PolicySettings(settings.exceptions, settings.levels, {**settings.reports, **reports.reports})


def parse(given: Mapping[str, Any], rules: Collection[str], today: date, prefix: str = "") -> PolicySettings:
    for key in given:
        if key not in SECTIONS:
            raise SettingsError(f"{prefix}{key}: nothing reads it; {_allowed(key, SECTIONS)}.")
    return PolicySettings(
        _exceptions(given.get("exceptions", []), rules, today, f"{prefix}exceptions"),
        _levels(given.get("levels", {}), rules, f"{prefix}levels"),
        _reports(given.get("reports", {}), f"{prefix}reports"),
    )


def _value(key: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise SettingsError(f"{key}: is no list and no mapping; see docs/policy-pack.md for its form.") from None


def _exceptions(given: Any, rules: Collection[str], today: date, place: str) -> tuple[PolicyException, ...]:
    if not isinstance(given, list):
        raise SettingsError(f"{place}: has to be a list with an entry for each exception.")
    return tuple(_exception(entry, rules, today, f"{place}.{index}") for index, entry in enumerate(given))


def _exception(entry: Any, rules: Collection[str], today: date, place: str) -> PolicyException:
    if not isinstance(entry, Mapping):
        raise SettingsError(f"{place}: has to be a mapping with {', '.join(FIELDS)}.")
    for key in entry:
        if key not in (*FIELDS, *OPTIONAL):
            raise SettingsError(f"{place}.{key}: nothing reads it; {_allowed(key, (*FIELDS, *OPTIONAL))}.")
    texts = {name: _text(entry, name, place) for name in FIELDS}
    if "property" in entry:
        texts["property"] = _text(entry, "property", place)
    if texts["rule"] not in rules:
        raise SettingsError(f"{place}.rule: there is no such rule; {_allowed(texts['rule'], rules)}.")
    if texts["resource"].strip("*") == "" or texts["resource"].startswith("urn:pulumi:*"):
        raise SettingsError(
            f"{place}.resource: an exception is for one resource, or for those whose name begins alike."
        )
    expires = _date(texts.pop("expires"), today, f"{place}.expires")
    return PolicyException(place=place, expires=expires, **texts)


def _text(entry: Mapping[str, Any], name: str, place: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value.strip():
        raise SettingsError(f"{place}.{name}: is missing; an exception says rule, resource, reason, owner and expires.")
    return value.strip()


def _date(text: str, today: date, place: str) -> date:
    try:
        # Of a day that is not in quotes YAML makes midnight, which the engine writes as it likes.
        expires = date.fromisoformat(MIDNIGHT.sub("", text))
    except ValueError:
        raise SettingsError(f"{place}: has to be a day such as {today.isoformat()}.") from None
    if expires > today + LONGEST:
        raise SettingsError(f"{place}: is more than a year away; an exception is looked at again every year.")
    return expires


def _levels(given: Any, rules: Collection[str], place: str) -> Mapping[str, str]:
    if not isinstance(given, Mapping):
        raise SettingsError(f"{place}: has to be a mapping from rules to levels, such as storage-*: advisory.")
    for pattern, level in given.items():
        if level not in LEVELS:
            raise SettingsError(f"{place}.{pattern}: is no level; one of {', '.join(LEVELS)}.")
        if not any(pattern_fits(pattern, rule) for rule in rules):
            raise SettingsError(f"{place}.{pattern}: there is no such rule; {_allowed(pattern, rules)}.")
    return dict(given)


def _reports(given: Any, place: str) -> Mapping[str, Path]:
    if not isinstance(given, Mapping):
        raise SettingsError(f"{place}: has to be a mapping with {' and '.join(REPORTS)}.")
    for kind, path in given.items():
        if kind not in REPORTS:
            raise SettingsError(f"{place}.{kind}: nothing writes it; {_allowed(kind, REPORTS)}.")
        # A pack runs in its own folder: a relative path would land there.
        if not isinstance(path, str) or not Path(path).is_absolute():
            raise SettingsError(f"{place}.{kind}: has to be an absolute path.")
        if not Path(path).parent.is_dir():
            raise SettingsError(f"{place}.{kind}: its folder does not exist.")
    return {kind: Path(path) for kind, path in given.items()}


def _allowed(key: str, known: Collection[str]) -> str:
    import difflib  # noqa: PLC0415 - only for a mistake

    close = difflib.get_close_matches(key, list(known), 1)
    if close:
        return f"did you mean {close[0]}?".rstrip("?")
    return f"one of {', '.join(sorted(known))}" if len(known) < 10 else "docs/policies.md lists them"
