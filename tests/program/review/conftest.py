from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ops import engine
from rehearsal.workspace import ROOT


class Clone:
    """A repository of its own with this checkout's files, uncommitted ones included, as its first commit."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "A. Person")
        self.git("config", "user.email", "person@example.com")

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def append(self, name: str, text: str) -> None:
        file = self.root / name
        file.write_text(file.read_text() + text)

    def infra(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The operator's command, of this clone, with the packages that are installed."""
        command = [sys.executable, "-m", "ops", *words]
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False, timeout=600)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    engine.ensure(lambda text: print(text, file=sys.stderr))
    root = tmp_path / "clone"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in names:
        if name and (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    made = Clone(root)
    (root / ".venv").symlink_to(Path(sys.prefix))
    with (root / ".git" / "info" / "exclude").open("a") as excluded:
        excluded.write(".venv\n")
    return made
