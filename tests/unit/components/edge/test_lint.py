"""Nothing in either zone, on any plan, that Cloudflare would refuse or that could not work."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from systems import CASES, IPV4, IPV6, PRODUCTION, SYSTEMS, built, neurmatic, with_office

from components.edge.rules.zone import CUSTOM, for_owner
from components.edge.zone_data import zone_of
from components.values import CloudflarePlan
from edgerules.lint import lint
from edgerules.zone import Document, build
from ops.edge.export import as_text, zone_from_stack

EXPLAINED = {
    # Only the newest page of Cloudflare's documentation lists 900 s; the spec asks for it and Enterprise has it.
    ("neuropilot", CloudflarePlan.ENTERPRISE): {("ratelimit-period", "limit-auth")},
}


def _findings(zone: dict[str, object]) -> set[tuple[str, str]]:
    return {(finding.code, finding.rule) for finding in lint(built(zone))}


@pytest.mark.parametrize("plan", list(CloudflarePlan))
@pytest.mark.parametrize("system", SYSTEMS)
def test_lint_finds_nothing(system: str, plan: CloudflarePlan) -> None:
    settings, site = SYSTEMS[system](plan=plan)
    assert _findings(zone_of(settings, site, IPV4, IPV6)) == EXPLAINED.get((system, plan), set())


def test_lint_finds_nothing_with_a_tenant() -> None:
    settings, site = neurmatic()
    zone = zone_of(settings, site, IPV4, IPV6, [for_owner(*neurmatic("staging"))])
    assert _findings(zone) == set()


def test_lint_finds_nothing_with_known_addresses() -> None:
    settings, site = neurmatic()
    assert _findings(zone_of(settings, with_office(site), IPV4, IPV6)) == set()


def test_lint_would_find_something() -> None:
    settings, site = neurmatic()
    zone = zone_of(settings, site, IPV4, IPV6)
    challenge = [rule for rule in zone["rules"][CUSTOM] if rule["ref"] == "acme-pass"]
    zone["rules"][CUSTOM] = [
        {"ref": "wall", "expression": 'http.host contains "neurmatic"', "action": "block"},
        *challenge,
    ]
    assert {rule for _, rule in _findings(zone)} >= {"wall"}, "it locks out certificate authorities and crawlers"


@pytest.mark.parametrize(
    "stack", ["Pulumi.production.yaml", "Pulumi.staging.yaml", "neuropilot/Pulumi.production.yaml"]
)
def test_a_stack_file_can_be_exported(stack: str) -> None:
    root = Path(__file__).parents[4]
    zone = yaml.safe_load(yaml.safe_dump(zone_from_stack(root / stack)))
    assert build(Document(stack, zone)).records


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_committed_zone_is_the_one_that_production_declares(system: str) -> None:
    committed = CASES[system].with_name("edge.zone.yaml").read_text()
    made = as_text(zone_from_stack(PRODUCTION[system]))
    assert committed == made, "run `make generated`"


def test_what_is_no_stack_file_gets_a_sentence(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("a: 1\n")
    for path in (other, tmp_path / "missing.yaml", tmp_path):
        with pytest.raises(SystemExit, match="stack file"):
            zone_from_stack(path)
