"""What the set-up says when something is missing. It runs before anything is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ops.setup import explain

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("WARNING: Retrying ... NewConnectionError(...)\nERROR: Could not find a version", "No network"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "its hash differs"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("building\nERROR: Could not build wheels for x\nhint: see above", "Could not build wheels"),
        ("", "no output"),
    ],
)
def test_failure_is_a_sentence(log: str, said: str, tmp_path: Path) -> None:
    text = explain(log, "the Python packages", tmp_path / "log")
    assert said in text
    assert "\n" not in text


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the set-up needs of a checkout, in another place."""
    folder = tmp_path / "another name"
    (folder / "ops").mkdir(parents=True)
    for name in ("ops/__init__.py", "ops/engine.py", "ops/engine.json", "ops/download.py", "ops/errors.py"):
        shutil.copy2(ROOT / name, folder / name)
    for name in ("ops/setup.sh", "ops/setup.py", "infra", "requirements.txt", "requirements-dev.txt", "pyproject.toml"):
        shutil.copy2(ROOT / name, folder / name)
    return folder


def run(checkout: Path, path: str) -> subprocess.CompletedProcess[str]:
    nowhere = "http://127.0.0.1:9"
    environment = {**os.environ, "PATH": path, "PYTHON": "", "XDG_CACHE_HOME": f"{checkout}/cache"}
    environment |= {"HTTPS_PROXY": nowhere, "https_proxy": nowhere}
    command = ["/bin/sh", str(checkout / "infra"), "check"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def tools(folder: Path, python: str) -> str:
    """A PATH with the little that the scripts use, and that Python."""
    folder.mkdir()
    for name in ("sh", "dirname", "cat", "readlink"):
        (folder / name).symlink_to(shutil.which(name) or "")
    program = folder / "python3"
    program.write_text(python)
    program.chmod(0o755)
    return str(folder)


def test_old_python_is_named_before_anything_happens(checkout: Path, tmp_path: Path) -> None:
    ran = run(checkout, tools(tmp_path / "bin", "#!/bin/sh\nexit 1\n"))
    assert ran.returncode != 0
    assert "Python 3.10 or newer is needed" in ran.stderr
    assert not (checkout / ".venv").exists()
    assert not (checkout / ".toolchain").exists()


def test_python_without_venv_is_named_before_anything_happens(checkout: Path, tmp_path: Path) -> None:
    crippled = f'#!/bin/sh\nif [ "$1" = -c ]; then exit 0; fi\nexec {sys.executable} {tmp_path}/crippled.py "$@"\n'
    (tmp_path / "crippled.py").write_text(
        "import importlib.util, runpy, sys\n"
        "real = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'ensurepip' else real(name, *rest)\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    ran = run(checkout, tools(tmp_path / "bin", crippled))
    assert ran.returncode != 0
    assert "install python3-venv" in ran.stderr
    assert not (checkout / ".venv").exists()


def test_machine_without_a_compiler_and_a_network_is_told_before_anything_happens(
    checkout: Path, tmp_path: Path
) -> None:
    ran = run(checkout, tools(tmp_path / "bin", f'#!/bin/sh\nexec {sys.executable} "$@"\n'))
    assert ran.returncode != 0
    assert "can neither be downloaded nor built" in ran.stderr
    assert "install pulumi" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (checkout / ".venv").exists()
