"""The agent of a rehearsal holds the machine's key, and goes with the process that asked for it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rehearsal import RehearsalError, agent

SERVES = "import sys, os; from pathlib import Path; from rehearsal import agent;"
SERVES += " print(agent.serve(Path(sys.argv[1]), os.getpid()), flush=True); sys.stdin.read()"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "of a test", "-f", str(path)], check=True)
    return path


def test_it_holds_the_key_and_goes_with_its_process(key: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVES, str(key)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        path = Path(process.stdout.readline().strip())
        held = subprocess.run(
            ["ssh-add", "-l"],
            env={**os.environ, "SSH_AUTH_SOCK": str(path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "of a test" in held.stdout
        process.kill()
    deadline = time.monotonic() + 15
    while path.parent.exists():
        assert time.monotonic() < deadline, "the agent outlived its process"
        time.sleep(0.1)


def test_a_key_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("nonsense")
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(RehearsalError, match="could not be given to the SSH agent"):
        agent.serve(tmp_path / "key", os.getpid())
