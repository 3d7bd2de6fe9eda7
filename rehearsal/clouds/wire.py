"""HTTP as plain values: a request comes in, an answer goes out, also one that breaks off in the middle."""

from __future__ import annotations

import socket
import struct
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote

LARGEST = 512 * 1024 * 1024
IDLE_CONNECTION = 60.0
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    """As it came: path and query, still quoted."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""
    client: str = "127.0.0.1"

    @property
    def raw_path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def path(self) -> str:
        return unquote(self.raw_path)

    @property
    def raw_query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.raw_query, keep_blank_values=True))


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    break_after: int | None = None
    """Reset the connection after this many bytes of the body; -1: before the first byte of the answer."""


Answer = Callable[[Request], Response]


class TooLargeError(Exception):
    pass


class Listener(ThreadingHTTPServer):
    """One API at one port."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer: Answer, address: str = "127.0.0.1") -> None:
        self.answer = answer
        super().__init__((address, 0), _Handler)

    def server_bind(self) -> None:
        """Without the look-up of the host's name, which takes seconds where there is no DNS."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error of the server."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_CONNECTION
    disable_nagle_algorithm = True
    server: Listener

    def _serve(self) -> None:
        try:
            body = self._body()
        except (TooLargeError, ValueError):
            self.close_connection = True
            self._send(Response(413 if self.headers.get("content-length") else 400))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        client = str(self.client_address[0])
        try:
            response = self.server.answer(Request(self.command, self.path, headers, body, client))
        except Exception:
            traceback.print_exc()
            response = Response(500, b"The emulated cloud has made a mistake; server.log in its folder says which.\n")
        self._send(response)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - http.server's names

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        length = int(self.headers.get("content-length") or 0)
        if not 0 <= length <= LARGEST:
            raise TooLargeError
        return self.rfile.read(length)

    def _chunks(self) -> list[bytes]:
        chunks: list[bytes] = []
        total = 0
        while size := int(self.rfile.readline(64).split(b";")[0], 16):
            total += size
            if total > LARGEST:
                raise TooLargeError
            chunks.append(self.rfile.read(size))
            self.rfile.readline(8)
        while self.rfile.readline(1024).strip():
            pass
        return chunks

    def _send(self, response: Response) -> None:
        if response.break_after is not None and response.break_after < 0:
            self._reset()
            return
        self.send_response(response.status)
        for name, value in response.headers.items():
            if name.lower() not in ("content-length", "connection", "date", "server"):
                self.send_header(name, value)
        length = str(len(response.body))
        if self.command == "HEAD":
            length = next((v for k, v in response.headers.items() if k.lower() == "content-length"), length)
        if response.status not in (204, 304):
            self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body[: response.break_after])
        if response.break_after is not None:
            self._reset()

    def _reset(self) -> None:
        """RST and not FIN: the client sees `connection reset by peer`."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        """What was changed is in the state files."""
