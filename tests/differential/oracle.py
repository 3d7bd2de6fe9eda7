"""Cloudflare's published engine (wirefilter-engine 0.6.1) as a child process: built once, asked in bulk."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edgerules.tables.fields import fields

HERE = Path(__file__).parent
CRATE = HERE / "oracle"
TARGET = HERE.parents[1] / ".toolchain" / "rules-oracle"
BINARY = TARGET / "release" / "rules-oracle"
BUILD_SECONDS = 600

FIELDS = (
    "http.host",
    "http.request.uri.path",
    "http.user_agent",
    "ip.src",
    "cf.edge.server_port",
    "http.response.code",
    "ssl",
    "cf.client.bot",
)
"""The fields of the shared subset, in the order in which oracle/src/main.rs reads them."""

Request = dict[str, Any]


class OracleMissingError(RuntimeError):
    """The engine cannot be built here; the message says why."""


def build() -> Path:
    """The path of the built oracle, built if it is missing or older than its source."""
    sources = [CRATE / "src" / "main.rs", CRATE / "Cargo.toml"]
    if BINARY.exists() and all(BINARY.stat().st_mtime >= source.stat().st_mtime for source in sources):
        return BINARY
    cargo = shutil.which("cargo")
    if cargo is None:
        raise OracleMissingError("cargo is missing: install Rust to compare with wirefilter-engine 0.6.1")
    command = [cargo, "build", "--release", "--manifest-path", str(CRATE / "Cargo.toml")]
    try:
        done = subprocess.run(
            [*command, "--target-dir", str(TARGET)], capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise OracleMissingError(f"building wirefilter-engine 0.6.1 took over {BUILD_SECONDS} s") from None
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no output"]
        raise OracleMissingError(f"wirefilter-engine 0.6.1 could not be built: {last[0]}")
    return BINARY


def ask(pairs: Iterable[tuple[str, Request]]) -> list[str]:
    """For each expression and request: "1", "0" or "error ..."."""
    lines = "".join(_line(text, request) for text, request in pairs)
    done = subprocess.run([str(build())], input=lines.encode(), capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace").splitlines()


def _line(text: str, request: Request) -> str:
    parts = [text.encode(), *(_raw(request[name]) for name in FIELDS)]
    return "\t".join(part.hex() for part in parts) + "\n"


def _raw(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return (b"1" if value else b"0") if isinstance(value, bool) else str(value).encode()


def kinds() -> dict[str, str]:
    """The type of each field of the subset."""
    return {name: str(fields()[name].kind) for name in FIELDS}
