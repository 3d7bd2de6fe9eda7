"""The promises that an image has to keep, each tried for real. What a check returns is what its author has to do."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from components.containers.onhost.releases import LABEL
from rehearsal import RehearsalError
from rehearsal.contract.trial import Trial, last_words
from rehearsal.docker import docker
from rehearsal.images.throwaway import Container

NOTICED = 30.0
REPORT = "/api/v1/health"
PARTS = ("database", "redis", "queues", "memory")

Check = Callable[[Trial], "str | None"]


@dataclass(frozen=True)
class Finding:
    """`advice` None: the promise is kept."""

    promise: str
    advice: str | None


def judge(trial: Trial) -> Iterator[Finding]:
    """All promises; what does not start cannot be asked for the others."""
    for promise, check in CHECKS.items():
        advice = check(trial)
        yield Finding(promise, advice)
        if advice is not None and check in (migrates, becomes_ready):
            return


def migrates(trial: Trial) -> str | None:
    command = shlex.join(trial.settings.backend.migration)
    for again in ("", " a second time"):
        code, words = trial.migrate()
        if code:
            return f"`{command}` ended with {code}{again}: {words}"
    return None


def becomes_ready(trial: Trial) -> str | None:
    path, seconds = trial.settings.health_path, trial.settings.rolling.healthy_within
    with trial.running() as container:
        if trial.becomes(container, True, seconds):
            return None
        why = "it runs" if container.running else f"it ended with {container.exit_code}"
        return f"GET {path} on port 3000 was not answered with 200 within {seconds} s ({why}: {last_words(container)})"


def has_health_command(trial: Trial) -> str | None:
    with ready(trial) as container:
        command = trial.service.health[1:]
        code = docker("exec", container.id, "sh", "-c", f"{shlex.join(command)} >/dev/null 2>&1; echo $?")
        return None if code == "0" else f"`{shlex.join(command)}` fails inside the image: wget and sh have to be in it"


def tells_its_health(trial: Trial) -> str | None:
    with ready(trial) as container:
        for path in ("/api/v1/health/live", "/api/v1/health"):
            status, body = trial.ask(container, path)
            if status != 200:
                return f"GET {path} was answered with {status}"
        try:
            told = json.loads(body)
        except ValueError:
            return "GET /api/v1/health is no JSON"
        missing = [part for part in PARTS if part not in (told.get("services") or {})]
        if told.get("status") != "healthy" or missing:
            return f"GET /api/v1/health: status {told.get('status')!r}, no word about {', '.join(missing) or 'nothing'}"
    return None


def stays_within_its_pool(trial: Trial) -> str | None:
    with ready(trial):
        held = trial.connections()
        most = trial.settings.pool
        return None if held <= most else f"it holds {held} connections; connection_limit in DATABASE_URL says {most}"


def notices_its_database(trial: Trial) -> str | None:
    with ready(trial) as container:
        docker("pause", trial.postgres.id)
        try:
            if not trial.becomes(container, False, NOTICED, REPORT):
                return f"GET {REPORT} still said 200 {NOTICED:.0f} s after the database had fallen silent"
        finally:
            docker("unpause", trial.postgres.id)
        if not trial.becomes(container, True, NOTICED, REPORT):
            return f"GET {REPORT} did not say 200 again within {NOTICED:.0f} s of the database coming back"
    return None


def ends_when_told(trial: Trial) -> str | None:
    seconds = trial.settings.rolling.drain
    with ready(trial) as container:
        began = time.monotonic()
        code = container.stop(grace=seconds)
        took = time.monotonic() - began
        if code == 137 or took > seconds:
            return f"SIGTERM did not end it within {seconds} s: requests under way would be cut at every deploy"
        return None if code in (0, 143) else f"SIGTERM ended it with {code}: {last_words(container)}"


def names_what_it_lacks(trial: Trial) -> str | None:
    with trial.running(without="DATABASE_URL") as container:
        ends = time.monotonic() + NOTICED
        while container.running and time.monotonic() < ends:
            time.sleep(0.2)
        if container.running:
            return f"without DATABASE_URL it still ran after {NOTICED:.0f} s, and a deploy would wait for nothing"
        if container.exit_code == 0 or "DATABASE_URL" not in container.logs():
            return f"without DATABASE_URL it does not say so: {last_words(container)}"
    return None


def says_whether_a_rollback_is_safe(trial: Trial) -> str | None:
    found = docker("image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', trial.image)
    if found in ("true", "false"):
        return None
    return f"it has no label {LABEL}=true|false: nobody can tell whether its migration stands in a rollback's way"


@contextmanager
def ready(trial: Trial) -> Iterator[Container]:
    with trial.running() as container:
        if not trial.becomes(container, True, trial.settings.rolling.healthy_within):
            raise RehearsalError(f"It became ready once, and now it does not: {last_words(container)}")
        yield container


CHECKS: dict[str, Check] = {
    "migrates the database, and finds nothing to do the second time": migrates,
    "runs as 1000:1000 on a read-only root without capabilities, and becomes ready": becomes_ready,
    "has what the health check runs": has_health_command,
    "tells its health": tells_its_health,
    "keeps to its share of database connections": stays_within_its_pool,
    "notices that its database is gone, and that it is back": notices_its_database,
    "ends when it is told to": ends_when_told,
    "names a variable that is missing": names_what_it_lacks,
    "says whether a rollback is safe": says_whether_a_rollback_is_safe,
}
