"""An HTTP server that keeps what is posted to it: Slack, Sentry and the like in a rehearsal."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rehearsal.sinks.place import LOOPBACK, Place
from rehearsal.sinks.process import Server, launch_module, records
from rehearsal.sinks.serving import announce, record

LARGEST = 10_000_000
STATUS = "/status/"


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class WebhookSink:
    server: Server
    url: str
    _record: Path

    def calls(self) -> list[Call]:
        """Everything that arrived, oldest first; also what was answered with an error."""
        return [Call(**line) for line in records(self._record)]

    def failing_url(self, status: int) -> str:
        """An address that records like the others, but answers with this status."""
        return f"{self.url}{STATUS}{status}"

    def stop(self) -> None:
        self.server.stop()


def start_webhook(folder: Path, place: Place = LOOPBACK) -> WebhookSink:
    record_file = folder / "calls.jsonl"
    server, port = launch_module("webhook", place, folder, str(record_file))
    return WebhookSink(server, f"http://{place.address}:{port}", record_file)


class _Keeper(BaseHTTPRequestHandler):
    path_of_record: Path

    def _keep(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST:
            self.send_error(413)
            return
        body = self.rfile.read(length).decode(errors="replace")
        entry = {"method": self.command, "path": self.path, "headers": dict(self.headers.items()), "body": body}
        record(self.path_of_record, entry)
        word = self.path.removeprefix(STATUS)
        self.send_response(int(word) if word.isdigit() and len(word) == 3 else 200)
        answer = b"ok"  # what Slack says
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = _keep  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:
        """The record is the log."""


class _Listener(ThreadingHTTPServer):
    # Of many who call at once nobody is turned away.
    request_queue_size = 128


def _serve(address: str, announcement: Path, path: Path) -> None:
    handler = type("Keeper", (_Keeper,), {"path_of_record": path})
    with _Listener((address, 0), handler) as server:
        announce(announcement, server.server_port)
        server.serve_forever()


if __name__ == "__main__":
    _serve(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
