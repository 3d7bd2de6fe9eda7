"""Production of Neurmatic with one change, as a careless pull request makes it, before the real engine."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from ops.session import Session, open_session
from ops.target import Target
from rehearsal.workspace import ROOT, write

# The committed program, with what `change` does to each resource before it is registered.
PROGRAM = """
import runpy
import pulumi
{before}

def change(args):
    kind, name, props, opts = args.type_, args.name, args.props, args.opts
{change}
    return pulumi.ResourceTransformationResult(props, opts)

pulumi.runtime.register_stack_transformation(change)
runpy.run_path({main!r}, run_name="__main__")
"""


@dataclass(frozen=True)
class Ran:
    status: int
    text: str
    seconds: float


@dataclass(frozen=True)
class Rehearsal:
    name: str

    @functools.cached_property
    def session(self) -> Session:
        """Production as it is committed, deployed on the embedded clouds: that is what pull requests change."""
        session = open_session(Target("neurmatic", "production", self.name))
        self._protect(session.folder)
        done = self._pulumi(session, session.folder, "up", "--yes", "--skip-preview")
        assert done.status == 0, done.text
        return session

    def changed(self, label: str, change: str, before: str = "") -> Ran:
        """A preview of production with one change; several may run at a time. `before` runs before the program."""
        folder = self.session.folder.parent / f"changed-{label}"
        shutil.copytree(self.session.folder, folder)
        body = "\n".join(f"    {line}" for line in change.strip().splitlines())
        write(folder / "__main__.py", PROGRAM.format(before=before, change=body, main=str(ROOT / "__main__.py")))
        project = (folder / "Pulumi.yaml").read_text()
        write(folder / "Pulumi.yaml", re.sub(r"^main: .*$", f"main: {folder}", project, flags=re.MULTILINE))
        return self._pulumi(self.session, folder, "preview")

    def exported(self) -> str:
        return self._pulumi(self.session, self.session.folder, "stack", "export").text

    def _protect(self, folder: Path) -> None:
        """Rehearsals may lose their data; production may not, and it is production that is judged."""
        file = folder / "Pulumi.production.yaml"
        write(file, file.read_text().replace("neurmatic:data: disposable", "neurmatic:data: protected"))

    def _pulumi(self, session: Session, folder: Path, *words: str) -> Ran:
        command = ["pulumi", "--non-interactive", *words, "--stack", "production"]
        # The program runs from its checkout, wherever the changed one stands.
        return run(command, folder, {**session.environment, "PYTHONPATH": str(ROOT)})

    def judge(self) -> Ran:
        assert self.session
        options = ["--stack", "production", "--rehearsal", "--name", self.name]
        return run([str(ROOT / "infra"), "judge", *options], ROOT, None)


def judge_file(file: Path) -> Ran:
    """As somebody does who was handed a state, and has neither its backend nor its key."""
    return run([str(ROOT / "infra"), "judge", "--stack", "production", "--file", str(file)], ROOT, None)


def run(command: list[str], folder: Path, environment: dict[str, str] | None) -> Ran:
    started = time.monotonic()
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    return Ran(done.returncode, done.stdout, time.monotonic() - started)
