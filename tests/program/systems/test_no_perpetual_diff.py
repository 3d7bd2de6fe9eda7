"""After an `up` with any setting of the containers changed, a preview with refresh shows nothing.

The variants are made from the models: each setting gets another valid value, many of them in one run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from stage import Stage

from components.settings import inspect_data
from neurmatic.settings import NeurmaticSettings
from ops.changes import variants
from ops.target import ROOT

pytestmark = [pytest.mark.engine, pytest.mark.long]
UP = ("up", "--yes", "--skip-preview", "--stack", "production")
REFRESHED = ("preview", "--refresh", "--diff", "--expect-no-changes", "--stack", "production")
ALLOWED = {"restart_postgres": True, "restart_redis": True, "replace_nginx": True}
RELEASE = {"version": "1.4.2", "backend": "sha256:" + "a" * 64, "frontend": "sha256:" + "b" * 64}
CONTAINERS = "neurmatic:containers"


def laid(document: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(document))
    *path, last = key.split(".")
    at = changed["config"][CONTAINERS]
    for name in path:
        at = at.setdefault(name, {})
    at[last] = value
    return changed


def accepted(document: dict[str, Any]) -> bool:
    config = document["config"]
    sections = {key.partition(":")[2]: value for key, value in config.items() if key.startswith("neurmatic:")}
    given = {name: value for name, value in sections.items() if name in NeurmaticSettings.model_fields}
    return not inspect_data(NeurmaticSettings, given, rehearsal=True).mistakes


def gathered(document: dict[str, Any], left: list[tuple[str, Any]]) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """As many of them as go together, and the rest."""
    later = []
    for key, value in left:
        changed = laid(document, key, value)
        if accepted(changed):
            document = changed
        else:
            later.append((key, value))
    return document, later


@pytest.fixture(autouse=True)
def nobody_at_work() -> Iterator[None]:
    """What the server is given is read from the checkout at each run: edited in between, it is a change indeed."""
    before = shipped()
    yield
    edited = sorted(path for path, text in {**before, **shipped()}.items() if before.get(path) != text)
    if edited:
        pytest.fail(f"These files of the program were edited while it ran, so this proves nothing: {edited}")


def shipped() -> dict[str, bytes]:
    folders = (ROOT / name for name in ("components", "neurmatic"))
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {str(path): path.read_bytes() for path in files}


def test_no_setting_leaves_a_change_behind(stage: Stage) -> None:
    session = stage.session()
    file = session.folder / "Pulumi.production.yaml"
    document = laid(yaml.safe_load(file.read_text()), "release", RELEASE)
    document = laid(document, "allow", ALLOWED)
    document["config"]["neurmatic:host"]["capacity"] = {"cpus": 64, "memory": "256GB"}
    assert accepted(document)
    left = [each for each in variants() if not each[0].startswith("allow.")]
    rounds, missed = 0, list(left)
    while missed and rounds < 3:
        changed, later = gathered(document, missed)
        if len(later) == len(missed):
            break
        file.write_text(yaml.safe_dump(changed, sort_keys=False))
        up = stage.pulumi(session, *UP)
        assert up.status == 0, up.text
        clean = stage.pulumi(session, *REFRESHED)
        assert clean.status == 0, clean.text
        rounds, missed = rounds + 1, later
    assert len(left) - len(missed) > 80
    # What the system as a whole refuses with nothing else changed cannot leave anything behind.
    assert not [key for key, value in missed if accepted(laid(document, key, value))]
