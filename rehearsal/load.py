"""Somebody who keeps asking while something changes, and counts what came back.

It plays Cloudflare in front of many visitors: each request carries another visitor's address, so that limits stay on.
A request failed when no complete answer came, or a server error. A request that got no byte of an answer is sent once
more on a fresh connection, as browsers do; what is lost or done twice shows in the application's ledger.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection, RemoteDisconnected

THREADS = 4
PAUSE = 0.005
SECONDS = 15.0
MOST = 600.0
"""Nobody asks for longer than this, whatever happens to the one who waits for the end."""


@dataclass(frozen=True)
class Target:
    """Where to ask: an address that answers for `host`, with a certificate that `trusted` knows."""

    address: str
    port: int
    host: str
    context: ssl.SSLContext


@dataclass
class Seen:
    """What came back, by the version that said it; and the keys of all changes that were acknowledged."""

    answers: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    written: list[str] = field(default_factory=list)
    slowest: float = 0.0

    @property
    def total(self) -> int:
        return self.answers.total() + self.failed.total()


@contextmanager
def asking(target: Target, prefix: str = "load") -> Iterator[Seen]:
    """Until the block ends: reads and writes, on kept connections and on new ones."""
    seen, done = Seen(), threading.Event()
    ends = time.monotonic() + MOST
    visitors = [_Visitor(target, seen, f"{prefix}-{number}", number) for number in range(THREADS)]
    threads = [threading.Thread(target=visitor.ask_until, args=(done, ends)) for visitor in visitors]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        done.set()
        for thread in threads:
            thread.join(2 * SECONDS + 1)


class _Visitor:
    def __init__(self, target: Target, seen: Seen, name: str, number: int) -> None:
        self._target, self._seen, self._name, self._number = target, seen, name, number
        self._writes, self._keeps = bool(number % 2), number >= THREADS // 2
        self._connection: HTTPSConnection | None = None

    def ask_until(self, done: threading.Event, ends: float) -> None:
        count = 0
        while not done.wait(PAUSE) and time.monotonic() < ends:
            count += 1
            began = time.monotonic()
            self._ask(count)
            self._seen.slowest = max(self._seen.slowest, time.monotonic() - began)
        self._hang_up()

    def _ask(self, count: int) -> None:
        key = f"{self._name}-{count}"
        try:
            status, version = self._answer(key, count)
        except (OSError, HTTPException) as error:
            self._seen.failed[type(error).__name__] += 1
            return
        if status >= 400:
            self._seen.failed[str(status)] += 1
            return
        self._seen.answers[version] += 1
        if self._writes:
            self._seen.written.append(key)

    def _answer(self, key: str, count: int) -> tuple[int, str]:
        """Sent again only when the connection ended before the first byte of an answer."""
        try:
            return self._once(key, count)
        except (RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self._hang_up()
            return self._once(key, count)
        finally:
            if not self._keeps:
                self._hang_up()

    def _once(self, key: str, count: int) -> tuple[int, str]:
        connection = self._dial()
        headers = {"Host": self._target.host, "CF-Connecting-IP": self._address(count)}
        if self._writes:
            connection.request("POST", "/api/v1/ledger", headers={**headers, "Idempotency-Key": key})
        else:
            connection.request("GET", "/api/v1/users/me", headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.getheader("Connection", "").lower() == "close":
            self._hang_up()
        return answer.status, answer.getheader("X-Version", "nobody")

    def _address(self, count: int) -> str:
        return f"10.{self._number}.{count // 250 % 250}.{count % 250}"

    def _dial(self) -> HTTPSConnection:
        if self._connection is None:
            self._connection = _Dialled(self._target)
        return self._connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class _Dialled(HTTPSConnection):
    """To an address, for a name: as with an entry in a hosts file."""

    def __init__(self, target: Target) -> None:
        super().__init__(target.address, target.port, timeout=SECONDS, context=target.context)
        self._name = target.host

    def connect(self) -> None:
        super(HTTPSConnection, self).connect()
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self._name)  # type: ignore[attr-defined]
