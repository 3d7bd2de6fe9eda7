"""The Docker engine of this machine: found, or installed by apt and started where that is possible."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rehearsal import TOOLCHAIN, RehearsalError

STATE = TOOLCHAIN / "docker"
START_SECONDS = 60
PERMISSION_HELP = "This user may not talk to the Docker engine: join the group 'docker', or run as root."
INSTALL_HELP = "install Docker (on Debian or Ubuntu: apt-get install docker.io) and try again."


class DockerError(RehearsalError):
    """The engine is missing, or refused something."""


def docker(*args: str, stdin: bytes | None = None, timeout: float = 120) -> str:
    """Run one docker command and return what it printed; a refusal becomes one sentence."""
    try:
        done = subprocess.run(["docker", *args], input=stdin or b"", capture_output=True, check=False, timeout=timeout)
    except FileNotFoundError:
        raise DockerError(f"The program 'docker' is not on PATH: {INSTALL_HELP}") from None
    except subprocess.TimeoutExpired:
        raise DockerError(f"'docker {args[0]}' did not end within {timeout:.0f} s.") from None
    if done.returncode != 0:
        raise DockerError(refusal(args[0], done.stderr.decode(errors="replace")))
    return done.stdout.decode(errors="replace").strip()


def refusal(verb: str, stderr: str) -> str:
    """Docker's own reason in one line, with the remedy where there is a usual one."""
    lines = [line for line in stderr.strip().splitlines() if line and not line.startswith("See 'docker")]
    reason = lines[-1] if lines else "no reason given"
    if "no space left" in stderr:
        return f"No space left for Docker ({reason}): './infra rehearse down --all' or 'docker system df'."
    for noise in ("docker: ", "Error response from daemon: "):
        reason = reason.removeprefix(noise)
    return f"'docker {verb}' failed: {reason}"


def engine_problem() -> str | None:
    """None when an engine answers, else what stands in the way."""
    try:
        docker("version", "--format", "{{.Server.Version}}", timeout=20)
    except DockerError as error:
        return str(error)
    return None


def ensure_docker() -> None:
    """Return when an engine answers: install and start one where this machine allows it."""
    problem = engine_problem()
    if problem is None:
        return
    _refuse_what_cannot_be_helped(problem)
    with _one_at_a_time():
        if engine_problem() is None:
            return
        if not installed():
            install()
        if engine_problem() is not None:
            start()


def installed() -> bool:
    return shutil.which("docker") is not None and shutil.which("dockerd") is not None


def can_install() -> bool:
    """Whether this process could bring an engine up by itself (CI must then never skip)."""
    return os.geteuid() == 0 and (installed() or shutil.which("apt-get") is not None)


def _refuse_what_cannot_be_helped(problem: str) -> None:
    if "permission denied" in problem:
        raise DockerError(PERMISSION_HELP)
    host = os.environ.get("DOCKER_HOST")
    if host:
        raise DockerError(f"No Docker engine answers at DOCKER_HOST={host}: start it, or unset DOCKER_HOST.")
    if os.geteuid() != 0:
        remedy = "start it (sudo systemctl start docker) and try again." if installed() else INSTALL_HELP
        raise DockerError(f"No Docker engine answers on this machine: {remedy}")


def install() -> None:
    """docker.io from the distribution's own archive."""
    if shutil.which("apt-get") is None:
        raise DockerError(f"There is no Docker engine here and no apt to install one: {INSTALL_HELP}")
    _apt("update")
    _apt("install", "--yes", "--no-install-recommends", "docker.io")


def _apt(*args: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "--quiet", *args]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise DockerError(f"Docker could not be installed: apt-get {args[0]} said {last}; {INSTALL_HELP}")


def start() -> None:
    """Start dockerd without an init system and note its pid, so that stop() ends this one and no other."""
    STATE.mkdir(parents=True, exist_ok=True)
    log = STATE / "dockerd.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["dockerd"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    (STATE / "engine.json").write_text(json.dumps({"pid": process.pid}))
    deadline = time.monotonic() + START_SECONDS
    while engine_problem() is not None:
        if process.poll() is not None or time.monotonic() > deadline:
            stop()
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise DockerError(f"dockerd did not start: {' '.join(last) or 'it said nothing'} (log: {log}).")
        time.sleep(0.3)


def started_pid() -> int | None:
    """The pid of the engine that start() began, while it is alive."""
    try:
        pid = int(json.loads((STATE / "engine.json").read_text())["pid"])
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except (OSError, ValueError, KeyError):
        return None
    return pid if name == "dockerd" else None


def stop() -> None:
    """End the engine that start() began; one that was there before is left alone."""
    pid = started_pid()
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 30
        while started_pid() is not None and time.monotonic() < deadline:
            _reap(pid)
            time.sleep(0.2)
    (STATE / "engine.json").unlink(missing_ok=True)


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:  # begun by another process: its parent reaps it
        return


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two commands that both find no engine must not install and start two."""
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
