"""`./infra health`: the server's report and the look from outside, in one."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any

import pytest
from click.testing import CliRunner

from components.health.onhost.finding import broken, fine
from neurmatic.settings import NeurmaticSettings
from ops import health
from ops.errors import OperatorError
from ops.server import Server
from ops.stackcheck import check_file
from ops.target import ROOT
from rehearsal.sinks.tls import Authority

REPORT = {"stack": "neurmatic production", "host": "vps", "seconds": 1.0, "healthy": True, "findings": []}


class Site(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Site]]:
    """A server of ours under the site's name, on loopback."""
    pair = Authority().issue(["api.neurmatic.com"])
    (tmp_path / "pair.pem").write_bytes(pair.certificate + pair.key)
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pair.pem")
    handler = type("Here", (Site,), {})
    server = HTTPServer(("127.0.0.1", 0), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(health, "HTTPS", server.server_port)
    yield handler
    server.shutdown()
    server.server_close()


def settings(http_from: str = "everyone", origin_pulls: bool = False) -> NeurmaticSettings:
    found = check_file(ROOT / "Pulumi.production.yaml", rehearsal=True).settings
    assert isinstance(found, NeurmaticSettings)
    from_whom = {"address": "127.0.0.1", "http_from": type(found.host.http_from)(http_from)}
    edge = found.edge.model_copy(update={"origin_pulls": origin_pulls})
    return found.model_copy(update={"host": found.host.model_copy(update=from_whom), "edge": edge})


def origin(given: NeurmaticSettings) -> tuple[str, str, bool]:
    found = health.origin(given, "api.neurmatic.com", "/api/v1/health/ready")
    return found.level, found.text, found.vital


def test_an_origin_that_answers_everybody_is_looked_at_from_here(site: type[Site]) -> None:
    assert origin(settings())[0] == "ok"
    site.status = 503
    level, text, vital = origin(settings())
    assert (level, vital) == ("critical", True)
    assert "answered 503" in text


def test_an_origin_for_the_edge_alone_should_not_answer_here(site: type[Site], monkeypatch: pytest.MonkeyPatch) -> None:
    assert origin(settings("cloudflare"))[0] == "warning"
    monkeypatch.setattr(health, "HTTPS", 1)
    assert origin(settings("cloudflare")) == ("ok", "127.0.0.1 is closed to everybody but Cloudflare", False)
    assert origin(settings())[0] == "warning"


def test_an_origin_may_ask_for_the_edges_certificate(site: type[Site]) -> None:
    site.status = 400
    assert origin(settings(origin_pulls=True)) == ("ok", "127.0.0.1 asks for Cloudflare's certificate", False)
    assert origin(settings())[0] == "critical"


def test_an_edge_with_a_certificate_of_nobody_is_said(site: type[Site]) -> None:
    found = health.edge("localhost", "/")
    assert found.level == "warning"
    assert "certificate" in found.text.lower()


def say(monkeypatch: pytest.MonkeyPatch, code: int, out: str, err: str = "") -> None:
    def answer(self: Server, command: str, stdin: str, timeout: float) -> subprocess.CompletedProcess[str]:
        assert command == "sudo -n /opt/neurmatic/infrastructure/scripts/health-check.sh --json"
        return subprocess.CompletedProcess(command, code, out, err)

    monkeypatch.setattr(Server, "run", answer)


@pytest.mark.parametrize(("healthy", "vital", "code"), [(True, False, 0), (False, False, 1), (True, True, 1)])
def test_the_verdict_is_of_both(monkeypatch: pytest.MonkeyPatch, healthy: bool, vital: bool, code: int) -> None:
    outside = broken("edge", "answered 521") if vital else fine("edge", "answered 200")
    say(monkeypatch, 0 if healthy else 1, json.dumps({**REPORT, "healthy": healthy}))
    monkeypatch.setattr(health, "settings_of", lambda target: settings())
    monkeypatch.setattr(health, "from_outside", lambda settings, rehearsal: iter([outside]))
    done = CliRunner().invoke(health.health, ["--stack", "production", "--json"])
    assert done.exit_code == code
    report = json.loads(done.stdout)
    assert report["healthy"] is (code == 0)
    assert [each["name"] for each in report["findings"]] == ["edge"]


def test_a_server_without_the_script_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, 1, "", "sudo: /opt/neurmatic/infrastructure/scripts/health-check.sh: command not found")
    with pytest.raises(OperatorError, match="has no health check yet"):
        health.on_the_server(settings())
    say(monkeypatch, 1, "", "sudo: a password is required")
    with pytest.raises(OperatorError, match="gave no report: sudo: a password is required"):
        health.on_the_server(settings())
