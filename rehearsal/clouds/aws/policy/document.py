"""A policy document as data. What AWS refuses as malformed raises MalformedError, in AWS's words if they are known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rehearsal.clouds.aws.policy.operators import known_operator

VERSIONS = ("2008-10-17", "2012-10-17")
STATEMENT_KEYS = frozenset(
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"]
)
Values = tuple[str, ...]


class MalformedError(ValueError):
    """Why AWS would not take the document."""


@dataclass(frozen=True)
class Condition:
    operator: str
    key: str
    values: Values


@dataclass(frozen=True)
class Principals:
    """`everyone`: "*" or {"AWS": "*"}. Otherwise patterns by their kind (AWS, Service, Federated, CanonicalUser)."""

    everyone: bool
    by_kind: Mapping[str, Values]


@dataclass(frozen=True)
class Statement:
    sid: str
    allow: bool
    actions: Values
    not_actions: bool
    resources: Values
    not_resources: bool
    principals: Principals | None
    not_principals: bool
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Policy:
    statements: tuple[Statement, ...]
    version: str = "2008-10-17"

    @property
    def variables(self) -> bool:
        """Only the newer version replaces ${aws:username}."""
        return self.version == "2012-10-17"


def parse(document: str | Mapping[str, Any]) -> Policy:
    return _parsed_text(document) if isinstance(document, str) else _parsed(document)


@lru_cache(maxsize=256)
def _parsed_text(text: str) -> Policy:
    try:
        value = json.loads(text)
    except ValueError:
        raise MalformedError("Policies must be valid JSON and the first byte must be '{'") from None
    if not isinstance(value, dict):
        raise MalformedError("Policies must be valid JSON and the first byte must be '{'")
    return _parsed(value)


def _parsed(value: Mapping[str, Any]) -> Policy:
    unknown = sorted(set(value) - {"Version", "Id", "Statement"})
    if unknown:
        raise MalformedError(f"Unknown field {unknown[0]}")
    version = value.get("Version", VERSIONS[0])
    if version not in VERSIONS:
        raise MalformedError("The policy must contain a valid version string")
    statements = value.get("Statement")
    statements = [statements] if isinstance(statements, Mapping) else statements
    if not isinstance(statements, list) or not statements:
        raise MalformedError("Missing required field Statement")
    sids = [one["Sid"] for one in statements if isinstance(one, Mapping) and one.get("Sid")]
    if len(set(sids)) != len(sids):
        raise MalformedError("Statement IDs (SID) in a single policy must be unique.")
    return Policy(tuple(_statement(one) for one in statements), version)


def _statement(value: Any) -> Statement:
    if not isinstance(value, Mapping):
        raise MalformedError("Statement must be an object")
    unknown = sorted(set(value) - STATEMENT_KEYS)
    if unknown:
        raise MalformedError(f"Unknown field {unknown[0]}")
    if value.get("Effect") not in ("Allow", "Deny"):
        raise MalformedError(
            f"Invalid effect: {value.get('Effect')}" if "Effect" in value else "Missing required field Effect"
        )
    not_actions, actions = _either(value, "Action", required=True)
    not_resources, resources = _either(value, "Resource", required=False)
    not_principals, principals = "NotPrincipal" in value, value.get("NotPrincipal", value.get("Principal"))
    return Statement(
        str(value.get("Sid", "")),
        value["Effect"] == "Allow",
        actions,
        not_actions,
        resources,
        not_resources,
        None if principals is None else _principals(principals),
        not_principals,
        tuple(_conditions(value.get("Condition", {}))),
    )


def _either(value: Mapping[str, Any], name: str, required: bool) -> tuple[bool, Values]:
    given = [key for key in (name, f"Not{name}") if key in value]
    if len(given) > 1:
        raise MalformedError(f"Statement has both {name} and Not{name}")
    if not given:
        if required:
            raise MalformedError(f"Missing required field {name}")
        return False, ()
    return given[0] != name, _texts(value[given[0]], name)


def _texts(value: Any, name: str) -> Values:
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not found or not all(isinstance(one, str) for one in found):
        raise MalformedError(f"{name} must be a string or a list of strings")
    return tuple(found)


def _principals(value: Any) -> Principals:
    if value == "*":
        return Principals(True, {})
    if not isinstance(value, Mapping) or not value:
        raise MalformedError("Invalid principal in policy")
    by_kind = {kind: _texts(named, "Principal") for kind, named in value.items()}
    if not set(by_kind) <= {"AWS", "Service", "Federated", "CanonicalUser"}:
        raise MalformedError("Invalid principal in policy")
    return Principals("*" in by_kind.get("AWS", ()), by_kind)


def _conditions(value: Any) -> list[Condition]:
    if not isinstance(value, Mapping):
        raise MalformedError("Condition must be an object")
    found = []
    for operator, pairs in value.items():
        if not known_operator(operator):
            raise MalformedError(f"Invalid Condition type : {operator}")
        if not isinstance(pairs, Mapping):
            raise MalformedError(f"Condition {operator} must be an object")
        found += [Condition(operator, key, _condition_values(values)) for key, values in pairs.items()]
    return found


def _condition_values(value: Any) -> Values:
    values = value if isinstance(value, list) else [value]
    return tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in values)
