"""The stand-ins answer what the real plugins were recorded to answer."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from plugin_driver import Driver, real, shape, stand_in

from rehearsal.offline.plugins.behaviour import RULES

CASES = Path(__file__).parent / "cases"


# A folder with the official plugins' executables: then the recordings themselves are put to the test as well.
REAL = os.environ.get("REAL_PLUGINS", "")
PLAYERS = ["stand-in", "real"] if REAL else ["stand-in"]


def _cases() -> Iterator[Any]:
    for file in sorted(CASES.glob("*.json")):
        book = json.loads(file.read_text())
        for case in book["cases"]:
            for player in PLAYERS if "needs" not in book else ["stand-in"]:
                name = f"{file.stem}: {case['name']}" + (" (real)" if player == "real" else "")
                yield pytest.param(player, book["plugin"], case, id=name)


@pytest.mark.parametrize(("player", "plugin", "case"), list(_cases()))
def test_a_recorded_case(player: str, plugin: str, case: dict[str, Any], tmp_path: Path) -> None:
    with _playing(player, plugin, tmp_path) as driver:
        driver.configure(case.get("settings", {}))
        driver.token = case["type"]
        for number, step in enumerate(case["steps"]):
            given = shape(driver.play(step), case.get("varies", []))
            where = f"step {number + 1} ({step['do']})"
            if player == "real":
                assert _visible(given, given) == _visible(step["answer"], step["answer"]), where
            else:
                _compare(step, given, where)


def test_every_type_of_a_recorded_plugin_has_recordings() -> None:
    books = [json.loads(file.read_text()) for file in CASES.glob("*.json")]
    recorded = {case["type"] for book in books for case in book["cases"] if all("answer" in s for s in case["steps"])}
    assert recorded == {token for token in RULES if token.split(":")[0] in {book["plugin"] for book in books}}


@contextmanager
def _playing(player: str, plugin: str, folder: Path) -> Iterator[Driver]:
    if player == "real":
        driver, process = real(Path(REAL) / f"pulumi-resource-{plugin}", folder)
        try:
            yield driver
        finally:
            process.kill()
            process.wait()
    else:
        driver, server = stand_in(plugin, folder)
        try:
            yield driver
        finally:
            server.stop(None)


def _compare(step: dict[str, Any], given: dict[str, Any], where: str) -> None:
    recorded = step["answer"]
    if "names" in step:  # the words are ours; that it refuses, and names what, is not
        assert "stricter" in step or recorded.keys() & {"failures", "error"}, f"{where}: the real plugin accepts this"
        reasons = " ".join([*given.get("failures", []), given.get("error", "")])
        assert step["names"] in reasons, f"{where}: {given}"
    elif "loose" in step:  # what the engine below adds is not compared, what the program gave is
        names = step["loose"]
        shown = [_pruned({name: answer["properties"].get(name) for name in names}) for answer in (given, recorded)]
        assert shown[0] == shown[1], where
    else:
        assert _visible(given, recorded) == _visible(recorded, recorded), where


def _visible(answer: dict[str, Any], recorded: dict[str, Any]) -> dict[str, Any]:
    """Leave out the bridge's own notes and empty values, and where exactly within a property a change is."""
    shown = {key: value for key, value in answer.items() if key in recorded or key != "paths"}
    if "paths" in shown:
        shown["paths"] = {re.split(r"[.\[]", path)[0]: "REPLACE" in kind for path, kind in shown["paths"].items()}
    for part in ("inputs", "properties"):
        if part in shown:
            shown[part] = _pruned({key: value for key, value in shown[part].items() if key != "id"})
    return shown


def _pruned(value: Any) -> Any:
    if isinstance(value, list):
        return [_pruned(item) for item in value]
    if not isinstance(value, dict):
        return value
    notes = ("__meta", "__pulumi_raw_state_delta")
    kept = {key: _pruned(item) for key, item in value.items() if key not in notes}
    return {key: item for key, item in kept.items() if item not in ({}, [], "", False, 0)}
