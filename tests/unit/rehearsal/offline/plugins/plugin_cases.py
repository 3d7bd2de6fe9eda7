"""Cases and how answers are held against the recorded ones."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from plugin_driver import Driver, real, shape, stand_in

CASES = Path(__file__).parent / "cases"

# A folder with the official plugins' executables: then the recordings themselves are put to the test as well.
REAL = os.environ.get("REAL_PLUGINS", "")
PLAYERS = ["stand-in", "real"] if REAL else ["stand-in"]


def books() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted(CASES.glob("*.json")):
        yield file.stem, json.loads(file.read_text())


def cases_of(stem: str, book: dict[str, Any], players: list[str]) -> Iterator[Any]:
    for case in book["cases"]:
        for player in players:
            name = f"{stem}: {case['name']}" + (" (real)" if player == "real" else "")
            yield pytest.param(player, book["plugin"], case, id=name)


def replay(player: str, plugin: str, case: dict[str, Any], folder: Path, machine: tuple[str, ...]) -> None:
    """Play a case and hold every answer against the recorded one."""
    with playing(player, plugin, folder, machine) as driver:
        driver.configure(case.get("settings", {}))
        driver.token = case["type"]
        for number, step in enumerate(case["steps"]):
            given = shape(driver.play(step), case.get("varies", []))
            where = f"step {number + 1} ({step['do']})"
            if player == "real" and "names" in step:  # what varies in a refusal is not compared
                assert given.keys() == step["answer"].keys(), where
            elif player == "real" and "loose" not in step:
                assert visible(given, given) == visible(step["answer"], step["answer"]), where
            else:
                compare(step, given, where)


@contextmanager
def playing(player: str, plugin: str, folder: Path, machine: tuple[str, ...]) -> Iterator[Driver]:
    if player == "real":
        driver, process = real(Path(REAL) / f"pulumi-resource-{plugin}", folder)
        try:
            yield driver
        finally:
            process.kill()
            process.wait()
    else:
        driver, server = stand_in(plugin, folder, machine=machine)
        try:
            yield driver
        finally:
            server.stop(None)


def compare(step: dict[str, Any], given: dict[str, Any], where: str) -> None:
    recorded = step["answer"]
    if "names" in step:  # the words are ours; that it refuses, and names what, is not
        assert "stricter" in step or recorded.keys() & {"failures", "error"}, f"{where}: the real plugin accepts this"
        reasons = " ".join([*given.get("failures", []), given.get("error", "")])
        assert step["names"] in reasons, f"{where}: {given}"
    elif "loose" in step:  # what the engine below adds is not compared, what the program gave is
        shown = [_pruned(_chosen(answer, step["loose"])) for answer in (given, recorded)]
        assert shown[0] == shown[1], where
    else:
        assert visible(given, recorded) == visible(recorded, recorded), where


def _chosen(answer: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Cut out the named properties; lists of objects are sets, which have no order."""
    if "properties" not in answer:
        return answer
    chosen = {name: answer["properties"][name] for name in names if answer["properties"].get(name) is not None}
    return {name: _sorted(value) if isinstance(value, list) else value for name, value in chosen.items()}


def _sorted(items: list[Any]) -> list[Any]:
    return sorted(items, key=lambda item: json.dumps(_pruned(item), sort_keys=True))


def visible(answer: dict[str, Any], recorded: dict[str, Any]) -> dict[str, Any]:
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
