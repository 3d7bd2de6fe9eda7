"""The four disasters: how each strikes, the command that is documented for it, and what has to be there afterwards."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from ops.drill.steps import Steps
from rehearsal import RehearsalError
from rehearsal.drill.stage import Stage
from rehearsal.load import asking

ANSWERS = 40
SECONDS = 60.0
DATA = "/mnt/data/postgres"
# Documentation addresses, as the committed stack file has: DNS has to lead from one to the other.
NEW_ADDRESS = "198.51.100.77"
BAD = "1.4.3"


def server(stage: Stage, report: Path, steps: Steps) -> None:
    """Server and laptop are gone. The bucket, the envelope and its key are left."""
    stage.backed_up()
    stage.sealed()
    stage.machine_lost()
    started = time.monotonic()
    machine = stage.empty_machine()
    steps.facts["Empty machine"] = f"Debian 12 without Docker, booted in {time.monotonic() - started:.0f} s"
    words = ["--envelope", str(stage.envelope), "-i", str(stage.identity), "--server", machine.address]
    words += ["--user", machine.user, "--host-key", machine.host_key, "--ipv4", NEW_ADDRESS]
    recovered(stage, steps, "recover", "server", *words, "--yes", "--report", str(report))
    promised_rows(stage, steps)
    steps.facts["DNS"] = leads_to(stage, NEW_ADDRESS)
    visitors(stage, steps)


def database(stage: Stage, report: Path, steps: Steps) -> None:
    """The files of the cluster are damaged beyond starting."""
    stage.backed_up()
    run = stage.whole.machine.ssh
    run("sudo docker kill neurmatic-postgres-production")
    run(f"sudo rm -rf {DATA}/pgdata/base {DATA}/pgdata/global/pg_control")
    recovered(stage, steps, "recover", "database", "--yes", "--report", str(report))
    promised_rows(stage, steps)
    visitors(stage, steps)
    steps.facts["Old cluster"] = run(f"sudo sh -c 'ls -d {DATA}.broken-*'").stdout.strip()


def api(stage: Stage, report: Path, steps: Steps) -> None:
    """All backends are dead, as after a bad change by hand: `./infra up` makes them anew."""
    del report
    run = stage.whole.machine.ssh
    run("sudo docker ps --quiet --filter label=service=backend | xargs sudo docker rm --force")
    if answered(stage):
        raise RehearsalError("The API answers although no backend is left.")
    with steps.step("./infra up"):
        expect(stage.infra("up", "--yes", "--skip-preview"), "./infra up")
    visitors(stage, steps)


def rows(stage: Stage, report: Path, steps: Steps) -> None:
    """Somebody has deleted half of a table, and changed other rows of it; visitors have written since the backup."""
    stage.backed_up()
    keys = sorted(stage.promised)
    gone, changed = keys[::2], keys[1::10]
    stage.whole.sql(f"DELETE FROM ledger WHERE key IN ({listed(gone)})")  # noqa: S608 (looked at)
    stage.whole.sql(f"UPDATE ledger SET attempts = 999 WHERE key IN ({listed(changed)})")  # noqa: S608
    recovered(stage, steps, "recover", "rows", "ledger", "--overwrite", "--yes", "--report", str(report))
    promised_rows(stage, steps, later=len(stage.later))
    wrong = [key for key in changed if stage.whole.ledger()[key] == 999]
    if wrong:
        raise RehearsalError(f"{len(wrong)} changed rows are still wrong, such as {wrong[0]}.")
    visitors(stage, steps)


SCENES: dict[str, Callable[[Stage, Path, Steps], None]] = {
    "server": server,
    "database": database,
    "api": api,
    "rows": rows,
}


def recovered(stage: Stage, steps: Steps, *words: str) -> None:
    with steps.step(f"./infra {' '.join(words[:2])}"):
        expect(stage.infra(*words), f"./infra {' '.join(words[:2])}")


def expect(done: subprocess.CompletedProcess[str], what: str) -> None:
    if done.returncode:
        raise RehearsalError(f"{what} ended with {done.returncode}: see above.")


def promised_rows(stage: Stage, steps: Steps, later: int | None = None) -> None:
    """Every row that was acknowledged before the backup began; and those after it, where nothing may be lost."""
    there, after = stage.kept()
    count = len(stage.promised)
    steps.facts["Ledger"] = (
        f"{there} of {count} rows that were acknowledged before the backup are there, "
        f"{after} of {len(stage.later)} that came after it"
    )
    if there < count or (later is not None and after < later):
        raise RehearsalError(f"Rows are lost: {steps.facts['Ledger']}.")


def leads_to(stage: Stage, address: str) -> str:
    zone = stage.whole.workspace.start_clouds().zone("0" * 32)
    found = sorted(each["name"] for each in zone["records"] if each["type"] == "A" and each["content"] == address)
    if len(found) < 3:
        raise RehearsalError(f"DNS does not lead to {address}: only {', '.join(found) or 'nothing'} does.")
    return f"{', '.join(found)} -> {address}"


def answered(stage: Stage) -> bool:
    with asking(stage.whole.target(), "gone") as seen:
        ends = time.monotonic() + SECONDS
        while seen.total < ANSWERS and time.monotonic() < ends:
            time.sleep(0.1)
    return bool(seen.answers)


def visitors(stage: Stage, steps: Steps) -> None:
    """From outside, over HTTPS, with the certificate that the server shows; reads and writes."""
    with asking(stage.whole.target(), f"after{time.monotonic_ns()}") as seen:
        ends = time.monotonic() + SECONDS
        while seen.total < ANSWERS and time.monotonic() < ends:
            time.sleep(0.1)
    if seen.failed or not seen.written:
        raise RehearsalError(f"Visitors are not served: {dict(seen.failed)}.")
    steps.facts["Visitors"] = f"{seen.total} of {seen.total} requests over HTTPS answered by {', '.join(seen.answers)}"


def listed(keys: list[str]) -> str:
    if wrong := [key for key in keys if not re.fullmatch(r"[\w.:-]+", key)]:
        raise RehearsalError(f"{wrong[0]} is no key of the ledger.")
    return ", ".join(f"'{key}'" for key in keys)
