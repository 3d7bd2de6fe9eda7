from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from ops import hostkey
from ops.errors import OperatorError

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPx4Zk0Uu6sFjzVjVRkZ5yG0l7t3t1N2J6m8y6m5fD0R"
FILE = """\
config:
  neurmatic:host:
    ssh:
      # Not known yet.
      host_key: {key} # not known yet
  neurmatic:data: protected
"""


@pytest.fixture
def stack_file(tmp_path: Path) -> Path:
    path = tmp_path / "Pulumi.production.yaml"
    path.write_text(FILE.format(key=hostkey.UNKNOWN))
    return path


def test_the_committed_files_say_that_the_key_is_not_known_yet() -> None:
    committed = Path(__file__).resolve().parents[3] / "Pulumi.production.yaml"
    assert hostkey.UNKNOWN in committed.read_text()
    assert hostkey.pinned(committed) is None


def test_pinning_changes_that_line_alone(stack_file: Path) -> None:
    before = stack_file.read_text().splitlines()
    hostkey.pin(stack_file, KEY)
    after = stack_file.read_text().splitlines()
    assert hostkey.pinned(stack_file) == KEY
    assert [line for line, other in zip(after, before, strict=True) if line != other] == [f"      host_key: {KEY}"]


def test_file_without_a_place_for_it_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.x.yaml"
    path.write_text("config: {}\n")
    with pytest.raises(OperatorError, match="host_key"):
        hostkey.pin(path, KEY)
    assert path.read_text() == "config: {}\n"


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_fingerprint_is_the_one_that_ssh_shows(tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    public = (tmp_path / "key.pub").read_text()
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(tmp_path / "key.pub")], check=True, capture_output=True, text=True
    ).stdout
    assert hostkey.fingerprint(public) in shown


@pytest.mark.skipif(shutil.which("ssh-keyscan") is None, reason="ssh-keyscan is not installed")
def test_server_that_does_not_answer_is_a_sentence() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(OperatorError, match="is it up"):
        hostkey.scan("127.0.0.1", port)
