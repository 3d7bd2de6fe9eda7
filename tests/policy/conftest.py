"""The pack is run by path, so its folder comes first on the search path, as it does under the engine."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "policy"))
