"""Programs of a few lines, each in a folder of its own, run by the real engine on a file backend."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.pace import allowed

PYTHON = Path(sys.prefix)
PASSPHRASE = "tiny"


@dataclass
class TinyProject:
    """One project with one stack, `dev`. Every process it starts carries a mark by which it is found again."""

    folder: Path
    engine: Path
    home: Path
    backend: Path
    name: str = "tiny"
    virtualenv: str = str(PYTHON)
    settings: dict[str, str] = field(default_factory=dict)
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def program(self, text: str, **options: str) -> TinyProject:
        options = {"virtualenv": self.virtualenv, **options}
        runtime = {"name": "python", "options": {key: value for key, value in options.items() if value}}
        self.write("Pulumi.yaml", json.dumps({"name": self.name, "runtime": runtime}))
        self.write("__main__.py", "import pulumi\n" + textwrap.dedent(text))
        if not list(self.backend.rglob(f"{self.name}/dev.json")):
            assert self.pulumi("stack", "init", "dev").returncode == 0
        return self

    def policy_pack(self, text: str) -> Path:
        runtime = {"name": "python", "options": {"virtualenv": self.virtualenv}}
        self.write("pack/PulumiPolicy.yaml", json.dumps({"runtime": runtime}))
        self.write("pack/__main__.py", textwrap.dedent(text))
        return self.folder / "pack"

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": os.pathsep.join([str(self.engine), os.environ["PATH"]]),
            "PULUMI_BACKEND_URL": f"file://{self.backend}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_HOME": str(self.home / ".pulumi"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "TINY_MARK": self.mark,
            **self.settings,
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [str(self.engine / "pulumi"), "--non-interactive", "--color=never", *arguments]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Both streams are in stdout, in the order in which a person sees them."""
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=240)
        return subprocess.CompletedProcess(arguments, process.returncode, output, "")

    def succeed(self, *arguments: str) -> str:
        result = self.pulumi(*arguments)
        assert result.returncode == 0, result.stdout
        return result.stdout

    def state(self) -> dict[str, Any]:
        file = next(iter(self.backend.rglob(f"stacks/{self.name}/dev.json")))
        return dict(json.loads(file.read_text())["checkpoint"]["latest"])

    def processes(self) -> list[int]:
        """The processes that this project started and that are still alive."""
        return [pid for pid in every_process() if self._is_ours(pid)]

    def _is_ours(self, pid: int) -> bool:
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return False
        return f"TINY_MARK={self.mark}".encode() in environment.split(b"\0")

    def wait_for_none(self, seconds: float) -> float:
        """How long it took until none of its processes was left."""
        started = time.monotonic()
        while left := self.processes():
            waited = time.monotonic() - started
            assert waited < allowed(seconds), f"{len(left)} processes are left after {waited:.1f} s"
            time.sleep(0.05)
        return time.monotonic() - started

    def end_all(self) -> None:
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)


def every_process() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def wait_for_file(path: Path, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} did not appear"
        time.sleep(0.05)
