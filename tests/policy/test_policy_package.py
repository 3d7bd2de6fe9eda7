"""The pack by path and as an installed package: it starts, or says in one line why not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

POLICY = Path(__file__).resolve().parents[2] / "policy"


def start(folder: Path, environment: Mapping[str, str]) -> tuple[str, str]:
    """What the language host does: the pack's first line is the port on which it answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pulumi.policy", "127.0.0.1:1", str(folder)],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr
    port = process.stdout.readline().strip()
    process.kill()
    said = process.stderr.read()
    process.wait()
    return port, said


def test_pack_starts_by_path() -> None:
    port, said = start(POLICY, {})
    assert port.isdigit(), said


def test_bad_configuration_ends_it_in_one_line() -> None:
    config = json.dumps({"policy:levels": json.dumps({"edge-proxid": "advisory"})})
    port, said = start(POLICY, {"PULUMI_CONFIG": config})
    assert port == ""
    assert said.strip() == "policy pack: policy:levels.edge-proxid: there is no such rule; did you mean edge-proxied."


@pytest.mark.slow
def test_package_holds_a_pack_that_starts(tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(POLICY)).build(directory=str(tmp_path), versions=["standard"])
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    environment = {"PYTHONPATH": str(tmp_path / "site")}
    told = subprocess.run(
        [sys.executable, "-m", "neurmatic_policies"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    folder = Path(told.stdout.strip())
    assert (folder / "PulumiPolicy.yaml").is_file()
    port, said = start(folder, environment)
    assert port.isdigit(), said
