"""What must not happen is stopped, by a message that whoever never saw these policies understands."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from policies_stage import Ran, Rehearsal, judge_file

pytestmark = pytest.mark.engine


@dataclass(frozen=True)
class Scenario:
    """A change, the violations it makes (rule and resource, all of them), and what the message has to say."""

    change: str
    violations: tuple[tuple[str, str], ...]
    property: str
    why: str
    fix: str
    before: str = ""


SCENARIOS = {
    "opens-postgresql-to-the-world": Scenario(
        """
        if name == "stack-postgres":
            props["ports"] = [{"internal": 5432, "external": 5432, "ip": "0.0.0.0", "protocol": "tcp"}]
        """,
        (("exposure-private-services", "stack-postgres"),),
        "ports.0.ip: PostgreSQL would be published on an address other than loopback",
        "A database, cache, broker or admin port on a public address is found and attacked within minutes",
        "Publish it on 127.0.0.1",
    ),
    "drops-tls": Scenario(
        """
        if name == "edge-ssl":
            props["value"] = "flexible"
        """,
        (("tls-edge-settings", "edge-ssl"),),
        "value: Cloudflare would not verify the origin's certificate",
        "Every hop from visitor to origin is encrypted and verified",
        "Set ssl to strict",
    ),
    "makes-a-bucket-public": Scenario(
        """
        if name == "storage-media-access-block":
            props["block_public_policy"] = False
        """,
        (("storage-public-access-block", "storage-media-access-block"),),
        "blockPublicPolicy: the bucket could be made public",
        "Uploads and database dumps must never be one ACL or policy away from being public",
        "Set all four of blockPublicAcls, blockPublicPolicy, ignorePublicAcls and restrictPublicBuckets to true",
    ),
    "unproxies-a-name": Scenario(
        """
        if name == "edge-a-api.neurmatic.com":
            props["proxied"] = False
        """,
        (("edge-proxied", "edge-a-api.neurmatic.com"),),
        "proxied: the name would lead past Cloudflare and show the origin's address",
        "A name that is not proxied has no firewall and no rate limit",
        "Set proxied to true",
    ),
    "puts-a-secret-in-a-command": Scenario(
        """
        if name == "stack-postgres-postgres_password":
            props["create"] = "PGPASSWORD=canary-3f9c psql -c 'select 1'"
        """,
        (("hosts-no-secret-in-command", "stack-postgres-postgres_password"),),
        "create: a secret would stand in the command, and so in the process list and in logs",
        "A command line is readable by every user of the host and is printed in previews",
        "Give secrets by stdin",
    ),
    "removes-a-backup": Scenario(
        "pass",
        (),
        'storage-backups-bucket" cannot be deleted',
        "because it is protected",
        "",
        # The bucket of its own is gone: dumps would lie among the uploads.
        before="from types import SimpleNamespace\n"
        "from components.storage.component import Storage\n"
        "Storage._backups = lambda self, name, logs: SimpleNamespace(name=self._args.settings.media.name)",
    ),
    "keeps-backups-for-three-days": Scenario(
        """
        if name == "storage-backups-lifecycle":
            props["rules"] = [{
                "id": "tidy",
                "status": "Enabled",
                "filter": {"prefix": "database/"},
                "expiration": {"days": 3},
                "noncurrent_version_expiration": {"noncurrent_days": 30},
                "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
            }]
        """,
        (("data-backup-retention", "storage-backups-lifecycle"),),
        "rules.0.expiration.days: ",
        "Damage is often found weeks later",
        "Expire backups after 30 days at the earliest",
    ),
}


@pytest.fixture(scope="module")
def ran(rehearsal: Rehearsal) -> dict[str, Ran]:
    """All of them, two at a time: each is a preview of its own."""
    assert rehearsal.session
    changes = {"nothing": ("pass", ""), **{label: (each.change, each.before) for label, each in SCENARIOS.items()}}
    with ThreadPoolExecutor(2) as pool:
        runs = {
            label: pool.submit(rehearsal.changed, label, dedented(change), before)
            for label, (change, before) in changes.items()
        }
        return {label: run.result() for label, run in runs.items()}


def dedented(change: str) -> str:
    return re.sub(r"^ {8}", "", change, flags=re.MULTILINE)


def violations(text: str) -> list[tuple[str, str]]:
    """Rule and resource of each mandatory violation, as the engine prints it."""
    found = re.findall(r"\[mandatory\].*?\s([a-z]+-[a-z-]+)\s+\(([^)]*)\)", text)
    return sorted({(rule, resource.rpartition(": ")[2]) for rule, resource in found})


def test_production_as_it_is_violates_nothing(ran: dict[str, Ran]) -> None:
    good = ran["nothing"]
    assert good.status == 0, good.text
    assert violations(good.text) == []
    assert "[advisory]" not in re.sub(r"\[advisory\].*?(coverage|pack-summary)", "", good.text), "a false alarm"


@pytest.mark.parametrize("label", SCENARIOS)
def test_it_is_stopped_and_says_why(ran: dict[str, Ran], label: str) -> None:
    scenario, bad = SCENARIOS[label], ran[label]
    assert bad.status != 0, f"nobody stopped a change that {label.replace('-', ' ')}:\n{bad.text}"
    assert violations(bad.text) == sorted(scenario.violations), bad.text
    said = " ".join(bad.text.split())
    for part in (scenario.property, scenario.why, scenario.fix and f"Fix: {scenario.fix}"):
        assert part in said, bad.text
    assert "canary-3f9c" not in bad.text, "a policy must not repeat what it found"
    assert "Traceback" not in bad.text


def test_a_violation_costs_no_waiting(ran: dict[str, Ran]) -> None:
    """Five seconds would be the engine's patience with a program that is not told to end: each run would have them."""
    assert min(ran[label].seconds for label in SCENARIOS) < ran["nothing"].seconds + 2


def test_what_is_deployed_is_judged_without_running_the_program(rehearsal: Rehearsal) -> None:
    ran = rehearsal.judge()
    assert ran.status == 0, ran.text
    assert "neurmatic@" in ran.text, "no policy pack judged it"
    assert violations(ran.text) == []


def test_an_exported_state_is_judged_without_its_key(rehearsal: Rehearsal, tmp_path: Path) -> None:
    state = json.loads(rehearsal.exported())
    file = tmp_path / "state.json"

    file.write_text(json.dumps(state))
    good = judge_file(file)
    assert (good.status, violations(good.text)) == (0, []), good.text

    kept = [each for each in state["deployment"]["resources"] if "backups" not in each["urn"].rpartition("::")[2]]
    for each in kept:
        if each["urn"].endswith("::stack-redis"):
            each["inputs"]["ports"][0]["ip"] = each["outputs"]["ports"][0]["ip"] = "0.0.0.0"
    file.write_text(json.dumps({**state, "deployment": {**state["deployment"], "resources": kept}}))
    bad = judge_file(file)
    assert bad.status != 0
    assert violations(bad.text) == [("data-backup", "stack-postgres"), ("exposure-private-services", "stack-redis")]
    assert "nothing in this stack would keep a copy of its data" in bad.text
    assert "were not judged" in good.text, "what is encrypted is counted"
