"""What is left of a state when its server is gone: whole for the engine, and silent about the server."""

from __future__ import annotations

import json
from typing import Any

from ops.drill.lost import NOBODYS, cut_off, harmless, key_of, resources, without_server

URN = "urn:pulumi:production::neurmatic::"
HIDDEN = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": json.dumps("s3cret")}


def one(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"urn": f"{URN}{kind}::{name}", "type": kind, **more}


STACK = one("pulumi:pulumi:Stack", "neurmatic-production")
HOST = one("infra:host:VpsHost", "vps", parent=STACK["urn"])
CONVERGE = one("command:remote:Command", "vps-converge", parent=HOST["urn"])
DOCKER = one("pulumi:providers:docker", "docker", dependencies=[CONVERGE["urn"]])
POSTGRES = one("docker:index/container:Container", "stack-postgres", dependencies=[CONVERGE["urn"]])
PASSWORD = one("random:index/randomPassword:RandomPassword", "credentials-postgres")
HEALTH = one(
    "cloudflare:index/healthcheck:Healthcheck",
    "edge-health",
    dependencies=[POSTGRES["urn"], PASSWORD["urn"]],
    propertyDependencies={"address": [CONVERGE["urn"]], "name": [PASSWORD["urn"]], "none": None},
    deletedWith=POSTGRES["urn"],
)
UPLOADS = one(
    "aws:iam/accessKey:AccessKey", "storage-uploads-key", id="AK1", outputs={"id": "AK1", "secret": dict(HIDDEN)}
)
DUMPS = one("aws:iam/accessKey:AccessKey", "storage-dumps-key-2", id="AK2", outputs={"id": "AK2", "secret": HIDDEN})
STATE = {
    "version": 3,
    "deployment": {
        "resources": [STACK, HOST, CONVERGE, DOCKER, POSTGRES, PASSWORD, HEALTH, UPLOADS, DUMPS],
        "pending_operations": [{"type": "creating"}],
        "secrets_providers": {"type": "passphrase"},
    },
}


def test_what_was_on_the_server_is_forgotten_and_everything_else_stays() -> None:
    left = without_server(STATE)
    assert [each["urn"] for each in resources(left)] == [
        each["urn"] for each in (STACK, HOST, PASSWORD, HEALTH, UPLOADS, DUMPS)
    ]
    assert "pending_operations" not in left["deployment"]
    assert left["deployment"]["secrets_providers"] == {"type": "passphrase"}


def test_nobody_depends_on_what_is_forgotten() -> None:
    health = resources(without_server(STATE))[3]
    assert health["dependencies"] == [PASSWORD["urn"]]
    assert health["propertyDependencies"] == {"address": [], "name": [PASSWORD["urn"]], "none": []}
    assert "deletedWith" not in health


def test_the_state_that_was_given_is_left_as_it_is() -> None:
    before = json.dumps(STATE)
    without_server(STATE)
    cut_off(STATE)
    assert json.dumps(STATE) == before


def test_the_key_of_the_backups_is_found_whatever_its_generation() -> None:
    assert key_of(STATE, "storage-dumps-key") == ("AK2", "s3cret")
    assert key_of({"deployment": {"resources": [UPLOADS]}}, "storage-dumps-key") is None


def test_a_drill_gets_no_key_to_the_uploads_and_keeps_the_one_to_the_backups() -> None:
    drilled = cut_off(STATE)
    assert key_of(drilled, "storage-uploads-key") == (NOBODYS, NOBODYS)
    assert key_of(drilled, "storage-dumps-key") == ("AK2", "s3cret")


def test_a_drill_knows_no_secret_of_a_third_party_but_the_registrys() -> None:
    given = {"neurmatic:registry_token": "t", "neurmatic:sendgrid_api_key": "s", "neurmatic:cloudflare_api_token": "c"}
    assert harmless(given) == {
        "neurmatic:registry_token": "t",
        "neurmatic:sendgrid_api_key": NOBODYS,
        "neurmatic:cloudflare_api_token": NOBODYS,
    }
