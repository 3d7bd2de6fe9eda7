"""What would be felt is known from the settings before and after: each sentence, and no false alarm."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.containers.config import ContainersSettings
from components.containers.felt import FELT, IN_PLACE, changes, left_on, protected, standing
from components.containers.place import Place
from rehearsal.offline.plugins.behaviour import RULES
from rehearsal.stackfile import laid_over

PLACE = Place("neurmatic-{service}-production", "/opt/neurmatic", "/mnt/data", "machine-1", {"product": "neurmatic"})
BASE: dict[str, Any] = {"postgres": {"database": "neurmatic", "user": "neurmatic"}}


def settings(**given: Any) -> ContainersSettings:
    return ContainersSettings.model_validate_json(json.dumps(laid_over(BASE, given)))


def said(place: Place = PLACE, **given: Any) -> dict[str, str]:
    """By way of JSON, as the state keeps it."""
    before = json.loads(json.dumps(standing(settings(), PLACE)))
    return {each.service: each.refusal() for each in changes(before, standing(settings(**given), place))}


@pytest.mark.parametrize(
    ("given", "service", "words"),
    [
        ({"postgres": {"max_connections": 300}}, "postgres", "max_connections=200 -> max_connections=300"),
        ({"postgres": {"image": "postgres:16-alpine"}}, "postgres", "image: postgres:15-alpine -> postgres:16-alpine"),
        ({"redis": {"cpus": 2}}, "redis", "cpus: 1.0 -> 2.0"),
        ({"nginx": {"image": "nginx:1.29"}}, "nginx", "image: nginx:alpine -> nginx:1.29"),
    ],
)
def test_the_sentence_names_what_changes_the_outage_and_the_setting(
    given: dict[str, Any], service: str, words: str
) -> None:
    found = said(**given)
    assert set(found) == {service}
    assert words in found[service]
    assert FELT[service].outage in found[service]
    assert f"containers.allow.{FELT[service].allow}: true" in found[service]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"postgres": {"memory": "5GB", "work_mem": "8MB", "log_min_duration": 5}},
        {"redis": {"maxmemory": "1GB", "memory": "2GB", "policy": "noeviction", "snapshots": ["60 1"]}},
        {"nginx": {"memory": "1GB", "keepalive": 8, "body_limit": "20MB"}},
        {"backend": {"cpus": 1, "count": 4}},
        {"rolling": {"soak": "5s", "healthy_within": "60s"}},
        {"allow": {"restart_postgres": True}},
    ],
)
def test_what_rolls_reloads_or_changes_in_place_is_not_felt(given: dict[str, Any]) -> None:
    assert said(**given) == {}


def test_one_setting_may_be_felt_by_all_three() -> None:
    assert set(said(rolling={"health_interval": "7s"})) == {"postgres", "redis", "nginx"}
    assert set(said(network="another")) == {"postgres", "redis", "nginx"}


def test_where_nothing_stands_nothing_is_felt() -> None:
    now = standing(settings(redis={"cpus": 2}), PLACE)
    assert changes(None, now) == []
    elsewhere = Place(PLACE.names, PLACE.root, PLACE.data, "machine-2", PLACE.labels)
    assert said(elsewhere, redis={"cpus": 2}) == {}


def test_an_opt_in_that_nothing_needs_is_said() -> None:
    now = settings(allow={"restart_postgres": True, "replace_nginx": True}, nginx={"cpus": 2})
    found = changes(standing(settings(), PLACE), standing(now, PLACE))
    assert [each.service for each in found if each.allowed(now.allow)] == ["nginx"]
    assert left_on(now.allow, found) == ["restart_postgres"]


def test_the_engine_protects_what_is_not_allowed() -> None:
    allow = settings(allow={"restart_redis": True}).allow
    kept = {name: protected(name, allow, disposable=False) for name in (*FELT, "backend-1")}
    assert kept == {"postgres": True, "redis": False, "nginx": True, "backend-1": False}
    assert not any(protected(name, allow, disposable=True) for name in FELT)


def test_what_counts_as_in_place_is_what_the_plugin_changes_in_place() -> None:
    """The table is recorded from the real plugin; healthcheck and tmpfs are made to replace by the program."""
    replaces = RULES["docker:index/container:Container"].replaces
    names = {name: _camel(name) for name in standing(settings(), PLACE)["services"]["postgres"]}
    felt = {_camel(name) for name in names} - {"network", "healthcheck", "tmpfs", "networkMode"}
    assert felt - {"image", "name"} <= replaces | {"name", "image"}
    assert not {_camel(name) for name in IN_PLACE} & replaces


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)
