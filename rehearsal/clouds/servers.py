"""Start, find and stop the clouds of one rehearsal: `start(folder).environment()` is all that a client needs."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rehearsal import RehearsalError

REGION = "eu-west-1"
ANNOUNCEMENT = "running.json"
LOG = "server.log"
START_SECONDS = 60.0
STOP_SECONDS = 5.0
TICK = 0.02
IDLE_SECONDS = 900.0


@dataclass(frozen=True)
class Zone:
    """A zone that exists before the rehearsal begins, as real ones do: it is adopted by its id."""

    id: str
    name: str
    plan: str = "free"
    account_id: str = "0" * 31 + "1"


@dataclass(frozen=True)
class Clouds:
    aws: str
    """The endpoint of S3, IAM and STS. Its calls count as made over TLS."""
    cloudflare: str
    """What goes into CLOUDFLARE_BASE_URL."""
    aws_without_tls: str
    """The same AWS, at a port whose calls count as made without TLS."""
    aws_key: str
    aws_secret: str = field(repr=False)
    cloudflare_token: str = field(repr=False)
    control: str = field(repr=False)
    pid: int
    folder: Path

    def environment(self) -> dict[str, str]:
        """What SDKs, command lines and plugins need to talk to these clouds, and to nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.aws,
            "AWS_ACCESS_KEY_ID": self.aws_key,
            "AWS_SECRET_ACCESS_KEY": self.aws_secret,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CLOUDFLARE_BASE_URL": self.cloudflare,
            "CLOUDFLARE_API_TOKEN": self.cloudflare_token,
        }

    def adopt(self, zone: Zone) -> None:
        """Make the zone exist. One that exists is left as it is, but for its plan."""
        _call(self, "PUT", f"zones/{zone.id}", {k: v for k, v in asdict(zone).items() if k != "id"})

    def zone(self, zone_id: str) -> dict[str, Any]:
        """The zone as the API holds it, in the shape that `edgerules.zone` reads."""
        return dict(_call(self, "GET", f"zones/{zone_id}"))

    def fault(self, kind: str, **matching: Any) -> int:
        """Let the next fitting call fail; faults.Fault says how to choose it. Returns the fault's number."""
        return int(_call(self, "POST", "faults", {"kind": kind, **matching})["number"])

    def faults(self) -> list[dict[str, Any]]:
        """Those that still wait for a call."""
        return list(_call(self, "GET", "faults"))

    def clear_faults(self) -> None:
        _call(self, "DELETE", "faults")

    def now(self) -> str:
        """The clouds' time: the real one and what has been skipped."""
        return str(_call(self, "GET", "clock")["now"])

    def retrieve_within(self, seconds: float | None) -> None:
        """How long archived objects take to come, for a rehearsal that waits; None: as long as with AWS."""
        _call(self, "PUT", "retrieval", {"seconds": seconds})

    def skip(self, seconds: float) -> None:
        """Let time pass in the clouds: retention ends, an archived object has arrived."""
        _call(self, "POST", "clock", {"seconds": seconds})


def start(folder: Path, *, idle: float = IDLE_SECONDS, owner: int | None = None) -> Clouds:
    """The clouds whose state lives below `folder`, started unless they run. `owner`: end when that process has."""
    folder = folder.resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds the keys of what is rehearsed
    with _starting(folder):
        return running(folder) or _launch(folder, idle, owner)


def running(folder: Path) -> Clouds | None:
    """Those that answer. What a dead process left behind counts for nothing."""
    clouds = _announced(folder.resolve())
    if clouds is None:
        return None
    try:
        _call(clouds, "GET", "health")
    except RehearsalError:
        return None
    return clouds


def stop(folder: Path) -> None:
    """End them; what they hold stays in the folder. No clouds, no complaint."""
    folder = folder.resolve()
    clouds = running(folder)
    if clouds is None:
        return
    with contextlib.suppress(RehearsalError):
        _call(clouds, "POST", "stop")
    if not _ended(clouds.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(clouds.pid, signal.SIGKILL)
        _ended(clouds.pid)


@contextlib.contextmanager
def _starting(folder: Path) -> Iterator[None]:
    with (folder / "start.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _announced(folder: Path) -> Clouds | None:
    try:
        found = json.loads((folder / ANNOUNCEMENT).read_text())
        base = {name: f"http://127.0.0.1:{int(port)}" for name, port in found.pop("ports").items()}
        cloudflare = base["cloudflare"] + "/client/v4"
        return Clouds(base["aws"], cloudflare, base["aws_without_tls"], folder=folder, **found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _launch(folder: Path, idle: float, owner: int | None) -> Clouds:
    (folder / ANNOUNCEMENT).unlink(missing_ok=True)
    command = [sys.executable, "-m", "rehearsal.clouds.server", str(folder), "--idle", str(idle)]
    command += ["--owner", str(owner)] if owner is not None else []
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=_environment()
        )
    deadline = time.monotonic() + START_SECONDS
    while (clouds := _announced(folder)) is None or clouds.pid != process.pid:
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise RehearsalError(_last_words(folder / LOG))
        time.sleep(TICK)
    return clouds


def _environment() -> Mapping[str, str]:
    """Moto reads settings from the environment; the caller's must not reach it, nor must credentials."""
    root = str(Path(__file__).resolve().parents[2])
    kept = {name: value for name, value in os.environ.items() if name in ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR")}
    return {**kept, "PYTHONPATH": root, "PYTHONDONTWRITEBYTECODE": os.environ.get("PYTHONDONTWRITEBYTECODE", "")}


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    if any(line.startswith("Traceback") for line in lines) or not lines:
        return f"The emulated clouds did not start ({lines[-1] if lines else 'they said nothing'}); see {log}."
    return lines[-1]


def _ended(pid: int) -> bool:
    """Within STOP_SECONDS. Our own child has to be collected, or it would look alive for ever."""
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG)[0] == pid:
                return True
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(TICK)
    return False


def _call(clouds: Clouds, method: str, path: str, data: Any = None) -> Any:
    host = clouds.cloudflare.removeprefix("http://").partition("/")[0]
    connection = http.client.HTTPConnection(host, timeout=10)
    body = json.dumps(data) if data is not None else None
    try:
        connection.request(method, f"/_clouds/{path}", body, {"X-Rehearsal-Token": clouds.control})
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise RehearsalError(
            f"The emulated clouds of {clouds.folder} do not answer ({error}): start them again."
        ) from None
    finally:
        connection.close()
    if response.status != 200:
        raise RehearsalError(f"The emulated clouds refused: {answer['error']}.")
    return answer
