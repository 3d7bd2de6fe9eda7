"""Writes what is generated from the settings' models: JSON Schemas for editors, and docs/settings.md.

`python -m ops.schemas` after a change of a model; a test fails until then.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from components.section import Section
from components.settings import StackSettings
from ops.reference import reference
from ops.stackcheck import MODELS

ROOT = Path(__file__).resolve().parent.parent


class _AsWritten(GenerateJsonSchema):
    """Defaults as a stack file writes them ("512MB", not 512), and no titles that only repeat the key."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        defaults = schema["cls"].model_construct()
        written = defaults.model_dump(mode="json", warnings=False)
        for name, part in made.get("properties", {}).items():
            part.pop("title", None)
            if isinstance(getattr(defaults, name, None), Section):
                part.pop("default", None)
            elif "default" in part:
                part["default"] = written[name]
        made.pop("title", None)
        return made


def stack_schema(model: type[StackSettings]) -> dict[str, Any]:
    """The schema of a whole stack file: what is Pulumi's own, the sections, the secrets."""
    settings = model.model_json_schema(schema_generator=_AsWritten)
    secret = {"type": "object", "properties": {"secure": {"type": "string"}}, "required": ["secure"]}
    secrets = {
        f"{model.PROJECT}:{spec.key}": {**secret, "additionalProperties": False, "description": spec.why}
        for spec in model.SECRETS
    }
    sections = {f"{model.PROJECT}:{name}": part for name, part in settings["properties"].items()}
    text = {"type": "string"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Stack file of {model.PROJECT}",
        "type": "object",
        "additionalProperties": False,
        "required": ["config"],
        "properties": {
            "config": {
                "type": "object",
                "additionalProperties": False,
                "required": [f"{model.PROJECT}:{name}" for name in settings["required"]],
                "properties": {**sections, **secrets},
                "patternProperties": {"^(pulumi|policy):": {}},
            },
            "secretsprovider": {**text, "description": "What encrypts the stack's secrets."},
            "encryptedkey": {**text, "description": "The stack's data key, encrypted by the provider."},
            "encryptionsalt": {**text, "description": "Salt of a passphrase; for trials."},
            "environment": {"description": "Pulumi ESC environments that add configuration."},
        },
        "$defs": settings["$defs"],
    }


def generated() -> dict[Path, str]:
    """Every generated file with its content."""
    files = {
        ROOT / "schemas" / f"{project}.schema.json": json.dumps(stack_schema(model), indent=2) + "\n"
        for project, model in MODELS.items()
    }
    return {**files, ROOT / "docs" / "settings.md": reference(MODELS.values())}


def main() -> None:
    for path, content in generated().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
