"""The outputs' JSON Schemas, and what a change of them would break for the teams that read them.

`python -m ops.contract` writes schemas/outputs.*.schema.json; it refuses a change that breaks somebody while VERSION
stays the same, and names what breaks.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components.outputs import CONTRACTS, VERSION, Contract

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"

Schema = Mapping[str, Any]


def main() -> int:
    breaks = [f"{name}: {line}" for name in CONTRACTS for line in breaking(name)]
    if breaks:
        print("\n".join(breaks), file=sys.stderr)
        print(f"Consumers of contract {VERSION} would break: raise VERSION in components/outputs.py.", file=sys.stderr)
        return 1
    for name, contract in CONTRACTS.items():
        path_of(name).write_text(text_of(contract))
    return 0


def path_of(name: str) -> Path:
    return SCHEMAS / f"outputs.{name}.schema.json"


def text_of(contract: Contract[Any]) -> str:
    return json.dumps(schema_of(contract), indent=2) + "\n"


def schema_of(contract: Contract[Any]) -> dict[str, Any]:
    made = contract.model.model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "version": VERSION,
        **made,
        "teams": {team: dict(variables) for team, variables in contract.teams.items()},
    }


def breaking(name: str) -> list[str]:
    """What the committed contract promises and the present one does not; nothing where the version went up."""
    path = path_of(name)
    if not path.is_file():
        return []
    before, after = json.loads(path.read_text()), schema_of(CONTRACTS[name])
    if before["version"] < after["version"]:
        return []
    return [*broken_fields(before, after), *broken_variables(before["teams"], after["teams"])]


def broken_fields(before: Schema, after: Schema) -> Iterator[str]:
    promised, kept = dict(fields(before, before)), dict(fields(after, after))
    for path, kind in promised.items():
        if path not in kept:
            yield f"{path} is gone"
        elif kept[path] != kind:
            yield f"{path} was {kind} and is {kept[path]}"


def broken_variables(before: Schema, after: Schema) -> Iterator[str]:
    for team, variables in before.items():
        for variable, source in variables.items():
            if after.get(team, {}).get(variable) != source:
                yield f"team {team}: {variable} no longer comes from {source}"


def fields(schema: Schema, root: Schema, path: str = "") -> Iterator[tuple[str, str]]:
    """Every field with its type, by its full path."""
    node = _resolve(schema, root)
    if "properties" not in node:
        yield path, _kind(node)
        return
    required = node.get("required", [])
    for name, child in node["properties"].items():
        for place, kind in fields(child, root, f"{path}.{name}" if path else name):
            yield place, kind if name in required else f"{kind}, optional"


def _resolve(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    return root["$defs"][reference.rpartition("/")[2]] if reference else schema


def _kind(node: Schema) -> str:
    if "anyOf" in node:
        return " or ".join(sorted(_kind(choice) for choice in node["anyOf"]))
    return str(node.get("type", "anything"))


if __name__ == "__main__":
    sys.exit(main())
