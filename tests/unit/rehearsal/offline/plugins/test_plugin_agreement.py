"""The stand-ins answer what the real plugins were recorded to answer."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from plugin_cases import PLAYERS, books, cases_of, replay
from plugin_driver import SSH

from rehearsal.offline.install import _installed_version, _site
from rehearsal.offline.plugins.behaviour import RULES, Rules
from rehearsal.offline.plugins.schema import Schema

HERE = [
    case
    for stem, book in books()
    if "acts" not in book  # those ask a Docker engine: tests/rehearsal/standins/
    for case in cases_of(stem, book, PLAYERS if "needs" not in book else ["stand-in"])
]


@pytest.mark.parametrize(("player", "plugin", "case"), HERE)
def test_a_recorded_case(player: str, plugin: str, case: dict[str, Any], tmp_path: Path) -> None:
    replay(player, plugin, case, tmp_path, SSH if plugin == "command" else ())


def test_every_type_of_a_recorded_plugin_has_recordings() -> None:
    known = [book for _, book in books()]
    recorded = {case["type"] for book in known for case in book["cases"] if all("answer" in s for s in case["steps"])}
    assert recorded == {token for token in RULES if token.split(":")[0] in {book["plugin"] for book in known}}


# What exists only where nothing stands behind a type: the engine's own answers are recorded in the acting cases.
KEPT_ONLY = {"id", "unique", "unique_by", "computed", "autoname_limit"}
RECORDED = {book["plugin"] for _, book in books()}
ROWS = {token: rules for token, rules in RULES.items() if token.split(":")[0] in RECORDED}
BEHAVIOURS = [
    (token, field.name, name)
    for token, rules in ROWS.items()
    for field in fields(Rules)
    if field.name not in KEPT_ONLY and getattr(rules, field.name) != getattr(Rules(), field.name)
    for name in (sorted(rules.defaults) if field.name == "defaults" else [""])
]


@pytest.mark.parametrize(("token", "aspect", "name"), BEHAVIOURS)
def test_a_behaviour_that_is_taken_away_is_missed(
    token: str, aspect: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it is no recorded behaviour: each line of the table has a case that fails without it."""
    rules = RULES[token]
    without = {key: value for key, value in rules.defaults.items() if key != name} if name else getattr(Rules(), aspect)
    monkeypatch.setitem(RULES, token, replace(rules, **{aspect: without}))
    for number, case in enumerate(HERE):
        player, plugin, told = case.values
        if player == "stand-in" and told["type"] == token:
            folder = tmp_path / str(number)
            folder.mkdir()
            try:
                replay(player, plugin, told, folder, SSH if plugin == "command" else ())
            except AssertionError:
                return
    pytest.fail(f"No recorded case needs {aspect} {name} of {token}: record one, or take the line away.")


@pytest.mark.parametrize("token", [token for token in ROWS if token.startswith("docker:")])
def test_every_property_that_replaces_was_changed_on_the_real_plugin(token: str, tmp_path: Path) -> None:
    schema = Schema("docker", _installed_version("docker"), _site(), tmp_path).resource(token)
    named = schema["inputs"].keys() if "*" in RULES[token].replaces else RULES[token].replaces
    steps = [step for _, book in books() for case in book["cases"] if case["type"] == token for step in case["steps"]]
    changed = {step["of"] for step in steps if step["do"] == "change"}
    assert set(named) - changed <= NOT_RECORDED.get(token, set())


NOT_RECORDED = {
    # The built plugin is older than this property.
    "docker:index/container:Container": {"deviceCgroupRules"},
    # Only without `data`, which the case has.
    "docker:index/serviceConfig:ServiceConfig": {"dataRaw"},
}
