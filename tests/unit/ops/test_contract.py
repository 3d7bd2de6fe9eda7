"""A change that breaks consumers names what breaks."""

from __future__ import annotations

import json

import pytest

from components.outputs import (
    CONTRACTS,
    VERSION,
    NeurmaticOutputs,
    OutputsError,
    neurmatic,
)
from ops.contract import breaking, broken_fields, broken_variables, path_of, schema_of, text_of

PROMISE = {
    "version": VERSION,
    "environment": "production",
    "release": None,
    "frontend": {"api_url": "https://api.x.io", "ws_url": "wss://api.x.io", "site_url": "https://x.io"},
    "host": {"address": "vps.x.io", "user": "deploy"},
    "storage": {"region": "eu-west-1", "media_bucket": "m", "backups_bucket": "b"},
    "database": {"name": "d", "user": "u", "host": "127.0.0.1", "port": 5432},
}


@pytest.mark.parametrize("name", CONTRACTS)
def test_committed_contract_is_current_and_broken_for_nobody(name: str) -> None:
    assert breaking(name) == [], "raise VERSION, or keep what was promised"
    assert path_of(name).read_text() == text_of(CONTRACTS[name]), "run `make generated`"


def test_what_breaks_is_named() -> None:
    before = schema_of(neurmatic)
    after = json.loads(json.dumps(before))
    del after["$defs"]["FrontendOutputs"]["properties"]["ws_url"]
    after["$defs"]["DatabaseOutputs"]["properties"]["port"]["type"] = "string"
    after["$defs"]["HostOutputs"]["required"].remove("user")
    assert list(broken_fields(before, after)) == [
        "frontend.ws_url is gone",
        "host.user was string and is string, optional",
        "database.port was integer and is string",
    ]


def test_an_added_field_breaks_nobody() -> None:
    before = schema_of(neurmatic)
    after = json.loads(json.dumps(before))
    after["$defs"]["HostOutputs"]["properties"]["ipv6"] = {"type": "string"}
    assert list(broken_fields(before, after)) == []


def test_a_teams_variable_that_goes_is_named() -> None:
    before = {"frontend": {"VITE_API_URL": "frontend.api_url", "VITE_WS_URL": "frontend.ws_url"}}
    after = {"frontend": {"VITE_API_URL": "frontend.api_url"}}
    assert list(broken_variables(before, after)) == ["team frontend: VITE_WS_URL no longer comes from frontend.ws_url"]


def test_every_variable_of_every_team_comes_from_a_field() -> None:
    outputs = neurmatic.parse(PROMISE, "x/y")
    for team in neurmatic.teams:
        assert all(neurmatic.environment(outputs, team).values())


def test_reader_takes_a_newer_stacks_further_fields() -> None:
    parsed = neurmatic.parse({**PROMISE, "invented_later": 1}, "x/y")
    assert isinstance(parsed, NeurmaticOutputs)
    assert parsed.frontend.api_url == "https://api.x.io"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (None, "publishes no contract"),
        ("text", "publishes no contract"),
        ({**PROMISE, "version": VERSION - 1}, "older than"),
        ({**PROMISE, "version": VERSION + 1}, "newer than"),
        ({**PROMISE, "version": "x"}, "older than"),
        ({key: value for key, value in PROMISE.items() if key != "storage"}, "lacks storage"),
        ({**PROMISE, "frontend": {}}, "lacks frontend.api_url, frontend.ws_url, frontend.site_url"),
    ],
)
def test_a_promise_that_is_not_kept_is_a_sentence(document: object, said: str) -> None:
    with pytest.raises(OutputsError, match=said) as caught:
        neurmatic.parse(document, "neurmatic/production")
    assert "neurmatic/production" in str(caught.value)


def test_unknown_team_names_the_known_ones() -> None:
    with pytest.raises(OutputsError, match="frontend, backend"):
        neurmatic.check_team("marketing")
