"""What `./infra credentials` says of a stack, from its settings and its state."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from components.settings import StackSettings
from ops.credentials import listing
from ops.credentials.ages import Credential, credentials, day_of
from ops.credentials.known import KEY, PASSWORD, rotated
from ops.credentials.listing import as_data, as_text
from ops.stackcheck import check_file
from ops.target import PROJECTS

TODAY = date(2026, 11, 21)
SINCE = "  neurmatic:credentials:\n    since:\n      cloudflare_api_token: 2026-11-01\n      sentry_dsn: 2025-01-01\n"


def settings_of(tmp_path: Path, system: str = "neurmatic", more: str = "") -> StackSettings:
    file = tmp_path / "Pulumi.production.yaml"
    file.write_text((PROJECTS[system] / file.name).read_text() + more)
    settings = check_file(file, rehearsal=True).settings
    assert settings is not None
    return settings


def resource(type_: str, name: str, created: str = "2026-11-01T10:11:12.123456789Z", **outputs: Any) -> dict[str, Any]:
    return {
        "urn": f"urn:pulumi:production::neurmatic::a$b::{name}",
        "type": type_,
        "created": created,
        "outputs": outputs,
    }


STATE = [
    resource(PASSWORD, "credentials-postgres", "2026-08-01T00:00:00Z"),
    resource(PASSWORD, "credentials-redis", "2026-08-30T00:00:00Z"),
    resource(PASSWORD, "credentials-jwt"),
    resource(KEY, "storage-uploads-key", "2026-11-20T00:00:00Z", createDate="2026-01-01T00:00:00Z"),
    resource("tls:index/selfSignedCert:SelfSignedCert", "edge-ca", validityEndTime="2036-01-01T00:00:00Z"),
]


def named(found: list[Credential]) -> dict[str, Credential]:
    return {each.name: each for each in found}


def test_each_has_its_age_and_its_day(tmp_path: Path) -> None:
    found = named(credentials(settings_of(tmp_path, more=SINCE), STATE, {"neurmatic:cloudflare_api_token"}))
    states = {name: each.state(TODAY, 14) for name, each in found.items()}
    assert found["postgres"].age(TODAY) == 112
    assert (states["postgres"], states["redis"], states["jwt"]) == ("overdue", "due soon", "fine")
    assert str(found["jwt"].due) == "2027-01-30"
    assert states["session"] == "unknown"
    assert "`./infra up`" in found["session"].note
    # AWS knows better than the state when a key was made: it may have been imported.
    assert states["uploads"] == "overdue"
    assert states["cloudflare_api_token"] == "fine"
    assert (states["sentry_dsn"], states["edge_ca"], states["deploy_key"]) == ("missing", "fine", "unknown")
    assert "credentials.since.deploy_key" in found["deploy_key"].note


def test_all_that_nobody_has_set_are_named_with_their_commands(tmp_path: Path) -> None:
    found = credentials(settings_of(tmp_path), STATE, set())
    missing = [each for each in found if each.missing]
    assert len(missing) >= 9
    assert all(f"pulumi config set --secret neurmatic:{each.name}" in each.note for each in missing)


def test_neuropilots_are_there_as_well(tmp_path: Path) -> None:
    found = named(credentials(settings_of(tmp_path, "neuropilot"), [], set()))
    assert {"app_user", "jwt", "refresh_token", "backup_encryption_key", "neon_owner_url"} <= set(found)


def test_a_rotation_that_was_cut_off_is_seen(tmp_path: Path) -> None:
    state = [*STATE, resource(PASSWORD, "credentials-jwt-2")]
    settings = settings_of(tmp_path, more="  neurmatic:credentials:\n    generation:\n      jwt: 2\n")
    assert "`./infra rotate jwt` goes on" in named(credentials(settings, state, set()))["jwt"].note
    jwt = next(each for each in rotated(settings) if each.name == "jwt")
    assert not jwt.complete(state)
    assert jwt.complete([resource(PASSWORD, "credentials-jwt-2")])
    # jwt_refresh is none of its versions.
    assert jwt.complete([resource(PASSWORD, "credentials-jwt-2"), resource(PASSWORD, "credentials-jwt_refresh")])


def test_the_report_is_for_people_and_for_programs(tmp_path: Path) -> None:
    found = credentials(settings_of(tmp_path, more=SINCE), STATE, {"neurmatic:cloudflare_api_token"})
    text = as_text(found, TODAY, 14)
    assert "postgres" in text.splitlines()[1]
    assert "overdue: `./infra rotate postgres`" in text
    assert text.splitlines()[-1].startswith(f"{len(found)} credentials: 2 overdue, 1 due soon")
    data = {each["name"]: each for each in json.loads(as_data(found, TODAY, 14))}
    assert data["postgres"] == {
        "name": "postgres",
        "source": "generated",
        "made": "2026-08-01",
        "age_days": 112,
        "due": "2026-10-30",
        "state": "overdue",
        "note": "",
    }


@pytest.mark.parametrize(("created", "status"), [("2026-08-01T00:00:00Z", 2), ("2999-01-01T00:00:00Z", 1)])
def test_it_ends_with_2_when_one_is_overdue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, created: str, status: int
) -> None:
    settings = settings_of(tmp_path)
    monkeypatch.setattr(listing, "settings_of", lambda target: settings)
    monkeypatch.setattr(listing, "open_session", lambda target: None)
    monkeypatch.setattr(listing, "resources", lambda session: [resource(PASSWORD, "credentials-postgres", created)])
    monkeypatch.setattr(listing, "configured", lambda session: set())
    done = CliRunner().invoke(listing.credentials, ["--stack", "production"])
    assert done.exit_code == status, done.output


@pytest.mark.parametrize("moment", ["2026-11-01T10:11:12.123456789Z", "2026-11-01T10:11:12Z", "2026-11-01T10:11:12.1Z"])
def test_the_engines_moments_are_read(moment: str) -> None:
    assert day_of(resource(PASSWORD, "x", moment)) == date(2026, 11, 1)
