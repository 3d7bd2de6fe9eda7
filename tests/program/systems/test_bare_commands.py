"""The commands that people type, under the environment that the project ships."""

from __future__ import annotations

import pytest
from stage import Stage, run

from rehearsal.workspace import ROOT

pytestmark = pytest.mark.engine

OPEN_DATABASE = """
import pulumi
import pulumi_docker as docker

engine = docker.Provider("docker", host="ssh://deploy@server")
docker.Container(
    "db",
    image="postgres:15",
    ports=[{"internal": 5432, "external": 5432}],
    opts=pulumi.ResourceOptions(provider=engine),
)
"""


def in_shell(stage: Stage, command: str) -> tuple[int, str]:
    ran = stage.infra("shell", "--stack", "production", "-c", command)
    return ran.status, ran.text


def test_bare_preview_and_up_work_and_are_policy_checked(stage: Stage) -> None:
    status, text = in_shell(stage, "pulumi preview --stack production")
    assert status == 0, text
    assert "neurmatic@" in text, "the policy pack did not run"

    status, text = in_shell(stage, "pulumi up --yes --stack production")
    assert status == 0, text
    assert "neurmatic@" in text, "the policy pack did not run"


def test_bare_preview_is_stopped_by_a_policy(stage: Stage) -> None:
    folder = stage.variant(stage.session(), OPEN_DATABASE)

    status, text = in_shell(stage, f"cd {folder} && pulumi preview --stack production")

    assert status != 0
    assert "exposure-private-services" in text
    assert "PostgreSQL would be published on an address other than loopback" in text
    assert "Publish it on 127.0.0.1" in text
    status, text = in_shell(stage, f"cd {folder} && pulumi up --yes --stack production")
    assert status != 0
    assert stage.objects() == []


def test_the_shipped_envrc_is_enough(stage: Stage) -> None:
    """As direnv sources it; only backend and plugins are the rehearsal's."""
    session = stage.session()
    folder = stage.variant(session, OPEN_DATABASE)
    kept = ("HOME", "PATH", "PULUMI_HOME", "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "INFRA_REHEARSAL")
    environment = {key: value for key, value in session.environment.items() if key in kept}
    environment["PATH"] = environment["PATH"].partition(":")[2]
    command = f"cd {ROOT} && . ./.envrc && cd {{}} && pulumi preview --non-interactive --stack production"

    good = run(["sh", "-c", command.format(session.folder)], ROOT, environment, 600)
    bad = run(["sh", "-c", command.format(folder)], ROOT, environment, 600)

    assert good.status == 0, good.text
    assert "neurmatic@" in good.text, "the policy pack did not run"
    assert bad.status != 0
    assert "exposure-private-services" in bad.text


def test_a_shell_of_a_rehearsal_refuses_a_real_stack(stage: Stage) -> None:
    status, text = in_shell(stage, f"cd {ROOT} && ./infra preview --stack production")
    assert status == 1
    assert "belongs to a rehearsal" in text
