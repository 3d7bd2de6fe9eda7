"""A tiny program in a rehearsal of its own, run by the engine."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rehearsal.offline.install import install

ROOT = Path(__file__).resolve().parents[3]
MODULES = {
    "aws": "pulumi_aws",
    "cf": "pulumi_cloudflare",
    "command": "pulumi_command",
    "docker": "pulumi_docker",
    "random": "pulumi_random",
    "tls": "pulumi_tls",
}


@dataclass
class Tiny:
    """One project, one stack, one rehearsal."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def write(self, program: str) -> None:
        """Replace the program."""
        used = [f"import {module} as {name}\n" for name, module in MODULES.items() if f"{name}." in program]
        (self.folder / "__main__.py").write_text("import pulumi\n" + "".join(used) + program)

    def pulumi(self, *words: str, succeeds: bool = True) -> str:
        """Run one command of the engine; give all that it printed."""
        done = subprocess.run(
            ["pulumi", *words, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        printed = done.stdout + done.stderr
        assert (done.returncode == 0) == succeeds, printed
        assert "Traceback" not in printed, printed
        return printed

    def outputs(self) -> dict[str, Any]:
        """Give the stack's outputs, secrets in the open."""
        return dict(json.loads(self.pulumi("stack", "output", "--json", "--show-secrets")))


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    folder, state = tmp_path / "program", tmp_path / "state"
    folder.mkdir()
    state.mkdir()
    backend = f"file://{state}"
    install(tmp_path / "home", [backend])
    path = f"{ROOT / '.toolchain' / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    if not shutil.which("pulumi", path=path):
        pytest.fail("No pulumi on PATH or in .toolchain/bin: `make preview` sets one up.")
    runtime = f"runtime: {{name: python, options: {{virtualenv: {Path(sys.prefix)}}}}}\n"
    (folder / "Pulumi.yaml").write_text(f"name: tiny\n{runtime}")
    project = Tiny(
        folder,
        {
            **os.environ,
            "PATH": path,
            "PULUMI_HOME": str(tmp_path / "home"),
            "PULUMI_BACKEND_URL": backend,
            "PULUMI_CONFIG_PASSPHRASE": "rehearsal",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        },
    )
    project.write("")
    project.pulumi("stack", "init", "dev")
    return project
