"""Builds pulumi and the Python language host from pinned Go modules, for machines that cannot download a release."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

HERE = Path(__file__).resolve().parent
VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
PULUMI = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
SDK = "github.com/pulumi/pulumi/sdk/v3"
# Scripts of the SDK that the language host starts; they are data of the module, not Go code.
SCRIPTS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
HEARTBEAT_SECONDS = 10
NO_NETWORK = ("no such host", "i/o timeout", "connection refused", "network is unreachable", "Forbidden")


class BuildError(Exception):
    """One clause that says what is missing and what to do."""


def key() -> str:
    """Changes with whatever goes into the build."""
    digest = hashlib.sha256()
    for source in sorted([HERE / "go.mod", HERE / "go.sum", *(HERE / "languagehost").glob("*.*")]):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:12]


def build(folder: Path, version: str, scratch: Path, say: Callable[[str], None]) -> None:
    """Fills `folder`. `scratch` keeps Go's downloads while it lasts: an interrupted build goes on where it was."""
    check_go()
    scratch.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    say(f"Building pulumi {version} from its Go modules: once, about 4 minutes on two cores")
    flags = f"-s -w -X {VERSION_VARIABLE}=v{version}"
    environment = build_environment(scratch)
    arguments = ["build", "-v", "-trimpath", "-ldflags", flags, "-o", f"{folder}/", PULUMI, "./languagehost"]
    run_go(arguments, environment, say, started)
    (folder / "languagehost").rename(folder / "pulumi-language-python")
    where = ["go", "list", "-m", "-f", "{{.Dir}}", SDK]
    sdk = Path(subprocess.check_output(where, cwd=HERE, env=environment, text=True).strip())
    for script in SCRIPTS:
        shutil.copyfile(sdk / script, folder / Path(script).name)
        (folder / Path(script).name).chmod(0o755)
    shutil.rmtree(scratch, ignore_errors=True)
    say(f"pulumi {version} is built, after {time.monotonic() - started:.0f} s")


def check_go() -> None:
    needed = re.search(r"^go (\S+)$", (HERE / "go.mod").read_text(), re.MULTILINE)
    wanted = needed[1] if needed else "1"
    install = f"install Go {wanted} or newer (https://go.dev/dl)"
    if shutil.which("go") is None:
        raise BuildError(f"there is no Go compiler: {install}")
    answer = subprocess.run(
        ["go", "env", "GOVERSION"],
        capture_output=True,
        text=True,
        env={**os.environ, "GOTOOLCHAIN": "local"},
        check=False,
    )
    found = re.search(r"go(\d[\d.]*)", answer.stdout)
    if found is None:
        raise BuildError(f"`go env` does not work ({answer.stderr.strip()}): {install}")
    if numbers(found[1]) < numbers(wanted):
        raise BuildError(f"Go {found[1]} is too old: {install}")


def numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]


def build_environment(scratch: Path) -> dict[str, str]:
    """Only where modules come from is left to the machine's own settings."""
    return {
        **{name: value for name, value in os.environ.items() if name not in ("GOOS", "GOARCH", "GOEXPERIMENT")},
        "CGO_ENABLED": "0",  # needs no C compiler, and runs on any libc
        "GOCACHE": str(scratch / "build"),
        "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",  # writable, so that `rm -r` can remove it
        "GOMODCACHE": str(scratch / "mod"),
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def run_go(arguments: list[str], environment: dict[str, str], say: Callable[[str], None], started: float) -> None:
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(["go", *arguments], cwd=HERE, env=environment, stderr=log, stdin=subprocess.DEVNULL)
        try:
            while process.poll() is None:
                try:
                    process.wait(HEARTBEAT_SECONDS)
                except subprocess.TimeoutExpired:
                    say(f"  {progress(log)} after {time.monotonic() - started:.0f} s")
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        if process.returncode:
            raise BuildError(explain(lines_of(log)))


def lines_of(log: IO[str]) -> list[str]:
    log.seek(0)
    return [line.strip() for line in log if line.strip()]


def progress(log: IO[str]) -> str:
    lines = lines_of(log)
    downloads = sum(line.startswith("go: downloading") for line in lines)
    return f"{downloads} modules downloaded, {len(lines) - downloads} packages compiled"


def explain(lines: list[str]) -> str:
    told = [line for line in lines if not re.fullmatch(r"go: downloading .*|[\w./~-]+", line)]
    reason = told[-1] if told else "go ended without a word"
    if any(sign in line for sign in NO_NETWORK for line in told):
        return f"its Go modules cannot be fetched ({reason}): check the network, or GOPROXY"
    if any("no space left" in line for line in told):
        return "the disk is full: about 4 GB are needed while it builds"
    return reason
