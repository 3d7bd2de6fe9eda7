"""What the real plugins do with each type: the table in behaviour.json, one line per type.

Those of command, docker, random and tls are recorded from the real plugins, each line (see README.md); aws and
cloudflare are from the schemas and sources of pulumi-cloudflare 6.23 and the AWS provider 6. A changed healthcheck,
tmpfs, init, cpuPeriod or cpuQuota of a container is shown as an update by the real plugin as well, and never arrives.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_SETS = ("replaces", "in_place", "unordered", "unique_by")


@dataclass(frozen=True)
class Rules:
    """The behaviour of one resource type."""

    replaces: frozenset[str] = frozenset()  # "*" means every input but those `in_place`
    in_place: frozenset[str] = frozenset()
    whole_only: bool = False  # a replacement only when a property comes or goes, not when a part of it changes
    unordered: frozenset[str] = frozenset()  # sets in the real plugin: order is no change
    delete_first: bool = False
    autoname: str = ""  # the input that gets a generated name when the program gives none
    autoname_limit: int = 255
    defaults: dict[str, Any] = field(default_factory=dict)  # added to the inputs
    id: str = "{hex32}"
    unique: str = ""  # creating a second one of the same name fails with this sentence ...
    unique_by: frozenset[str] = frozenset()  # ... or a second one that has these in common
    computed: dict[str, Any] = field(default_factory=dict)  # outputs that the cloud adds


def _rules(row: dict[str, Any]) -> Rules:
    sets: dict[str, Any] = {key: _names(row[key]) for key in _SETS if key in row}
    return Rules(**{**row, **sets})


def _names(value: str | list[str]) -> frozenset[str]:
    return frozenset((value if isinstance(value, str) else " ".join(value)).split())


_TABLE = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
RULES: dict[str, Rules] = {token: _rules(row) for token, row in _TABLE.items()}

# Defaults of nested objects, by the SDK's name for them.
NESTED_DEFAULTS: dict[str, dict[str, Any]] = {
    "ContainerPortArgs": {"ip": "0.0.0.0", "protocol": "tcp"},  # noqa: S104 - what the real plugin publishes on
    "ContainerHealthcheckArgs": {"startInterval": "0s", "startPeriod": "0s", "timeout": "0s"},
}

# What a provider's own settings may carry only as a rehearsal value.
CREDENTIALS: dict[str, tuple[str, ...]] = {
    "aws": ("accessKey", "secretKey", "token"),
    "cloudflare": ("apiToken", "apiKey", "apiUserServiceKey"),
    "docker": ("registryAuth",),
}
