"""The JSON Schemas and the reference page: current, and of one opinion with the models."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops.schemas import generated, stack_schema
from ops.stackcheck import MODELS, check_file
from ops.stackfile import read

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = {"neurmatic": ROOT, "neuropilot": ROOT / "neuropilot"}
STACKS = [(project, stack) for project in MODELS for stack in ("staging", "production")]


def validator(project: str) -> jsonschema.Draft202012Validator:
    schema = stack_schema(MODELS[project])
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


VALIDATORS = {project: validator(project) for project in MODELS}


@pytest.mark.parametrize("path", generated(), ids=lambda path: path.name)
def test_generated_files_are_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == generated()[path], "run `python -m ops.schemas`"


@pytest.mark.parametrize(("project", "stack"), STACKS)
def test_committed_stack_files_are_valid_and_name_their_schema(project: str, stack: str) -> None:
    path = FOLDERS[project] / f"Pulumi.{stack}.yaml"
    VALIDATORS[project].validate(read(path).data)
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert (path.parent / first.partition("$schema=")[2]).resolve() == ROOT / "schemas" / f"{project}.schema.json"


WRONG: list[tuple[str, Any]] = [
    ("neurmatic:hots", {}),
    ("neurmatic:environment", "prod"),
    ("neurmatic:sentry_dsn", "plain"),
    ("neurmatic:host", {"address": "a.com"}),
    ("neurmatic:credentials", {"length": 63}),
    ("neurmatic:backup", {"schedule": "2:00"}),
    ("neurmatic:backup", {"local_kept": 30}),
    ("aws:region", "eu-west-1"),
]


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_an_editor_refuses_what_the_program_refuses(key: str, value: Any) -> None:
    document = read(ROOT / "Pulumi.production.yaml").data
    document["config"][key] = value
    assert not VALIDATORS["neurmatic"].is_valid(document)


def fields(project: str) -> list[tuple[str, dict[str, Any]]]:
    parts = VALIDATORS[project].schema["$defs"].items()
    return [(f"{name}.{key}", field) for name, part in parts for key, field in part.get("properties", {}).items()]


@pytest.mark.parametrize("project", MODELS)
def test_every_default_in_a_schema_is_what_that_schema_allows(project: str) -> None:
    known, checked = VALIDATORS[project], 0
    for _, field in fields(project):
        if "default" in field:
            known.evolve(schema={**field, "$defs": known.schema["$defs"]}).validate(field["default"])
            checked += 1
    assert checked > 50


@pytest.mark.parametrize("project", MODELS)
def test_every_setting_is_described(project: str) -> None:
    assert [name for name, field in fields(project) if not field.get("description")] == []


QUANTITIES = st.sampled_from(["512MB", "2gb", "30s", "90d", "10/s", "300/10min", "1.4.2", "02:00", "neurmatic.com"])
VALUES = st.none() | st.booleans() | st.integers(-5, 70000) | QUANTITIES | st.just([]) | st.just({})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_the_program_accepts_an_editor_accepts(tmp_path: Path, data: st.DataObject) -> None:
    project = data.draw(st.sampled_from(sorted(MODELS)))
    document = read(FOLDERS[project] / "Pulumi.production.yaml").data
    section = data.draw(st.sampled_from(sorted(MODELS[project].model_fields)))
    definition = resolve(VALIDATORS[project].schema, f"{project}:{section}")
    place = document["config"].setdefault(f"{project}:{section}", {})
    if definition.get("properties") and isinstance(place, dict):
        place[data.draw(st.sampled_from(sorted(definition["properties"])))] = data.draw(VALUES)
    path = tmp_path / "Pulumi.production.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    report = check_file(path, rehearsal=True)
    if report.settings is not None:
        VALIDATORS[project].validate(document)


def resolve(schema: dict[str, Any], key: str) -> dict[str, Any]:
    reference = schema["properties"]["config"]["properties"][key].get("$ref", "")
    found: dict[str, Any] = schema["$defs"].get(reference.rpartition("/")[2], {})
    return found
