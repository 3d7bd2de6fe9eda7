"""Ask a real plugin the questions of a case file and write its answers there.

    python record_plugin.py cases/random.json /path/to/pulumi-resource-random

Only answers of a real plugin belong into a case file: the stand-ins are then held to them.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from plugin_driver import Driver, real, shape


def record(file: Path, executable: Path) -> None:
    """Replay all cases of a file and write down what was answered."""
    book = json.loads(file.read_text())
    for case in book["cases"]:
        with tempfile.TemporaryDirectory() as folder:
            driver, process = real(executable, Path(folder))
            try:
                driver.configure(case.get("settings", {}))
                play(driver, case)
            finally:
                process.kill()
                process.wait()
    file.write_text(json.dumps(book, indent=1) + "\n")


def play(driver: Driver, case: dict[str, Any]) -> None:
    """Replay one case, and keep the answers beside the questions."""
    driver.token = case["type"]
    for step in case["steps"]:
        step["answer"] = shape(driver.play(step), case.get("varies", []))


if __name__ == "__main__":
    record(Path(sys.argv[1]), Path(sys.argv[2]))
