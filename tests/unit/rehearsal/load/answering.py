"""A server over TLS on loopback that answers as badly as a test wants, and a target that trusts it."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rehearsal.load import Target
from rehearsal.sinks.tls import Authority

HOST = "api.neurmatic.com"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Version: 1.4.2\r\n\r\n{}"
BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Http1:
    """`answer` says what comes back for the n-th request; b"" is a connection that ends without a byte.
    `closes_kept` is how many connections end so under their second request.
    """

    def __init__(self, answer: Callable[[int], bytes] = lambda number: OK, closes_kept: int = 0) -> None:
        self._answer, self._closes_kept = answer, closes_kept
        self.asked = self.connections = 0
        self.visitors: Counter[str] = Counter()
        self.ledger: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        kept = False
        while head := await head_of(reader):
            self.asked += 1
            self.visitors[head.get("cf-connecting-ip", "")] += 1
            if key := head.get("idempotency-key"):
                self.write(key)
            answer = self._answer(self.asked)
            if kept and self._closes_kept:
                self._closes_kept -= 1
                break
            kept = True
            writer.write(answer)
            if answer not in (OK, BAD_GATEWAY):
                break
        writer.close()

    def write(self, key: str) -> None:
        self.ledger[key] += 1


async def head_of(reader: asyncio.StreamReader) -> dict[str, str]:
    try:
        text = (await reader.readuntil(b"\r\n\r\n")).decode()
    except (asyncio.IncompleteReadError, ConnectionError):
        return {}
    lines = text.split("\r\n")[1:-2]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


@contextmanager
def served(folder: Path, handler: Handler, protocol: str = "http/1.1") -> Iterator[Target]:
    authority = Authority()
    pair = authority.issue([HOST])
    (folder / "pair.pem").write_bytes(pair.certificate + pair.key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "pair.pem")
    context.set_alpn_protocols([protocol])
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(handler, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield Target("127.0.0.1", server.sockets[0].getsockname()[1], HOST, authority.certificate.decode())
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        for task in asyncio.all_tasks(loop):
            task.cancel()
            loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        loop.close()
