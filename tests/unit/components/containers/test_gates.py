"""What a new set has to pass, apart from real containers (those are in tests/rehearsal/containers/test_serve.py)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from components.containers.balancer import rules
from components.containers.config import ContainersSettings, Release
from components.containers.onhost import gates, releases
from components.containers.onhost.engine import FailureError

NETWORK = "stack"
RELEASE = {"version": "1.4.2", "backend": "b@sha256:1", "frontend": "f@sha256:1"}


class Application(BaseHTTPRequestHandler):
    """Its health is well; of the rest every fourth answer is an error."""

    asked = 0

    def do_GET(self) -> None:
        Application.asked += self.path == "/items"
        bad = self.path == "/items" and Application.asked % 4 == 0
        self.send_response(500 if bad else 401 if self.path == "/admin" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """An application on loopback, as the engine would describe its container."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state = {"restarts": 0, "state": {"Status": "running", "StartedAt": "then"}}
    monkeypatch.setattr(
        gates, "state_of", lambda name: {**state, "there": {"Networks": {NETWORK: {"IPAddress": "127.0.0.1"}}}}
    )
    monkeypatch.setattr(gates, "last_words", lambda name: "words")
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def wanted(port: int, *smoke: str, **more: Any) -> dict[str, Any]:
    place = {"port": port, "health": "/health", "smoke": list(smoke)}
    return {"network": NETWORK, "host": "api", "within": 0.5, "kinds": {"backends": place}, **more}


def test_an_application_that_answers_passes(port: int, tmp_path: Path) -> None:
    gates.become_healthy(tmp_path, {"backends": ["new-1"]}, wanted(port))
    gates.answer_well({"backends": ["new-1"]}, wanted(port, "/admin", "/health"))


def test_one_that_fails_every_fourth_time_does_not(port: int) -> None:
    with pytest.raises(FailureError, match=r"^Gate smoke: new-1 answers /items: 500\. words"):
        gates.answer_well({"backends": ["new-1"]}, wanted(port, "/items"))


def test_one_on_another_port_is_named_with_what_was_tried(port: int, tmp_path: Path) -> None:
    with pytest.raises(
        FailureError, match=r"^Gate health: new-1 is not healthy after 0.5 s \(/health on port 1: .*refus"
    ):
        gates.become_healthy(tmp_path, {"backends": ["new-1"]}, wanted(1))


def test_a_change_that_was_stopped_ends(port: int, tmp_path: Path) -> None:
    (tmp_path / gates.STOP).touch()
    with pytest.raises(FailureError, match=r"^Gate stop: "):
        gates.become_healthy(tmp_path, {"backends": ["new-1"]}, wanted(port))


@pytest.mark.parametrize(("errors", "passes"), [(4, True), (6, False)])
def test_visitors_errors_count_when_the_new_set_gave_them(
    errors: int, passes: bool, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, old = f"127.0.0.1:{port}", "10.0.0.9:3000"
    lines = [{"upstream": ours, "status": "500" if number < errors else "200"} for number in range(100)]
    lines += [{"upstream": old, "status": "502"}] * 50
    text = "\n".join([*map(json.dumps, lines), "nginx: a line that is no entry", "[]"])
    monkeypatch.setattr(gates, "run", lambda *command, check: text)
    new = {"backends": ["new-1"], "frontends": []}
    document = wanted(port, container="nginx", error_share=0.05)
    if passes:
        gates.must_not_disappoint(new, document, 0)
    else:
        with pytest.raises(FailureError, match=f"^Gate soak: {errors} of 100 answers of the new set were errors"):
            gates.must_not_disappoint(new, document, 0)


def test_the_gates_of_the_settings_are_told() -> None:
    release = Release(version="1.4.2", backend="sha256:" + "a" * 64, frontend="sha256:" + "b" * 64)
    settings = ContainersSettings.model_validate(
        {"postgres": {"database": "d", "user": "u"}, "release": release, "rolling": {"smoke": ["/x"], "soak": "7s"}}
    )
    told = rules(settings, release, "api.neurmatic.com")
    assert told["kinds"]["backends"] == {"port": 3000, "health": settings.health_path, "smoke": ["/x"]}
    assert told["soak"] == 7
    assert told["release"]["backend"] == f"ghcr.io/alexbaum-ai/neurm-backend@{release.backend}"


def test_the_history_has_a_line_for_each_change_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = {"b@sha256:2": '{"neurmatic.migration.irreversible":"true"}', "b@sha256:1": "null"}
    monkeypatch.setattr(releases, "run", lambda *command, check: labels.get(command[-1], ""))
    newer = {**RELEASE, "version": "1.4.3", "backend": "b@sha256:2"}
    for each in (RELEASE, RELEASE, newer, newer, RELEASE):
        releases.note(tmp_path, each)
    with (tmp_path / "releases.jsonl").open("a") as file:
        file.write('{"at": "cut o')
    lines = releases.history(tmp_path)
    assert [(line["version"], line["irreversible"]) for line in lines] == [
        ("1.4.2", False),
        ("1.4.3", True),
        ("1.4.2", False),
    ]
    assert set(lines[0]) == {"at", "version", "backend", "frontend", "irreversible"}
