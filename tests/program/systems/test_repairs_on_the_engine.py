"""Drift that the server cannot put right itself is put right by the engine, and nothing else changes."""

from __future__ import annotations

import pytest
from stage import Stage

from components.host.report import EXTRA, Line, Report
from ops.repairs import repairs
from ops.session import Session
from rehearsal.inventory import OBJECTS
from rehearsal.offline.plugins.store import Store

pytestmark = pytest.mark.engine
UP = ("up", "--yes", "--skip-preview", "--stack", "production")
GONE, WRITTEN = "stack-redis", "stack-postgres-postgres_password"
LINES = (
    f"-neurmatic-redis-production: is gone (`up` makes it anew: {GONE})",
    f"-/secrets/x: was changed (`up` writes it again: {WRITTEN})",
)


def ids(stage: Stage, session: Session) -> dict[str, str]:
    return {each["urn"].split("::")[-1]: each.get("id", "") for each in stage.state(session)}


def test_what_is_gone_is_made_anew_and_what_was_changed_is_written_again(stage: Stage) -> None:
    session = stage.session()
    assert stage.pulumi(session, *UP).status == 0
    before = ids(stage, session)
    Store(stage.workspace("neurmatic").folder / OBJECTS).delete("docker:index/container:Container", before[GONE])

    report = Report((Line("live:containers", EXTRA, "", "\n".join(LINES)),))
    options = repairs(session, report)
    up = stage.pulumi(session, *UP, *options)
    assert up.status == 0, up.text
    after = ids(stage, session)
    different = {name for name in before if before[name] != after.get(name)}
    assert different == {GONE, WRITTEN}
    clean = stage.pulumi(session, "preview", "--refresh", "--expect-no-changes", "--stack", "production")
    assert clean.status == 0, clean.text
