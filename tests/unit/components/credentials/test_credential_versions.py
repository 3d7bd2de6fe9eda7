"""Versions of a credential: how they are called, where a server keeps them, and what a stack file may say of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.containers.environment import environment_file, secret_variables
from components.credentials.versions import generation_of, login, place, versioned
from components.settings import SettingsError, parse
from neurmatic.credentials import generations, kept_valid, key_generations, surroundings
from neurmatic.settings import NeurmaticSettings
from ops.stackfile import read
from ops.target import ROOT


def settings(**credentials: Any) -> NeurmaticSettings:
    config = read(ROOT / "Pulumi.production.yaml").data["config"]
    data = {key.partition(":")[2]: value for key, value in config.items() if key.startswith("neurmatic:")}
    backend = credentials.pop("backend", {})
    data["credentials"] = credentials
    data["containers"] = {**data["containers"], "backend": backend}
    return parse(NeurmaticSettings, data, rehearsal=True)


def test_two_places_take_turns() -> None:
    assert [place(generation) for generation in range(1, 5)] == ["a", "b", "a", "b"]
    assert login("neurmatic_prod", 2) == "neurmatic_prod_b"


@pytest.mark.parametrize("generation", [1, 2, 10, 9999])
def test_a_version_is_read_back_from_its_name(generation: int) -> None:
    assert generation_of(versioned("credentials-jwt", generation), "credentials-jwt") == generation


@pytest.mark.parametrize("name", ["credentials-jwt_refresh", "credentials-jwt_refresh-2", "credentials-jwt-2-2", "jwt"])
def test_a_like_name_is_no_version(name: str) -> None:
    assert generation_of(name, "credentials-jwt") is None


def test_what_is_not_said_is_the_first_version() -> None:
    assert generations(settings()) == dict.fromkeys(("postgres", "redis", "jwt", "jwt_refresh", "session"), 1)
    assert key_generations(settings(generation={"dumps": 3})) == (1, 3)


def test_backends_log_in_as_the_version_says() -> None:
    around = surroundings(settings(generation={"postgres": 2}))
    variables = secret_variables(settings().containers, around)
    assert variables["DATABASE_URL"].startswith("postgresql://neurmatic_prod_b:{postgres}@")


def test_the_version_before_is_given_out_only_where_it_is_accepted() -> None:
    both = settings(generation={"jwt": 2}, backend={"accepts_previous": True})
    assert kept_valid(both) == ("jwt",)
    assert kept_valid(settings(generation={"jwt": 2})) == ()
    variables = secret_variables(both.containers, surroundings(both))
    assert variables["JWT_SECRET_PREVIOUS"] == "{jwt_previous}"
    assert "SESSION_SECRET_PREVIOUS" not in variables
    values = {name: f"value-of-{name}" for name in json.dumps(variables).replace("}", "{").split("{")}
    assert "JWT_SECRET_PREVIOUS=value-of-jwt_previous\n" in environment_file(variables, values)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"since": {"sendgrid_key": "2026-01-01"}}, "did you mean sendgrid_api_key?"),
        ({"since": {"sentry_dsn": "2999-01-01"}}, "a day that has been"),
        ({"since": {"sentry_dsn": "2026-02-30"}}, "a day that has been"),
        ({"generation": {"postgres": 0}}, "a whole number from 1 to 9999"),
        ({"generation": {"postgers": 2}}, "did you mean postgres?"),
    ],
)
def test_a_mistake_gets_its_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError) as raised:
        settings(**given)
    assert sentence in str(raised.value)


def test_a_day_may_come_as_the_time_that_yaml_makes_of_it() -> None:
    since = settings(since={"sentry_dsn": "2026-01-01T00:00:00Z"}).credentials.since
    assert since == {"sentry_dsn": "2026-01-01"}
