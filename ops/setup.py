"""Makes .venv from the hash-pinned requirements. Standard library only: it runs before anything is installed.

Interrupted anywhere, the next run completes it; two at once wait for each other.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
REQUIREMENTS = {"runtime": ["requirements.txt"], "dev": ["requirements.txt", "requirements-dev.txt"]}
HEARTBEAT_SECONDS = 10


class SetupError(Exception):
    """One sentence for the person in front of the terminal."""


def main(kind: str) -> int:
    started = time.monotonic()
    try:
        check_prerequisites()
        with only_one_at_a_time():
            if not is_working():
                create_venv(started)
            install(kind, started)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: the next run completes the set-up.", file=sys.stderr)
        return 130
    say(started, "Python packages are in place")
    return 0


def check_prerequisites() -> None:
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            raise SetupError(f"Python {version} at {sys.executable} lacks venv: install python3-venv.")
    sys.path.insert(0, str(ROOT))
    from ops import engine  # noqa: PLC0415 (standard library only, like this file)

    missing = engine.missing()
    if missing:
        raise SetupError(missing)


@contextlib.contextmanager
def only_one_at_a_time() -> Iterator[None]:
    lock = ROOT / ".toolchain" / "setup.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def is_working() -> bool:
    """A checkout that was moved or copied carries a .venv whose scripts point at the old place."""
    place = VENV / ".place"
    return place.is_file() and place.read_text() == str(ROOT) and runs(VENV / "bin" / "python")


def runs(python: Path) -> bool:
    try:
        return subprocess.run([python, "-c", "import pip"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def create_venv(started: float) -> None:
    say(started, f"making .venv with Python {sys.version.split()[0]}")
    run_quietly([sys.executable, "-m", "venv", "--clear", str(VENV)], started, "the virtual environment")
    (VENV / ".place").write_text(str(ROOT))


def install(kind: str, started: float) -> None:
    files = REQUIREMENTS[kind]
    say(started, f"installing the packages of {' and '.join(files)}, pinned by hash")
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--no-input"]
    wanted = [argument for file in files for argument in ("-r", str(ROOT / file))]
    # Most of the SDKs' modules are never imported: Python compiles those that are, when they are.
    run_quietly([*pip, "--no-compile", "--require-hashes", *wanted], started, "the Python packages")
    editable = [*pip, "--no-deps", "--no-index", "--no-build-isolation", "--editable", str(ROOT)]
    run_quietly(editable, started, "this checkout as a package")
    for done in REQUIREMENTS if kind == "dev" else [kind]:
        (VENV / f".ready-{done}").write_text(str(ROOT))


def run_quietly(command: list[str], started: float, what: str) -> None:
    """Runs with the output in a log; says every ten seconds that it is alive."""
    log = ROOT / ".toolchain" / "setup.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            wait_aloud(process, started, what)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode:
        raise SetupError(explain(log.read_text(errors="replace"), what, log))


def wait_aloud(process: subprocess.Popen[bytes], started: float, what: str) -> None:
    while True:
        try:
            process.wait(HEARTBEAT_SECONDS)
            return
        except subprocess.TimeoutExpired:
            say(started, f"still at {what}")


NETWORK_SIGNS = ("NewConnectionError", "Name or service not known", "timed out", "ProxyError")


def explain(log: str, what: str, where: Path) -> str:
    if "THESE PACKAGES DO NOT MATCH THE HASHES" in log:
        return f"A package is not the one that is pinned (its hash differs); nothing was installed. See {where}."
    if any(sign in log for sign in NETWORK_SIGNS):
        return f"No network for {what}: check the connection or the proxy settings. See {where}."
    if "No space left" in log:
        return f"The disk is full: {what} could not be installed (about 800 MB are needed in {ROOT})."
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    reason = next((line for line in reversed(lines) if line.startswith("ERROR")), lines[-1] if lines else "no output")
    return f"Setting up {what} failed: {reason} (all of it in {where})"


def say(started: float, text: str) -> None:
    print(f"[{time.monotonic() - started:4.0f} s] {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main(sys.argv[1]))
