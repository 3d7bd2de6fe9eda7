"""Starts the real server as a process of its own; no database or Redis answers, which much of it does not need."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

NOWHERE = {
    "DATABASE_URL": "postgresql://nobody:x@127.0.0.1:9/none?connection_limit=3&pool_timeout=1",
    "REDIS_URL": "redis://127.0.0.1:9",
    "JWT_SECRET": "a" * 64,
    "JWT_REFRESH_SECRET": "b" * 64,
    "SESSION_SECRET": "c" * 64,
    "HOST": "127.0.0.1",
    "APP_VERSION": "1.4.2",
}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Backend:
    port: int
    process: subprocess.Popen[str]

    def connect(self, timeout: float = 10) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> Answer:
        connection = self.connect()
        try:
            return ask(connection, method, path, body, headers)
        finally:
            connection.close()

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: str | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    return Answer(response.status, dict(response.getheaders()), response.read().decode())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "rehearsal.stub", *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(**environment: str) -> Iterator[Backend]:
    port = free_port()
    process = start({**NOWHERE, "PORT": str(port), **environment})
    try:
        _wait_for(process, int(environment.get("FAULT_PORT", port)))
        yield Backend(port, process)
    finally:
        process.kill()
        process.communicate()


def _wait_for(process: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the server ended: {process.communicate()[1]}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server does not listen")
