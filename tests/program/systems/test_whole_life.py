"""Both stacks of both systems, from nothing to nothing, on the embedded clouds."""

from __future__ import annotations

import json

import pytest
from stage import Stage

from components.outputs import SECRETS

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("system", ["neurmatic", "neuropilot"])
@pytest.mark.parametrize("stack", ["production", "staging"])
def test_stack_lives_and_leaves_nothing(stage: Stage, system: str, stack: str) -> None:
    session = stage.session(system, stack)

    up = stage.pulumi(session, "up", "--yes", "--skip-preview", "--stack", stack)
    assert up.status == 0, up.text
    made = {(each["type"], each["id"]) for each in stage.state(session) if each.get("custom")}
    assert set(stage.objects(system)) <= made, "the clouds hold something that the state does not know"

    again = stage.pulumi(session, "preview", "--refresh", "--expect-no-changes", "--stack", stack)
    assert again.status == 0, again.text

    refresh = stage.pulumi(session, "refresh", "--yes", "--skip-preview", "--expect-no-changes", "--stack", stack)
    assert refresh.status == 0, refresh.text

    gone = stage.pulumi(session, "destroy", "--yes", "--skip-preview", "--stack", stack)
    assert gone.status == 0, gone.text
    assert stage.objects(system) == []
    assert stage.state(session) == []


def test_protected_data_survives_a_destroy(stage: Stage) -> None:
    """A rehearsal is disposable; told otherwise, it refuses as production would."""
    session = stage.session()
    file = session.folder / "Pulumi.production.yaml"
    file.write_text(file.read_text().replace("neurmatic:data: disposable", "neurmatic:data: protected"))
    assert stage.pulumi(session, "up", "--yes", "--skip-preview", "--stack", "production").status == 0

    refused = stage.pulumi(session, "destroy", "--yes", "--skip-preview", "--stack", "production")

    assert refused.status != 0
    assert "protect" in refused.text
    buckets = [identity for type_, identity in stage.objects() if type_ == "aws:s3/bucket:Bucket"]
    assert sorted(buckets) == ["neurmatic-backups", "neurmatic-production-media", "neurmatic-production-outputs"]


def test_secrets_are_encrypted_wherever_they_lie(stage: Stage) -> None:
    session = stage.session()
    up = stage.pulumi(session, "up", "--yes", "--skip-preview", "--stack", "production")
    shown = stage.pulumi(session, "stack", "output", "--json", "--show-secrets", "--stack", "production")
    passwords = list(json.loads(shown.text)[SECRETS].values())
    assert len(passwords) == 5

    state = (session.folder.parents[1] / "backend/.pulumi/stacks/neurmatic/production.json").read_text()
    for password in passwords:
        assert password not in up.text
        assert password not in state
