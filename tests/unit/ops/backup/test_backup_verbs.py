"""The verbs, with a server that is a folder of this machine: what they send, what they run, what they leave."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ops.backup import verbs
from ops.backup.onserver import Scripts
from ops.errors import OperatorError
from ops.server import Server

SCRIPT = """#!/bin/sh
for given; do
  echo "[$given]"
  if test -f "$given"; then echo "holds $(cat "$given"), $(stat -c %a "$given")"; fi
done >>{root}/called
exit {code}
"""


class Here(Server):
    """Its SSH is this machine's own shell."""

    def ssh(self, command: str) -> list[str]:
        return ["sh", "-c", command]

    @property
    def place(self) -> str:
        return "here"

    def _refuse_without_key(self) -> None:
        return None


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tools, scripts = tmp_path / "bin", tmp_path / "infrastructure" / "scripts"
    for folder in (tools, scripts, tmp_path / "backups"):
        folder.mkdir(parents=True)
    (tools / "sudo").write_text('#!/bin/sh\ntest "$1" = -n && shift\nexec "$@"\n')
    (tools / "sudo").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    on_server = Scripts(Here(settings=None), str(tmp_path))  # type: ignore[arg-type]
    monkeypatch.setattr(verbs, "scripts_of", lambda target: on_server)
    return tmp_path


def script(root: Path, verb: str, code: int = 0) -> None:
    path = root / "infrastructure" / "scripts" / f"{verb}.sh"
    path.write_text(SCRIPT.format(root=root, code=code))
    path.chmod(0o755)


def run(command: Any, *arguments: str) -> Any:
    return CliRunner().invoke(command, ["--stack", "production", *arguments])


def called(root: Path) -> list[str]:
    return (root / "called").read_text().splitlines()


def test_the_exit_code_is_the_scripts(root: Path) -> None:
    script(root, "backup", 1)
    assert run(verbs.backup, "--list").exit_code == 1
    assert called(root) == ["[--list]"]


def test_a_name_goes_as_it_is_and_flags_with_it(root: Path) -> None:
    script(root, "restore")
    assert run(verbs.restore, "it's.sql.gz", "--into", "look", "--without-safety", "--yes").exit_code == 0
    assert called(root) == ["[it's.sql.gz]", "[--into]", "[look]", "[--without-safety]", "[--yes]"]


def test_files_of_this_machine_are_lent_and_gone_afterwards(root: Path, tmp_path: Path) -> None:
    script(root, "restore", 1)
    dump, key = tmp_path / "neurmatic_20260101_020000.sql.gz", tmp_path / "key with space"
    dump.write_text("a dump")
    key.write_text("a key")
    assert run(verbs.restore, str(dump), "--identity", str(key)).exit_code == 1
    sent, what, _, _, how = called(root)
    assert sent.startswith(f"[{root}/backups/infra-")
    assert sent.endswith(f"/{dump.name}]")
    assert what == "holds a dump, 600"
    assert how == "holds a key, 600"
    assert list((root / "backups").iterdir()) == []


def test_what_is_missing_is_a_sentence(root: Path) -> None:
    nothing = run(verbs.backup)
    assert isinstance(nothing.exception, OperatorError)
    assert "`./infra up` writes it" in str(nothing.exception)
    script(root, "restore")
    missing = run(verbs.restore, "./no/such.sql.gz")
    assert "There is no file" in str(missing.exception)
    assert not (root / "called").exists()


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch) -> str:
    """What the stack's secrets say; asked of the engine elsewhere."""

    class Session:
        def ask(self, *words: str) -> str:
            assert words == ("config", "get", "neuropilot:neon_owner_url")
            return "postgresql://owner:word@there/x\n"

    monkeypatch.setattr(verbs, "open_session", lambda target: Session())
    return "postgresql://owner:word@there/x"


def test_the_owners_address_is_lent_and_said_on_no_command_line(root: Path, owner: str, tmp_path: Path) -> None:
    script(root, "restore")
    assert run(verbs.restore, "--system", "neuropilot", "--yes").exit_code == 0
    said = called(root)
    assert (said[1], said[3]) == ("[--address]", f"holds {owner}, 600")
    assert not [each for each in said if owner in each and not each.startswith("holds")]
    other = tmp_path / "staging"
    other.write_text("postgresql://another")
    (root / "called").unlink()
    run(verbs.restore, "--system", "neuropilot", "--address", str(other))
    assert "holds postgresql://another, 600" in called(root)
    # Nobody needs it to look whether a backup restores.
    (root / "called").unlink()
    run(verbs.restore, "--system", "neuropilot", "--check")
    assert called(root) == ["[latest]", "[--check]"]


def test_the_database_is_looked_at_or_tried(root: Path, owner: str) -> None:
    script(root, "database", 1)
    assert run(verbs.database, "--system", "neuropilot", "--look").exit_code == 1
    assert called(root) == ["[check]"]
    assert run(verbs.database, "--system", "neuropilot").exit_code == 1
    assert f"holds {owner}, 600" in called(root)
    assert "is for neuropilot" in str(run(verbs.database, "--system", "neurmatic").exception)
