"""Every secret of a stack, by where it is: what the state keeps encrypted, and what was configured."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.leaks.forms import SHORTEST

# How the engine marks a secret in an export with --show-secrets: its text is JSON.
SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"


def secrets_of(state: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """From `pulumi stack export --show-secrets` and `pulumi config --show-secrets --json`."""
    found = {name: str(each["value"]) for name, each in config.items() if each.get("secret")}
    for resource in (state.get("deployment") or {}).get("resources") or []:
        name = str(resource["urn"]).rpartition("::")[2]
        if resource["type"].startswith(("random:", "aws:iam/accessKey", "tls:")):
            outputs = resource.get("outputs") or {}
            found |= {f"{name}.{path}": without_public(text, outputs) for path, text in marked(outputs)}
    return {name: text for name, text in found.items() if len(text) >= SHORTEST}


def without_public(text: str, outputs: Mapping[str, Any]) -> str:
    """A private RSA key holds the public one: those of its lines are no secret."""
    public = "\n".join(each for each in outputs.values() if isinstance(each, str))
    return "\n".join(line for line in text.splitlines() if line not in public)


def marked(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text below something that is marked as secret."""
    if isinstance(value, Mapping) and value.get(SIGNATURE) == SECRET:
        yield from texts(json.loads(value["plaintext"]), path)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from marked(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from marked(inner, path)


def texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, path)
