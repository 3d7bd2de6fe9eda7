"""A rehearsal of its own for one test: nothing of it remains, whatever the test does."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.session import Session, open_session
from ops.target import PROJECTS, Target
from rehearsal.clouds.servers import stop
from rehearsal.inventory import held
from rehearsal.workspace import ROOT, WORKSPACES, Workspace


@dataclass
class Ran:
    status: int
    text: str


@dataclass
class Stage:
    name: str

    def workspace(self, system: str) -> Workspace:
        return Workspace(PROJECTS[system], self.name)

    def session(self, system: str = "neurmatic", stack: str = "production") -> Session:
        return open_session(Target(system, stack, self.name))

    def pulumi(self, session: Session, *arguments: str, timeout: int = 600) -> Ran:
        return run(["pulumi", "--non-interactive", *arguments], session.folder, dict(session.environment), timeout)

    def infra(self, *arguments: str, timeout: int = 600) -> Ran:
        """The operator's command as a person calls it."""
        return run([str(ROOT / "infra"), *arguments, "--rehearsal", "--name", self.name], ROOT, None, timeout)

    def variant(self, session: Session, text: str) -> Path:
        """A project folder like the session's own, with another program."""
        folder = session.folder.parent / "variant"
        shutil.copytree(session.folder, folder)
        (folder / "__main__.py").write_text(text)
        project = folder / "Pulumi.yaml"
        project.write_text(re.sub(r"^main: .*$", f"main: {folder}", project.read_text(), flags=re.MULTILINE))
        return folder

    def state(self, session: Session) -> list[dict[str, Any]]:
        exported = json.loads(self.pulumi(session, "stack", "export").text)
        return list((exported.get("deployment") or {}).get("resources") or [])

    def objects(self, system: str = "neurmatic") -> list[tuple[str, str]]:
        """What the embedded clouds hold: type and id."""
        return sorted(held(self.workspace(system).folder))

    def remove(self) -> None:
        stop(WORKSPACES / self.name / "clouds")
        shutil.rmtree(WORKSPACES / self.name, ignore_errors=True)


def run(command: list[str], folder: Path, environment: dict[str, str] | None, timeout: int) -> Ran:
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment if environment is not None else dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Ran(result.returncode, result.stdout)
