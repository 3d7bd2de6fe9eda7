"""The docker stand-in on a Docker engine does what the official plugin was recorded to do there."""

from pathlib import Path
from typing import Any

import pytest
from plugin_cases import PLAYERS, books, cases_of, replay
from plugin_driver import ENGINE

pytestmark = pytest.mark.rehearsal

ACTING = [case for stem, book in books() if "acts" in book for case in cases_of(stem, book, PLAYERS)]


@pytest.mark.parametrize(("player", "plugin", "case"), ACTING)
@pytest.mark.usefixtures("case_image", "tidy")
def test_a_case_on_an_engine(player: str, plugin: str, case: dict[str, Any], tmp_path: Path) -> None:
    replay(player, plugin, case, tmp_path, ENGINE)
