"""A program that is nothing but the edge of one committed stack, run by the real engine on the stand-ins."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rehearsal.offline.install import install

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import pulumi
from pathlib import Path
from components.edge.component import CloudflareEdge, CloudflareEdgeArgs
from ops.edge.export import stack_edge
from pulumi_cloudflare.provider import Provider as Cloudflare
import pulumi_tls as tls

settings, site, ipv4, ipv6 = stack_edge(Path({stackfile!r}))
{changes}
clouds = pulumi.ResourceOptions(providers=[Cloudflare("cloudflare", api_token="rehearsal-t"), tls.Provider("tls")])
edge = CloudflareEdge("edge", CloudflareEdgeArgs(settings, site, ipv4, ipv6), clouds)
pulumi.export("rate_limits", edge.rate_limits)
pulumi.export("dnssec", edge.dnssec)
pulumi.export("rules_for_owner", edge.rules_for_owner)
pulumi.export("probe_key", edge.origin_pulls.probe.key if edge.origin_pulls else None)
"""


@dataclass
class Stack:
    folder: Path
    environment: dict[str, str]

    def write(self, stackfile: str, changes: str = "") -> None:
        """The program for a stack file; `changes` are lines that alter `settings` or `site`."""
        program = PROGRAM.format(stackfile=str(ROOT / stackfile), changes=changes)
        (self.folder / "__main__.py").write_text(program)

    def pulumi(self, *words: str, succeeds: bool = True) -> str:
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
        return dict(json.loads(self.pulumi("stack", "output", "--json", "--show-secrets")))

    def resources(self) -> list[dict[str, Any]]:
        exported = json.loads(self.pulumi("stack", "export"))
        return list(exported["deployment"]["resources"])


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    folder, state = tmp_path / "program", tmp_path / "state"
    folder.mkdir()
    state.mkdir()
    install(tmp_path / "home", [f"file://{state}"])
    path = f"{ROOT / '.toolchain' / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    if not shutil.which("pulumi", path=path):
        pytest.fail("No pulumi on PATH or in .toolchain/bin: `make preview` sets one up.")
    runtime = f"runtime: {{name: python, options: {{virtualenv: {Path(sys.prefix)}}}}}\n"
    (folder / "Pulumi.yaml").write_text(f"name: zone\n{runtime}")
    made = Stack(
        folder,
        {
            **os.environ,
            "PATH": path,
            "PYTHONPATH": str(ROOT),
            "PULUMI_HOME": str(tmp_path / "home"),
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "rehearsal",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_DEFAULT_PROVIDERS": "true",
        },
    )
    made.write("Pulumi.production.yaml")
    made.pulumi("stack", "init", "dev")
    made.pulumi("config", "set", "--path", "pulumi:disable-default-providers[0]", "*")
    return made
