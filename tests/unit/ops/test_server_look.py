"""What `up` learns about the server before it runs, and what it tells the program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from components.host.config import HostSettings
from components.host.items import Item
from components.host.report import CHANGED, Line, Report
from ops import server_look
from ops.errors import OperatorError
from ops.session import Session
from ops.target import Target

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
CHANGES = Report((Line("file:/etc/a", CHANGED, "has other content", "-x"),), run="check")


def host(**ssh: str) -> HostSettings:
    data = {"address": "vps.example", "ipv4": "192.0.2.10", "ssh": {"host_key": KEY, **ssh}, "deploy": {"keys": [KEY]}}
    return HostSettings.model_validate(data)


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    monkeypatch.setattr(server_look, "settings_of", lambda _: SimpleNamespace(host=host()))
    return Session(Target("neurmatic", "production", None), tmp_path, {"SSH_AUTH_SOCK": "/run/agent"})


def seen(report: Report) -> Callable[[HostSettings, Sequence[Item]], Report]:
    return lambda host, more: report


def test_a_drift_reaches_the_program(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    found = server_look.looked_at(session, seen(CHANGES))
    assert found.environment["INFRA_HOST_DRIFT"] == CHANGES.fingerprint != ""
    assert "vps.example is not as the stack file says (1 differences)" in capsys.readouterr().err


def test_without_drift_nothing_runs_again(session: Session) -> None:
    found = server_look.looked_at(session, seen(Report(run="check")))
    assert found.environment["INFRA_HOST_DRIFT"] == ""


def test_a_server_that_cannot_be_reached_does_not_stop_the_plan(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(_: HostSettings, __: Sequence[Item]) -> Report:
        raise OperatorError("vps.example does not answer on port 22.")

    assert server_look.looked_at(session, unreachable) == session
    assert "was not looked at for changes by hand: vps.example does not answer" in capsys.readouterr().err


def test_a_system_without_a_server_is_not_looked_at(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_look, "settings_of", lambda _: None)
    assert server_look.looked_at(session, seen(CHANGES)) == session


def test_without_an_agent_nobody_looks(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    bare = replace(session, environment={})
    assert server_look.looked_at(bare, seen(CHANGES)) == bare
    assert "There is no SSH agent here" in capsys.readouterr().err


def test_a_key_that_the_stack_file_names_goes_to_an_agent(
    session: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = tmp_path / "id"
    key.write_text("key")
    monkeypatch.setattr(server_look, "settings_of", lambda _: SimpleNamespace(host=host(private_key_path=str(key))))
    monkeypatch.setattr(server_look.agent, "serve", lambda path, pid: Path(f"/run/agent-of-{path.name}"))
    found = server_look.looked_at(session, seen(Report(run="check")))
    assert found.environment["SSH_AUTH_SOCK"] == "/run/agent-of-id"
    key.unlink()
    with pytest.raises(OperatorError, match="There is no file"):
        server_look.looked_at(session, seen(CHANGES))
