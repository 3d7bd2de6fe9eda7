"""The zone's part of `./infra drift`: what is gone, what stands beside ours, and what is said without a token."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from components.settings import StackSettings
from ops.edge.drift import TOKEN, as_text, differences, edge_drift
from ops.edge.export import stack_edge
from ops.edge.live import Live, Wanted
from ops.target import ROOT

PRODUCTION = ROOT / "Pulumi.production.yaml"


@pytest.fixture(scope="module")
def wanted() -> Wanted:
    return Wanted(*stack_edge(PRODUCTION))


def as_made(wanted: Wanted) -> Live:
    """A zone as the stack has left it."""
    from components.edge.rules.zone import rulesets  # noqa: PLC0415 (what the stack would make, and nothing else)

    records = [
        {"id": entry.role, "name": entry.name, "type": entry.type, "content": entry.content, "data": entry.data}
        for entry in wanted.records
    ]
    phases = {phase: f"id-{phase}" for phase in rulesets(wanted.settings, wanted.site)}
    return Live(wanted.settings.zone, wanted.settings.plan.value, records, phases)


def test_a_zone_as_it_was_made_has_no_drift(wanted: Wanted) -> None:
    assert list(differences(wanted, as_made(wanted))) == []


def test_each_thing_by_hand_is_found(wanted: Wanted) -> None:
    live = as_made(wanted)
    for record in live.records:
        without = replace(live, records=[each for each in live.records if each is not record])
        assert any(record["name"] in line for line in differences(wanted, without)), record
    address = next(each for each in live.records if each["type"] == "A")
    moved: dict[str, Any] = {**address, "content": "203.0.113.99"}
    others = [each for each in live.records if each is not address]
    found = list(differences(wanted, replace(live, records=[*others, moved])))
    assert any("203.0.113.99: stands beside ours" in line for line in found)
    for phase in live.rulesets:
        left = {name: value for name, value in live.rulesets.items() if name != phase}
        assert list(differences(wanted, replace(live, rulesets=left))) == [f"ruleset of the phase {phase}: is gone"]
    assert list(differences(wanted, replace(live, plan="free")))


def test_without_a_token_it_says_so(wanted: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN, raising=False)
    settings = cast(StackSettings, SimpleNamespace(edge=wanted.settings, site=wanted.site))
    assert edge_drift(settings) is None
    assert f"{TOKEN} is not set" in as_text(settings, None)
    assert as_text(settings, []) == "neurmatic.com: no drift in records and rulesets."
    assert as_text(cast(StackSettings, SimpleNamespace()), None) == ""
