"""A pull request as a person makes one, and the report that its reviewers get: no code host is needed."""

from __future__ import annotations

import json
import os
import re

import pytest
from conftest import Clone

pytestmark = pytest.mark.engine

# Stands in the base and not in the change: its data would be gone.
VOLUME = """
import pulumi
import pulumi_docker as docker
beside = docker.Provider("beside", host="ssh://deploy@server")
docker.Volume("uploads", name="uploads", opts=pulumi.ResourceOptions(provider=beside))
"""
DATABASE = """
import pulumi
import pulumi_docker as docker
beside = docker.Provider("beside", host="ssh://deploy@server")
docker.Container(
    "debug-@everyone`<b>",
    name="debug",
    image="postgres:15",
    ports=[{"internal": 5432, "external": 5432}],
    opts=pulumi.ResourceOptions(provider=beside),
)
"""


def opened(clone: Clone) -> tuple[str, str]:
    """A base, and a change that deletes data, restarts services, opens a database and shuts out a country."""
    program, stack_file = clone.root / "__main__.py", clone.root / "Pulumi.production.yaml"
    before = program.read_text()
    program.write_text(before + VOLUME)
    base = clone.commit("Uploads are kept in a volume")
    program.write_text(before + DATABASE)
    text = stack_file.read_text()
    text = text.replace("    role: owner\n", "    role: owner\n    waf: {blocked_countries: [FR]}\n", 1)
    opted = "    allow: {replace_nginx: true, restart_postgres: true, restart_redis: true}\n"
    logs = f"    logs: {{max_size: 20m}}\n{opted}"
    text = text.replace("    postgres:\n      database", f"{logs}    postgres:\n      database", 1)
    stack_file.write_text(f"{text}  policy:levels: {{naming-*: advisory}}\n")
    clone.append("policy/rules/tls.py", "# Nobody looks here.\n")
    return base, clone.commit("Debug")


def test_a_pull_request_is_reported_and_stopped(clone: Clone) -> None:
    base, head = opened(clone)

    ran = clone.infra(
        "review", "--base", "HEAD~1", "--system", "neurmatic", "--stack", "production", "--json", "r.json"
    )

    text = ran.stdout
    assert ran.returncode == 1, ran.stderr
    assert text.startswith("<!-- infrastructure-review -->\n## Infrastructure: stopped by "), text + ran.stderr
    assert f"`{head[:12]}` previewed on top of `{base[:12]}`" in text
    headings = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert headings[:2] == ["Data that would be deleted", "Outages"]
    assert "- `uploads` (Volume, neurmatic production), to delete: every file in the volume" in text
    assert "- `stack-postgres` (Container, neurmatic production), to replace: the container stops before" in text
    assert "by `exposure-private-services`" in text
    assert "ports.0.ip: PostgreSQL would be published on an address other than loopback" in text
    assert "PostgreSQL" in text[: text.index("### Changes")]
    assert (
        "`allowed (200)`, then `unknown: perhaps stopped by countries (cf.client.bot not stated)`: `GET https" in text
    )
    assert "committed cases are not kept" in text
    assert "debug-@everyone'<b>` (Container)" in text, "a hostile name stays within its code"
    assert '`logOpts["max-size"]` `10m` to `20m`' in text
    (stack,) = json.loads((clone.root / "r.json").read_text())["stacks"]
    assert (stack["errors"], stack["incomplete"]) == ([], False), "what was stopped is shown whole nevertheless"
    judges = "policy/rules/tls.py, the policy settings of neurmatic production."
    assert f"- `This change alters what it is judged by: {judges}`" in text
    assert len(text) < 20_000
    everything_else = re.search(r", (\d+) as they are", text)
    assert everything_else, text
    assert int(everything_else[1]) > 60, "the base is what changes are shown on top of"
    assert not os.listdir(clone.root / ".toolchain" / "rehearsal"), "a review leaves nothing but its report"
    assert clone.git("status", "--porcelain") == "?? r.json"


def test_a_base_that_does_not_exist_is_a_sentence(clone: Clone) -> None:
    clone.commit("All")
    ran = clone.infra("review", "--base", "nowhere")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "There is no 'nowhere' in this clone: fetch it first, or name a branch, tag or commit.\n"
