"""What the emulated clouds need, and operators of real stacks do not: set up by the first verb that makes something."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

from ops.errors import OperatorError
from ops.target import Target

ROOT = Path(__file__).resolve().parent.parent


def set_up_for(target: Target) -> None:
    if target.rehearsal:
        set_up()


def set_up() -> None:
    if importlib.util.find_spec("moto") is not None:
        return
    if subprocess.run([ROOT / "ops" / "setup.sh", "dev"], check=False).returncode:
        raise OperatorError("What the emulated clouds need could not be set up: see above.")
