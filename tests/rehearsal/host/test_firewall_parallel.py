"""The hardened server lets the many sessions of a deploy through. The long version is `make prove` (bench.host)."""

from __future__ import annotations

import pytest

from bench.host.parallel import run
from rehearsal.hardened import settings_for
from rehearsal.machine import Machine

pytestmark = pytest.mark.rehearsal


def test_three_deploys_of_sessions_in_a_row(hardened: Machine) -> None:
    sessions = run(hardened, settings_for(hardened), 3)
    assert sessions.errors == []
    banned = hardened.ssh("sudo fail2ban-client get sshd banned").stdout.strip()
    assert banned == "[]"
