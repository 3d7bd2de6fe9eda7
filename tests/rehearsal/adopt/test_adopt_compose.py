"""A stack that docker-compose runs becomes ours, with every row, and goes back; whoever is interrupted goes on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import pytest
from old_stack import NETWORK, POSTGRES, OldStack

from ops.target import ROOT
from rehearsal.load import Plan, Seen, asking, loading
from rehearsal.load.report import miswritten

pytestmark = [
    pytest.mark.rehearsal,
    pytest.mark.engine,
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.timeout(1800),
]
OUTAGE = 60.0
PER_SECOND = 20.0
RELEASE = "1.5.0"
SETTLES = 10.0
"""What the verb does after the last answer that it waits for."""
BLINK = 2.0
"""The engine's restart loads the rules anew that lead visitors to a container."""


def test_the_old_stack_is_described_and_nothing_is_touched(old: OldStack) -> None:
    with asking(old.target(), "before") as seen:
        time.sleep(5)
        before = picture(old)
        done = old.whole.infra("adopt", answer="n\n")
        after = picture(old)
    assert done.returncode == 1, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Nothing was changed." in done.stderr
    assert "docker-compose (project stack), 6 containers" in done.stdout
    assert "/mnt/data/postgres (" in done.stdout
    assert "moves to /mnt/data/postgres/pgdata" in done.stdout
    assert "is copied to /mnt/data/redis" in done.stdout
    assert "keeps no append-only file yet" in done.stdout
    assert before == after
    assert_unharmed(seen)


def test_a_release_that_does_not_come_up_brings_the_old_stack_back(old: OldStack) -> None:
    with asking(old.target(), "bad") as seen:
        time.sleep(3)
    old.whole.images.release("1.6.0", FAULT_CRASH_AT_START="1")
    done = old.whole.infra("adopt", "--yes", "--release", "1.6.0")
    assert done.returncode == 1, done.stdout[-3000:]
    assert "the old one does again" in done.stderr, done.stderr[-3000:]
    assert_serves(old)
    assert set(seen.written) <= old.ledger().keys()
    assert not [name for name in old.whole.containers() if "before-adoption" in name]


def test_it_is_taken_over_with_every_row(old: OldStack) -> None:
    old.say("SET", "session:1", "kept")
    with loading(old.target(), Plan(prefix="over", rate=PER_SECOND, seconds=1200)) as heard:
        time.sleep(5)
        done = old.whole.infra("adopt", "--yes", "--release", RELEASE)
        ended = time.time()
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-5000:]
    told = re.search(r"after (\d+) s without", done.stdout)
    assert told
    seconds = float(told.group(1))
    assert seconds < OUTAGE, done.stdout
    assert len(heard.records) > 10 * PER_SECOND
    began = ended - seconds - SETTLES
    # Its own certificate comes last, and these visitors trust the old one alone.
    failed = [each for each in heard.records if each.outcome and "SSLCert" not in each.outcome]
    early = [each.began for each in failed if each.began < began]
    print(
        f"{len(failed)} of {len(heard.records)} failed, {len(early)} of them before the {seconds:.0f} s that were told"
    )
    assert not early or max(early) - min(early) < BLINK
    assert not list(miswritten(heard.records, old.whole.ledger()))
    assert old.say_new("GET", "session:1") == "kept"
    running = old.whole.containers()
    assert all("before-adoption-" in name or "(healthy)" in status for name, status in running.items()), running


def test_a_second_time_there_is_nothing_to_do(old: OldStack) -> None:
    before = old.whole.containers().keys()
    done = old.whole.infra("adopt", "--yes")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "nothing is to do" in done.stderr
    assert old.whole.containers().keys() == before
    clean = old.whole.pulumi("preview", "--refresh", "--expect-no-changes")
    assert clean.returncode == 0, clean.stdout[-3000:]


def test_it_leads_back_with_what_was_written_since(old: OldStack) -> None:
    with asking(old.whole.target(), "since") as seen:
        time.sleep(3)
    done = old.whole.infra("adopt", "--back", "--yes")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert_serves(old)
    assert set(seen.written) <= old.ledger().keys()
    # The copy of Redis has what its original has not.
    assert "WHAT WAS WRITTEN SINCE" in done.stdout
    networks = old.machine.ssh("sudo docker network ls --format '{{.Name}}'").stdout.split()
    assert networks.count(NETWORK) == 1
    policy = old.machine.ssh(f"sudo docker inspect --format '{{{{.HostConfig.RestartPolicy.Name}}}}' {POSTGRES}").stdout
    assert policy.strip() == "always"


def test_killed_in_the_middle_it_goes_on(old: OldStack) -> None:
    """The laptop goes while the engine is at work, and nothing is served by either stack."""
    place = ["--stack", "production", "--rehearsal", "--name", old.whole.name]
    command = [sys.executable, "-m", "ops", "adopt", *place, "--yes"]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 900
    while "before-adoption-" not in old.machine.ssh("sudo docker ps --all").stdout:
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.5)
    time.sleep(12)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # The engine below it goes as well, and takes a moment: until then its lock is that of a living process.
    time.sleep(5)
    done = old.whole.infra("adopt", "--yes")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-5000:]
    assert "it goes on" in done.stdout
    with asking(old.whole.target(), "after") as seen:
        time.sleep(3)
    assert_unharmed(seen)
    assert set(seen.written) <= old.whole.ledger().keys()


def assert_unharmed(seen: Seen) -> None:
    assert not seen.failed
    assert seen.total > PER_SECOND


def assert_serves(old: OldStack) -> None:
    with asking(old.target(), f"serves-{time.time():.0f}") as seen:
        time.sleep(3)
    assert_unharmed(seen)


def picture(old: OldStack) -> str:
    """Every container with its start and its policy, and the folders that a take-over makes or moves."""
    each = "{{.Id}} {{.Name}} {{.State.StartedAt}} {{.HostConfig.RestartPolicy.Name}}"
    containers = f"sudo docker ps --all --quiet | xargs sudo docker inspect --format '{each}'"
    folders = "sudo find /mnt/data /opt/neurmatic /var/lib -maxdepth 1 2>&1 || true"
    return old.machine.ssh(f"{containers} && {folders}").stdout
