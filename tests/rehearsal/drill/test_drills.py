"""The four disasters on one stack, each by the command that docs/disaster.md has for it; and what is refused before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ops.drill.ground import APART
from ops.drill.lost import NOBODYS
from ops.drill.steps import TARGET_SECONDS, Steps
from ops.escrow.envelope import identities_in, new_identity, seal, unseal
from rehearsal.drill.beside import drilled, empty_beside, living
from rehearsal.drill.scenes import SCENES
from rehearsal.drill.stage import Stage, staged
from rehearsal.load import asking
from rehearsal.workspace import ROOT

pytestmark = [
    pytest.mark.rehearsal,
    pytest.mark.engine,
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.timeout(1800),
]


@pytest.fixture(scope="module")
def stage(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    if engine:
        pytest.skip(engine)
    with staged("test-drill", tmp_path_factory.mktemp("safe")) as standing:
        standing.sealed()
        yield standing


def refusal(stage: Stage, *words: str) -> str:
    """What `./infra recover server` says instead of touching anything."""
    machine = stage.whole.machine
    server = ["--server", machine.address, "--user", machine.user, "--old-server-is-off", "--yes"]
    server += ["--host-key", machine.host_key]
    command = [sys.executable, "-m", "ops", "recover", "server", *stage.place(), *server, *words]
    before = stage.whole.containers()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert stage.whole.containers().keys() == before.keys()
    return done.stderr


def with_envelope(stage: Stage) -> list[str]:
    return ["--envelope", str(stage.envelope), "-i", str(stage.identity)]


def test_without_an_envelope_there_is_a_sentence(stage: Stage) -> None:
    said = refusal(stage, "--envelope", str(stage.safe / "gone.age"), "-i", str(stage.identity))
    assert "There is no envelope to read at" in said
    assert "--envelope needs -i KEYFILE" in refusal(stage, "--envelope", str(stage.envelope))


def test_the_wrong_key_opens_nothing(stage: Stage, tmp_path: Path) -> None:
    key = tmp_path / "key.txt"
    key.write_text(new_identity()[0])
    assert "This key does not open the envelope" in refusal(stage, "--envelope", str(stage.envelope), "-i", str(key))


def test_the_envelope_of_another_stack_is_refused(stage: Stage, tmp_path: Path) -> None:
    envelope = unseal(stage.envelope.read_bytes(), identities_in(stage.identity.read_text()))
    private, public = new_identity()
    (tmp_path / "key.txt").write_text(private)
    (tmp_path / "other.age").write_bytes(
        seal(replace(envelope, about=replace(envelope.about, stack="staging")), [public])
    )
    said = refusal(stage, "--envelope", str(tmp_path / "other.age"), "-i", str(tmp_path / "key.txt"))
    assert "The envelope holds neurmatic/staging, not neurmatic/production" in said


def test_without_a_backup_nothing_begins(stage: Stage) -> None:
    """Before the first one is made."""
    assert "nothing to recover from" in refusal(stage, *with_envelope(stage))


def test_a_server_that_is_in_use_is_left_alone(stage: Stage) -> None:
    stage.backed_up()
    said = refusal(stage, *with_envelope(stage))
    assert "is not an empty server" in said
    assert "/opt/neurmatic has content" in said
    assert "There is no backup neurmatic_20200101_000000.sql.gz" in refusal(
        stage, *with_envelope(stage), "--backup", "neurmatic_20200101_000000.sql.gz"
    )


def test_a_drill_beside_the_living_is_noticed_by_nobody(stage: Stage, tmp_path: Path) -> None:
    stage.backed_up()
    stage.sealed()
    before = living(stage)
    with empty_beside(stage) as machine:
        with asking(stage.whole.target(), "living") as seen:
            done = drilled(stage, machine, tmp_path / "report.md")
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        assert not seen.failed
        # A job that a timer of that server starts, while it holds somebody else's data: it does not run.
        machine.ssh("sudo systemctl start neurmatic-backup.service neurmatic-backup-watch.service")
        client = "sudo docker exec -i neurmatic-postgres-production psql -XAtq -U postgres -d neurmatic_production"
        assert int(machine.ssh(client, stdin="SELECT count(*) FROM ledger").stdout) >= len(stage.promised)
        told = machine.ssh("sudo cat /opt/neurmatic/infrastructure/secrets/backend/environment").stdout
    assert living(stage) == before
    assert f"SENDGRID_API_KEY={NOBODYS}" in told
    assert f"AWS_SECRET_ACCESS_KEY={NOBODYS}" in told
    assert not APART.exists() or not list(APART.iterdir())
    page = (tmp_path / "report.md").read_text()
    assert "Recovered in" in page
    assert "200, version 1.4.2" in page


# The last one takes the machine of the others.
@pytest.mark.parametrize("scenario", ["rows", "api", "database", "server"])
def test_it_comes_back_by_the_documented_command(stage: Stage, scenario: str, tmp_path: Path) -> None:
    steps = Steps(scenario)
    SCENES[scenario](stage, tmp_path / "report.md", steps)
    assert " of " in steps.facts["Visitors"]
    if scenario != "api":
        page = (tmp_path / "report.md").read_text()
        assert "NOT RECOVERED" not in page
        assert f"{len(stage.promised)} of {len(stage.promised)} rows" in steps.facts["Ledger"]
    if scenario == "server":
        assert steps.seconds < TARGET_SECONDS
        assert len(steps.facts["DNS"].split(",")) == 3
