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


def test_sessions_would_fail_where_few_may_start_at_once(hardened: Machine) -> None:
    """So that the test above can fail: with OpenSSH's own limit some of them are dropped."""
    drop_in = "/etc/ssh/sshd_config.d/05-few.conf"
    hardened.ssh(f"echo 'MaxStartups 1:100:1' | sudo tee {drop_in} >/dev/null && sudo systemctl reload ssh")
    try:
        sessions = run(hardened, settings_for(hardened), 1)
    finally:
        # In a session that is open already, or after a moment: the limit is for all who come.
        for _ in range(20):
            if hardened.ssh(f"sudo rm -f {drop_in} && sudo systemctl reload ssh", check=False).returncode == 0:
                break
    assert sessions.errors
