"""No input makes a stand-in stumble: it answers, or it says in a sentence what is wrong."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plugin_driver import Driver, stand_in

from rehearsal.offline.install import _installed_version, _site
from rehearsal.offline.plugins.behaviour import RULES
from rehearsal.offline.plugins.schema import Schema

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "12"))  # a thousand or more are drawn afresh at each run
SCALARS = st.none() | st.booleans() | st.integers(-9, 99999) | st.floats(allow_nan=False) | st.text(max_size=9)
SPECIAL = st.just({"$": "unknown"}) | SCALARS.map(lambda value: {"$": "secret", "value": value})
ANYTHING = st.recursive(
    SCALARS | SPECIAL,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


def fitting(type_: Any, objects: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a type, so that the fuzz gets past the types; now and then something else."""
    if isinstance(type_, str):
        kinds = {"str": st.text(max_size=9), "int": st.integers(0, 99), "float": st.floats(0, 9), "bool": st.booleans()}
        return kinds.get(type_, ANYTHING)
    if type_[0] == "list":
        return st.lists(fitting(type_[1], objects, depth + 1), max_size=2)
    if type_[0] == "obj" and depth < 3:
        properties = {
            name: fitting(inner, objects, depth + 1)
            for name, (inner, required) in objects[type_[1]].items()
            if required
        }
        return st.fixed_dictionaries(properties)
    if type_[0] == "enum":
        return st.sampled_from(type_[1])
    return ANYTHING


@st.composite
def inputs(draw: st.DrawFn, entry: dict[str, Any]) -> dict[str, Any]:
    """Draw inputs of a type: what is required, some of the rest, a few of them wrong."""
    types = entry["inputs"]
    chosen = {name for name, (_, required) in types.items() if required}
    chosen |= draw(st.sets(st.sampled_from(sorted(types)), max_size=4)) if types else set()
    values = {name: draw(fitting(types[name][0], entry["objects"]) | SPECIAL) for name in sorted(chosen)}
    wrong = st.dictionaries(st.sampled_from([*sorted(types), "nothing"]), ANYTHING, max_size=1)
    return {**values, **draw(st.just({}) | st.just({}) | st.just({}) | wrong)}


@pytest.fixture(scope="module")
def drivers() -> Iterator[dict[str, Driver]]:
    with tempfile.TemporaryDirectory() as folder:
        opened = {name: stand_in(name, Path(folder)) for name in sorted({token.split(":")[0] for token in RULES})}
        for driver, _ in opened.values():
            driver.configure({})
        yield {name: driver for name, (driver, _) in opened.items()}
        for _, server in opened.values():
            server.stop(None)


@pytest.mark.parametrize("token", sorted(RULES))
def test_every_input_gets_an_answer_or_a_sentence(
    token: str, drivers: dict[str, Driver], tmp_path_factory: pytest.TempPathFactory
) -> None:
    plugin = token.split(":", maxsplit=1)[0]
    driver = drivers[plugin]
    entry = Schema(plugin, _installed_version(plugin), _site(), tmp_path_factory.getbasetemp() / "schemas").resource(
        token
    )

    @settings(
        max_examples=EXAMPLES,
        derandomize=EXAMPLES < 1000,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.tuples(inputs(entry), inputs(entry)))
    def play(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
        driver.token, driver.inputs, driver.state, driver.identity = token, {}, {}, "x"
        for number, values in enumerate(pair):
            answer = driver.play({"do": "check", "with": values})
            if "inputs" not in answer:
                assert "failed in" not in answer.get("error", ""), answer
                return
            steps = (
                [{"do": "diff"}, {"do": "update", "preview": True}] if number else [{"do": "preview"}, {"do": "diff"}]
            )
            for step in steps:
                outcome = driver.play(step)
                assert "failed in" not in outcome.get("error", ""), outcome
            driver.inputs, driver.state = driver.news, {"validityEndTime": "2030-01-01T00:00:00Z"}

    play()
