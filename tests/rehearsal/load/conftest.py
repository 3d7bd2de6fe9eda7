"""The light stage that the tests of nginx stand on: no server, no stack, the configuration that ships."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "containers"))
