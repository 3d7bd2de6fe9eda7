"""Policy documents of IAM and S3, read the way AWS evaluates them: case, wildcards, one or many."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from .frame import Resource


@dataclass(frozen=True)
class Statement:
    path: str
    allow: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: Mapping[str, tuple[str, ...]]
    conditions: Mapping[str, Any]
    # NotAction, NotResource or NotPrincipal: everything but what is named.
    inverted: tuple[str, ...]

    def grants(self, action: str) -> bool:
        """Whether an Allow covers the action, whatever the wildcards; NotAction covers what it does not name."""
        if not self.allow:
            return False
        named = any(fnmatchcase(action.lower(), each) for each in self.actions)
        return not named if "NotAction" in self.inverted else named

    def on_everything(self) -> bool:
        return "NotResource" in self.inverted or any(each in ("*", "arn:aws:*") for each in self.resources)

    def for_anyone(self) -> bool:
        return "NotPrincipal" in self.inverted or any("*" in each for each in self.principals.values())


def statements(resource: Resource, path: str) -> Iterator[Statement]:
    """Each statement of the document at `path`; nothing where it cannot be known yet, which is counted."""
    document = resource.read(path)
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            return
    found = document.get("Statement", []) if isinstance(document, Mapping) else []
    for given in [found] if isinstance(found, Mapping) else found:
        if isinstance(given, Mapping):
            yield _statement(given, path)


def _statement(given: Mapping[str, Any], path: str) -> Statement:
    inverted = tuple(key for key in ("NotAction", "NotResource", "NotPrincipal") if key in given)
    principals = given.get("Principal", given.get("NotPrincipal", {}))
    if isinstance(principals, str):
        principals = {"AWS": principals}
    return Statement(
        path,
        given.get("Effect") == "Allow",
        tuple(each.lower() for each in _texts(given.get("Action", given.get("NotAction", [])))),
        _texts(given.get("Resource", given.get("NotResource", []))),
        {kind: _texts(names) for kind, names in principals.items()} if isinstance(principals, Mapping) else {},
        given.get("Condition") or {},
        inverted,
    )


def _texts(value: Any) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    return tuple(str(each) for each in values) if isinstance(values, list | tuple) else ()


# Conditions that tie a statement to callers who are known.
NARROWING = {
    "aws:principalorgid",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceip",
    "aws:userid",
    "sts:externalid",
    "s3:dataaccesspointaccount",
}


def is_narrowed(statement: Statement) -> bool:
    """Whether a condition limits who may use it; an address range of everything does not."""
    for operator, tests in statement.conditions.items():
        if not isinstance(tests, Mapping) or operator.lower().startswith(("stringnot", "arnnot", "notip", "null")):
            continue
        for key, values in tests.items():
            open_ = any(value in ("*", "0.0.0.0/0", "::/0") for value in _texts(values))
            if key.lower() in NARROWING and not open_:
                return True
    return False
