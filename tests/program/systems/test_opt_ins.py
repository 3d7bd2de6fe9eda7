"""What is felt stops a preview and an `up` before anything has changed, by `./infra` and by plain pulumi alike."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from stage import Ran, Stage

from ops.session import Session

pytestmark = pytest.mark.engine
UP = ("up", "--yes", "--skip-preview", "--stack", "production")
ALLOWED = ("restart_postgres", "restart_redis", "replace_nginx")
PREVIEW = ("preview", "--stack", "production")


def written(session: Session, **containers: Any) -> None:
    file = session.folder / "Pulumi.production.yaml"
    document = yaml.safe_load(file.read_text())
    given = document["config"]["neurmatic:containers"]
    for name, value in containers.items():
        given[name] = {**given.get(name, {}), **value} if isinstance(value, dict) else value
    file.write_text(yaml.safe_dump(document, sort_keys=False))


def ids(stage: Stage, session: Session) -> dict[str, str]:
    return {each["urn"].split("::")[-1]: each.get("id", "") for each in stage.state(session)}


def refused(ran: Ran, *words: str) -> bool:
    return ran.status != 0 and "Traceback" not in ran.text and all(word in ran.text for word in words)


def test_what_is_felt_needs_an_opt_in_and_is_said_first(stage: Stage) -> None:
    session = stage.session()
    first = stage.pulumi(session, *UP)
    assert first.status == 0, first.text  # nothing stands yet, so nothing needs to be allowed
    before = ids(stage, session)

    written(session, postgres={"max_connections": 300}, redis={"cpus": 2}, nginx={"image": "nginx:1.29-alpine"})
    said = (
        "PostgreSQL restarts (command: max_connections=200 -> max_connections=300)",
        "containers.allow.restart_postgres: true",
        "Redis restarts (cpus: 1.0 -> 2.0)",
        "containers.allow.restart_redis: true",
        "nginx is replaced (image: nginx:alpine -> nginx:1.29-alpine)",
        "containers.allow.replace_nginx: true",
        "Expected outage:",
    )
    for arguments in (PREVIEW, UP):
        assert refused(stage.pulumi(session, *arguments), *said)
    assert refused(stage.infra("preview", "--stack", "production"), *said)
    assert ids(stage, session) == before

    written(session, allow={"restart_postgres": True, "restart_redis": True})
    assert refused(stage.pulumi(session, *UP), "replace_nginx")
    assert ids(stage, session) == before

    written(session, allow={"replace_nginx": True})
    preview = stage.pulumi(session, *PREVIEW)
    assert preview.status == 0, preview.text
    assert all(f"Allowed by containers.allow.{name}" in preview.text for name in ALLOWED)
    up = stage.pulumi(session, *UP)
    assert up.status == 0, up.text
    after = ids(stage, session)
    containers = {"stack-postgres", "stack-redis", "stack-nginx"}
    assert {name for name in containers if before[name] == after[name]} == set()

    again = stage.pulumi(session, *PREVIEW)
    assert again.status == 0, again.text
    assert all(f"containers.allow.{name} is on and nothing needs it: take it out" in again.text for name in ALLOWED)


@pytest.mark.long
def test_what_takes_effect_without_a_restart_needs_none(stage: Stage) -> None:
    session = stage.session()
    assert stage.pulumi(session, *UP).status == 0
    before = ids(stage, session)
    written(session, postgres={"memory": "5GB", "work_mem": "4MB"}, redis={"maxmemory": "1GB"}, nginx={"keepalive": 32})
    up = stage.pulumi(session, *UP)
    assert up.status == 0, up.text
    assert ids(stage, session) == before


@pytest.mark.long
def test_the_engine_asks_as_well(stage: Stage) -> None:
    """A refresh may find a reason for another container that no setting knows; in a rehearsal nothing is protected."""
    session = stage.session()
    file = session.folder / "Pulumi.production.yaml"
    file.write_text(file.read_text().replace("neurmatic:data: disposable", "neurmatic:data: protected"))
    assert stage.pulumi(session, *UP).status == 0
    protected = [each["urn"].split("::")[-1] for each in stage.state(session) if each.get("protect")]
    assert {"stack-postgres", "stack-redis", "stack-nginx"} <= set(protected)
    urn = next(each["urn"] for each in stage.state(session) if each["urn"].endswith("stack-postgres"))
    assert refused(stage.pulumi(session, *UP, "--replace", urn), "unable to replace", "protect")
    written(session, allow={"restart_postgres": True})
    assert json.loads(stage.pulumi(session, "stack", "export").text)
    assert stage.pulumi(session, *UP, "--replace", urn).status == 0
