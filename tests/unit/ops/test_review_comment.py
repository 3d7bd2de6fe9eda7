"""Posting the report, with a code host of our own that speaks HTTP and remembers what was asked of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from review_samples import review

from ops.review.markdown import MARKER
from ops.review.report import write

ROOT = Path(__file__).resolve().parents[3]
SHA = "c" * 40


class CodeHost(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pulls = [{"number": 7, "head": {"sha": SHA, "repo": {"full_name": "ada/infra"}}}]
        self.comments: list[dict[str, Any]] = []
        self.written: list[tuple[str, str, str]] = []
        self.seen: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: CodeHost

    def do_GET(self) -> None:
        self.server.seen.append(self.path)
        page = int(self.path.rpartition("page=")[2])
        found: list[dict[str, Any]] = self.server.pulls if "/pulls?" in self.path else self.server.comments
        self._answer(found[(page - 1) * 100 : page * 100])

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
        self.server.written.append((self.command, self.path, body))
        self._answer({})

    def do_PATCH(self) -> None:
        self.do_POST()

    def _answer(self, data: Any) -> None:
        assert self.headers["Authorization"] == "Bearer secret-token"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(data).encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def host() -> Iterator[CodeHost]:
    server = CodeHost()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def comment(host: CodeHost, file: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """As the workflow runs it: the system's Python, without a single package."""
    environment = {
        "PATH": os.environ["PATH"],
        "GITHUB_API_URL": f"http://127.0.0.1:{host.server_port}",
        "GITHUB_REPOSITORY": "acme/infra",
        "GITHUB_SERVER_URL": "https://code.example",
        "GITHUB_TOKEN": "secret-token",
        "HEAD_BRANCH": "a/feature & more",
        "HEAD_REPOSITORY": "ada/infra",
        "HEAD_SHA": SHA,
        "RUN_ID": "42",
        **more,
    }
    command = [sys.executable, "-S", "-m", "ops.review.comment", str(file)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    file = tmp_path / "review.json"
    file.write_text(write(review()))
    return file


def test_the_first_report_is_a_new_comment(host: CodeHost, report: Path) -> None:
    done = comment(host, report)
    assert (done.returncode, done.stdout) == (0, "Commented on #7.\n"), done.stderr
    ((method, path, body),) = host.written
    assert (method, path) == ("POST", "/repos/acme/infra/issues/7/comments")
    assert body.startswith(f"{MARKER}\n## Infrastructure: stopped by")
    assert "(https://code.example/acme/infra/actions/runs/42)" in body
    assert "head=ada%3Aa%2Ffeature%20%26%20more" in host.seen[0]


def test_the_next_report_is_written_over_the_first(host: CodeHost, report: Path) -> None:
    mine = {"id": 9, "user": {"login": "github-actions[bot]"}, "body": f"{MARKER}\nold"}
    theirs = {"id": 8, "user": {"login": "mallory"}, "body": f"{MARKER}\nold"}
    other = {"id": 1, "user": {"login": "github-actions[bot]"}, "body": "coverage"}
    host.comments = [theirs, *[other] * 150, mine]
    assert comment(host, report).returncode == 0
    assert [(method, path) for method, path, _ in host.written] == [("PATCH", "/repos/acme/infra/issues/comments/9")]


@pytest.mark.parametrize(
    "pull",
    [
        {"number": 7, "head": {"sha": "d" * 40, "repo": {"full_name": "ada/infra"}}},
        {"number": 7, "head": {"sha": SHA, "repo": {"full_name": "mallory/infra"}}},
        {"number": 7, "head": {"sha": SHA, "repo": None}},
    ],
    ids=["newer-commit", "other-repository", "deleted-fork"],
)
def test_nothing_is_written_where_the_commit_is_not_the_newest(
    host: CodeHost, report: Path, pull: dict[str, Any]
) -> None:
    host.pulls = [pull]
    done = comment(host, report)
    assert done.returncode == 0
    assert "No open pull request ends with this commit" in done.stdout
    assert host.written == []


@pytest.mark.parametrize(
    "content", [b"{}", b"\xff\xfe", b"[" * 50_000, b"0" * 5_000_000], ids=["empty", "bytes", "deep", "large"]
)
def test_what_is_no_report_is_said_and_not_shown(host: CodeHost, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "review.json"
    file.write_bytes(content)
    assert comment(host, file).returncode == 0
    ((_, _, body),) = host.written
    assert "What the run handed over is no report." in body
    assert len(body) < 600


def test_a_mistake_of_the_workflow_is_a_sentence(host: CodeHost, report: Path) -> None:
    done = comment(host, report, RUN_ID="1; rm -rf /")
    assert (done.returncode, done.stderr) == (1, "Nothing was posted: RUN_ID must be a number and HEAD_SHA a commit.\n")
    done = comment(host, report, GITHUB_API_URL="http://127.0.0.1:9")
    assert done.returncode == 1
    assert "Nothing was posted: GET pulls was not answered" in done.stderr
    assert "secret-token" not in done.stderr
