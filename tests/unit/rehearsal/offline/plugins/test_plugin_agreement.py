"""The stand-ins answer what the real plugins were recorded to answer."""

from pathlib import Path
from typing import Any

import pytest
from plugin_cases import PLAYERS, books, cases_of, replay
from plugin_driver import SSH

from rehearsal.offline.plugins.behaviour import RULES

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
