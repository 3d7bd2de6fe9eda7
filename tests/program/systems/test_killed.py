"""An `up` that is ended half-way, politely or not, and run again, ends where an undisturbed one ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest
from stage import Stage

from ops.session import Session

pytestmark = pytest.mark.engine

ENOUGH_OBJECTS = 8
UP = ["pulumi", "--non-interactive", "up", "--yes", "--skip-preview", "--parallel", "2", "--stack", "production"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_ended_half_way_and_run_again(stage: Stage, how: signal.Signals) -> None:
    session = stage.session()
    end_half_way(stage, session, how)
    half = len(stage.objects())
    assert half >= ENOUGH_OBJECTS

    again = stage.infra("up", "--stack", "production", "--yes", "--skip-preview")

    assert again.status == 0, again.text
    assert len(stage.objects()) > half, "it had been ended too late to prove anything"
    known = {(each["type"], each["id"]) for each in stage.state(session) if each.get("custom")}
    orphans = [each for each in stage.objects() if each not in known]
    assert orphans == []
    settled = stage.pulumi(session, "preview", "--refresh", "--expect-no-changes", "--stack", "production")
    assert settled.status == 0, settled.text


def test_somebody_elses_lock_is_respected(stage: Stage) -> None:
    session = stage.session()
    assert stage.pulumi(session, "up", "--yes", "--skip-preview", "--stack", "production").status == 0
    folder = session.folder.parents[1] / "backend/.pulumi/locks/organization/neurmatic/production"
    folder.mkdir(parents=True, exist_ok=True)
    lock = {"pid": os.getpid(), "username": "ada", "hostname": "elsewhere", "timestamp": "2026-11-21T10:00:00Z"}
    (folder / "1.json").write_text(json.dumps(lock))

    refused = stage.infra("up", "--stack", "production", "--yes")

    assert refused.status == 1
    assert "ada@elsewhere" in refused.text
    assert (folder / "1.json").exists()


def end_half_way(stage: Stage, session: Session, how: signal.Signals) -> None:
    process = subprocess.Popen(
        UP,
        cwd=session.folder,
        env=dict(session.environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while len(stage.objects()) < ENOUGH_OBJECTS:
            assert process.poll() is None, "it was over before it could be ended"
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(how)
        process.wait(timeout=240)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
