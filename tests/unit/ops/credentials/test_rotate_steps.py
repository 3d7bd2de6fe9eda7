"""When `./infra rotate` counts a version up, when it goes on with one, and what it says before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from components.settings import StackSettings
from ops.credentials import rotate
from ops.credentials.known import PASSWORD
from ops.errors import OperatorError
from ops.session import Session
from ops.stackcheck import check_file
from ops.target import PROJECTS, Target


def settings_of(tmp_path: Path, system: str = "neurmatic", more: str = "") -> StackSettings:
    file = tmp_path / "Pulumi.production.yaml"
    file.write_text((PROJECTS[system] / file.name).read_text() + more)
    settings = check_file(file, rehearsal=True).settings
    assert settings is not None
    return settings


def state(*names: str) -> list[dict[str, Any]]:
    return [
        {"urn": f"urn:pulumi:p::n::t::{name}", "type": PASSWORD, "created": "2026-01-01T00:00:00Z"} for name in names
    ]


class Asked:
    """The state that is there, what was written to the stack file, and the operator's answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, resources: list[dict[str, Any]], answer: bool = True) -> None:
        self.written: list[tuple[str, int]] = []
        monkeypatch.setattr(rotate, "resources", lambda session: resources)
        monkeypatch.setattr(rotate, "write", lambda session, name, number: self.written.append((name, number)))
        monkeypatch.setattr(click, "confirm", lambda text: answer)

    def begin(self, settings: StackSettings, *names: str, yes: bool = False, system: str = "neurmatic") -> None:
        session = Session(Target(system, "production"), Path("/"), {})
        rotate.begin(session, [rotate.one(settings, name) for name in names], yes)


def test_the_next_number_is_written_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch, state("credentials-postgres", "credentials-redis"))
    asked.begin(settings_of(tmp_path), "postgres", "redis")
    assert asked.written == [("postgres", 2), ("redis", 2)]


def test_one_that_was_cut_off_goes_on_with_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(tmp_path, more="  neurmatic:credentials:\n    generation:\n      postgres: 2\n")
    for left in (["credentials-postgres"], ["credentials-postgres", "credentials-postgres-2"]):
        asked = Asked(monkeypatch, state(*left), answer=False)
        asked.begin(settings, "postgres")
        assert asked.written == []
        assert "postgres to version 2 was cut off: it goes on" in capsys.readouterr().err
    asked = Asked(monkeypatch, state("credentials-postgres-2"))
    asked.begin(settings, "postgres")
    assert asked.written == [("postgres", 3)]


def test_who_declines_has_changed_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch, state("credentials-jwt"), answer=False)
    with pytest.raises(OperatorError, match=r"Nothing was changed\."):
        asked.begin(settings_of(tmp_path), "jwt")
    assert asked.written == []
    asked.begin(settings_of(tmp_path), "jwt", yes=True)
    assert asked.written == [("jwt", 2)]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("", "Everyone is logged out"),
        ("    backend:\n      accepts_previous: true\n", "stays valid until the next rotation"),
    ],
)
def test_it_says_who_will_notice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], more: str, sentence: str
) -> None:
    file = tmp_path / "Pulumi.production.yaml"
    text = (PROJECTS["neurmatic"] / file.name).read_text()
    file.write_text(text.replace("  neurmatic:containers:\n", f"  neurmatic:containers:\n{more}"))
    settings = check_file(file, rehearsal=True).settings
    assert settings is not None
    Asked(monkeypatch, state("credentials-jwt")).begin(settings, "jwt", yes=True)
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("sendgrid_api_key", "issued by somebody else.*pulumi config set --secret neurmatic:sendgrid_api_key"),
        ("deploy_key", "host.deploy.keys"),
        ("postgers", "There is no credential 'postgers' to rotate: there is postgres, redis"),
    ],
)
def test_what_it_cannot_rotate_it_explains(tmp_path: Path, name: str, sentence: str) -> None:
    with pytest.raises(OperatorError, match=sentence):
        rotate.one(settings_of(tmp_path), name)


def test_before_the_first_up_there_is_nothing_to_rotate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OperatorError, match=r"redis: not made yet\. `./infra up` does it"):
        Asked(monkeypatch, state("credentials-postgres")).begin(settings_of(tmp_path), "postgres", "redis")


def test_neuropilots_say_what_is_left_to_do_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(tmp_path, "neuropilot")
    Asked(monkeypatch, state("credentials-jwt")).begin(settings, "jwt", yes=True, system="neuropilot")
    assert "put JWT_SECRET into its variables" in capsys.readouterr().err
    assert rotate.finish(Session(Target("neuropilot", "production"), Path("/"), {}), rotate.one(settings, "jwt")) == 0
    assert "stack output secrets --show-secrets" in capsys.readouterr().err
