"""Both zones by the real engine: they preview, come up, and then nothing differs; a change touches what it is about."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Stack

from ops.edge.export import stack_edge
from ops.edge.live import Live, Wanted, import_file, imports

pytestmark = pytest.mark.engine

NEURMATIC, NEUROPILOT = "Pulumi.production.yaml", "neuropilot/Pulumi.production.yaml"


@pytest.mark.parametrize("stackfile", [NEURMATIC, NEUROPILOT])
def test_a_zone_previews_comes_up_and_stays(stack: Stack, stackfile: str) -> None:
    stack.write(stackfile)
    printed = stack.pulumi("preview")
    assert "requests in 60 s at the edge" in printed, "the preview says what became of the rate limits"
    stack.pulumi("up", "--yes", "--skip-preview")
    stack.pulumi("preview", "--expect-no-changes")
    stack.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    stack.pulumi("preview", "--expect-no-changes")
    assert not [each for each in stack.resources() if each["type"].startswith("cloudflare:index/zone:")]
    stack.pulumi("destroy", "--yes", "--skip-preview")


def test_a_change_touches_what_it_is_about(stack: Stack) -> None:
    stack.write(NEURMATIC)
    stack.pulumi("up", "--yes", "--skip-preview")
    blocked = 'settings.waf.model_copy(update={"blocked_countries": ("KP",)})'
    stack.write(NEURMATIC, f'settings = settings.model_copy(update={{"waf": {blocked}}})')
    printed = stack.pulumi("preview", "--diff")
    assert re.search(r"~ 1 to update", printed), printed
    assert "http-request-firewall-custom" in printed
    assert "to replace" not in printed


def test_keys_are_nowhere_in_plain_text(stack: Stack) -> None:
    stack.write(NEURMATIC)
    printed = stack.pulumi("up", "--yes", "--skip-preview")
    key = stack.outputs()["probe_key"]
    assert "PRIVATE KEY" in key
    lines = [line for line in key.splitlines() if len(line) > 40]
    exported = stack.pulumi("stack", "export")
    assert not [line for line in lines if line in printed or line in exported]


def test_a_tenant_has_records_and_rules_to_hand_over(stack: Stack) -> None:
    stack.write("Pulumi.staging.yaml")
    stack.pulumi("up", "--yes", "--skip-preview")
    kinds = {each["type"] for each in stack.resources() if each["type"].startswith("cloudflare:index/")}
    assert kinds == {"cloudflare:index/dnsRecord:DnsRecord"}
    assert stack.outputs()["rules_for_owner"]["tenant"] == "staging"
    stack.pulumi("preview", "--expect-no-changes")


def test_what_the_plan_cannot_do_stops_the_preview_with_a_sentence(stack: Stack) -> None:
    stack.write(NEURMATIC, 'settings = settings.model_copy(update={"on_misfit": type(settings.on_misfit)("refuse")})')
    printed = stack.pulumi("preview", succeeds=False)
    assert (
        'edge.on_misfit: 3 rate limits, but the pro plan has 2 rate limiting rules; "refuse" was asked for' in printed
    )


def test_what_exists_is_imported_and_then_only_what_is_missing_is_made(stack: Stack, tmp_path: Path) -> None:
    stack.write(NEURMATIC)
    stack.pulumi("up", "--yes", "--skip-preview")
    before = [each for each in stack.resources() if each["type"].startswith("cloudflare:index/")]
    stack.pulumi("stack", "init", "again")
    stack.pulumi("config", "set", "--path", "pulumi:disable-default-providers[0]", "*")
    stack.pulumi("up", "--yes", "--skip-preview", "--target", "**pulumi:providers:cloudflare**")
    file = tmp_path / "imports.json"
    file.write_text(json.dumps(_imports(before)))
    stack.pulumi("import", "--file", str(file), "--yes", "--generate-code=false", "--protect=false")
    preview = json.loads(stack.pulumi("preview", "--json"))
    done = {step["urn"].split("::")[-1]: step["op"] for step in preview["steps"] if "cloudflare:index" in step["urn"]}
    made = ("edge-dnssec", "edge-health", "edge-pulls-certificate", "edge-pulls-enabled")
    assert done == dict.fromkeys(made, "create"), "the preview lists what is not as it should be"
    assert preview["changeSummary"]["same"] > 30


def _imports(before: list[dict[str, Any]]) -> dict[str, Any]:
    """The import file for the zone that is there, with the stand-ins' ids, which are shorter than the real ones."""
    records = [{"id": each["id"], **each["outputs"]} for each in before if each["type"].endswith(":DnsRecord")]
    phases = {each["outputs"]["phase"]: each["id"] for each in before if each["type"].endswith(":Ruleset")}
    wanted = Wanted(*stack_edge(ROOT / NEURMATIC))
    found = import_file(imports("edge", wanted, Live("neurmatic.com", "pro", records, phases)), "zone", "again")
    ids = {(each["type"], each["urn"].split("::")[-1]): each["id"] for each in before}
    for each in found["resources"][1:]:
        each["id"] = ids[each["type"], each["name"]]
    return found
