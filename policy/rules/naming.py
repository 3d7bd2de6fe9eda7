"""Names and tags say what something is, whose it is, and which environment it belongs to."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pulumi_policy.proxy import UnknownValueError

from .frame import LOW, MEDIUM, UNJUDGED, Book, Finding, Resource, of
from .kinds import BUCKET, CONTAINER, IAM_ROLE, IAM_USER, NETWORK, RULESET, VOLUME

book = Book("naming")

TAGGED = (*BUCKET, IAM_USER, IAM_ROLE)
LABELLED = (CONTAINER, NETWORK, VOLUME)
WHOSE = {"product", "project", "application", "app", "service", "owner", "team", "stack"}
ENVIRONMENT = {"environment", "env", "stage"}


@book.rule(
    "tags",
    [*TAGGED, *LABELLED],
    "Nobody dares to delete what nobody can name the owner of, and costs without an owner are nobody's.",
    "Set a tag (or label) for the environment and one for the product or owner.",
    "CIS Controls 1",
    "KICS e38a8e0a",
    severity=LOW,
)
def nobody_owns_it(resource: Resource) -> Iterator[Finding]:
    tags = {str(key): value for key, value in _tags(resource)}
    where = "labels" if resource.type in LABELLED else "tags"
    given = {key.lower() for key in (*tags, *_default_tags(resource))}
    if resource.read(where) is UNJUDGED or str(UNJUDGED) in tags:
        return
    if not ENVIRONMENT & given:
        yield Finding(where, "no tag says which environment it belongs to.")
    if not WHOSE & given:
        yield Finding(where, "no tag says whose it is.")


def _default_tags(resource: Resource) -> Iterator[str]:
    """Those that the AWS provider adds: as JSON text, as a provider gets its nested inputs."""
    try:
        tags = json.loads((resource.provider or {}).get("defaultTags") or "{}")["tags"]
    except (KeyError, TypeError, UnknownValueError, ValueError):
        return
    yield from tags


def _tags(resource: Resource) -> Iterator[tuple[object, object]]:
    if resource.type in LABELLED:
        for path, _ in resource.items("labels"):
            yield resource.read(f"{path}.label"), resource.read(f"{path}.value")
    else:
        for path, value in resource.entries("tags"):
            yield path.partition(".")[2], value


@book.relation(
    "one-environment",
    "A resource tagged for another environment was copied, and what else was copied is that environment's too.",
    "Give all resources of a stack the same environment.",
    "own rule",
    severity=MEDIUM,
)
def environments_are_mixed(resources: list[Resource]) -> Iterator[Finding]:
    first: object = None
    for resource in of(resources, [*TAGGED, *LABELLED]):
        for key, value in _tags(resource):
            if key in ENVIRONMENT and value is not UNJUDGED:
                first = value if first is None else first
                if value != first:
                    yield Finding("tags", "it is tagged for another environment than the rest.", resource.urn)


@book.rule(
    "rule-descriptions",
    [RULESET],
    "An edge rule without a description cannot be told from a leftover.",
    "Say in description what the rule is for.",
    "own rule",
    severity=LOW,
)
def rule_says_nothing(resource: Resource) -> Iterator[Finding]:
    for path, _ in resource.items("rules"):
        description = resource.read(f"{path}.description")
        if description is not UNJUDGED and not description:
            yield Finding(f"{path}.description", "nothing says what the rule is for.")


RULES = book.rules
