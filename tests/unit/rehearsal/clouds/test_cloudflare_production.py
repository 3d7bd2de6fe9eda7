"""Production's own zones, written call by call: the emulated API takes them, and they behave as their cases say."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest
from cloud_clients import Cloudflare

from edgerules.cases import load_cases, run_file
from edgerules.zone import Document, Zone, build
from ops.edge.export import zone_from_stack
from rehearsal.clouds import servers

ROOT = Path(__file__).parents[4]
SYSTEMS = {"neurmatic": ROOT / "Pulumi.production.yaml", "neuropilot": ROOT / "neuropilot" / "Pulumi.production.yaml"}
OF_THE_API = {"id", "logging"}
"""What it adds to a rule: its own id, and that a skip is logged."""


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def declared(system: str) -> dict[str, Any]:
    return zone_from_stack(SYSTEMS[system])


@pytest.fixture
def emulated(clouds: servers.Clouds, cloudflare: Cloudflare, declared: dict[str, Any]) -> Zone:
    zone_id = secrets.token_hex(16)
    clouds.adopt(servers.Zone(zone_id, declared["name"], declared["plan"], secrets.token_hex(16)))
    _write(cloudflare, f"zones/{zone_id}", declared)
    return build(Document("emulated", clouds.zone(zone_id)))


def _write(cloudflare: Cloudflare, zone: str, declared: dict[str, Any]) -> None:
    calls = [("POST", "dns_records", record) for record in declared["records"]]
    calls += [("PATCH", f"settings/{name}", {"value": value}) for name, value in declared["settings"].items()]
    calls += [
        ("POST", "rulesets", {"name": phase, "kind": "zone", "phase": phase, "rules": rules})
        for phase, rules in declared["rules"].items()
    ]
    calls += [("PUT", part, declared[part]) for part in ("url_normalization", "bot_management")]
    for method, path, body in calls:
        answer = cloudflare(method, f"{zone}/{path}", body)
        assert answer.status == 200, (path, body, answer.body)


def test_what_was_written_is_what_is_there(emulated: Zone, declared: dict[str, Any]) -> None:
    wanted, found = (_comparable(zone) for zone in (build(Document("declared", declared)), emulated))
    for part in wanted:
        assert found[part] == wanted[part], part


def _comparable(zone: Zone) -> dict[str, Any]:
    data = zone.model_dump(exclude={"must_pass"})
    data["rules"] = {
        phase: [{key: value for key, value in rule.items() if key not in OF_THE_API} for rule in rules]
        for phase, rules in data["rules"].items()
    }
    # A record with data has its content computed by the API.
    data["records"] = sorted(
        (one["type"], one["name"], one["proxied"], one["priority"] or 0) for one in data["records"]
    )
    data["bot_management"] = {key: value for key, value in data["bot_management"].items() if value is not None}
    return data


def test_every_case_of_the_system_holds_on_the_emulated_zone(emulated: Zone, system: str) -> None:
    results = list(run_file(load_cases(str(ROOT / system / "edge.cases.yaml"), emulated)))
    assert len(results) > 10
    assert [failure for result in results for failure in result.failures] == []
