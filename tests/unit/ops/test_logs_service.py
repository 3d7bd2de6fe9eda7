"""`logs SERVICE`: which container bears a name just now, and how the laptop asks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from components.health.onhost import logs as on_server
from components.health.onhost.containers import Container
from neurmatic.settings import NeurmaticSettings
from ops import logs
from ops.errors import OperatorError
from ops.server import NO_CONNECTION, Server
from ops.stackcheck import check_file
from ops.target import ROOT


def one(service: str, mark: str = "", running: bool = True, started: str = "2026-11-21T20:00:00Z") -> Container:
    name = f"neurmatic-{service}-production{mark}"
    return Container(f"id{mark}", name, service, {"Running": running, "StartedAt": started}, 0, "172.17.0.2", "")


def told(folder: Path, *serving: str) -> dict[str, Any]:
    current = folder / "current"
    current.mkdir()
    (current / "serving.json").write_text(json.dumps({"sets": {"backends": list(serving), "frontends": []}}))
    return {"nginx": str(folder)}


def test_of_two_sets_the_one_that_serves_is_meant(tmp_path: Path) -> None:
    old, new = one("backend-1", "-aaaaaaa"), one("backend-1", "-bbbbbbb", started="2026-11-21T21:00:00Z")
    assert on_server.matching("backend-1", [new, old], told(tmp_path, old.name)) == [old]


def test_before_a_switch_the_younger_one_is_meant(tmp_path: Path) -> None:
    old, new = one("backend-1", "-aaaaaaa"), one("backend-1", "-bbbbbbb", started="2026-11-21T21:00:00Z")
    dead = one("backend-1", "-ccccccc", running=False, started="2026-11-21T22:00:00Z")
    assert on_server.matching("backend-1", [new, dead, old], told(tmp_path)) == [new]


def test_a_kind_means_all_of_it(tmp_path: Path) -> None:
    found = [one("backend-2"), one("backend-1"), one("postgres")]
    assert on_server.matching("backend", found, told(tmp_path)) == [found[1], found[0]]


def test_an_unknown_service_is_a_sentence_with_the_known_ones(tmp_path: Path) -> None:
    found = [one("backend-1"), one("postgres")]
    said = on_server.matching("mysql", found, told(tmp_path))
    assert said == "There is no service 'mysql'; there is backend, backend-1, postgres."


def production() -> NeurmaticSettings:
    found = check_file(ROOT / "Pulumi.production.yaml", rehearsal=True).settings
    assert isinstance(found, NeurmaticSettings)
    return found


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []

    def stream(self: Server, command: str) -> int:
        said.append(command)
        return 0

    monkeypatch.setattr(Server, "stream", stream)
    monkeypatch.setattr(logs, "neurmatic_settings", lambda target, verb: production())
    return said


def test_what_is_given_reaches_the_server_as_words(asked: list[str]) -> None:
    done = CliRunner().invoke(logs.logs, ["-s", "production", "--since", "1h", "-f", "-n", "5", "a;b"])
    assert done.exit_code == 0, done.output
    assert asked == ["sudo -n /opt/neurmatic/infrastructure/scripts/logs -n 5 --since 1h --follow -- 'a;b'"]


def test_a_connection_that_ends_is_a_sentence(monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> None:
    monkeypatch.setattr(Server, "stream", lambda self, command: NO_CONNECTION)
    with pytest.raises(OperatorError, match=r"The connection to .* ended"):
        CliRunner().invoke(logs.logs, ["-s", "production", "nginx"], catch_exceptions=False)


def test_following_ends_with_whoever_reads(tmp_path: Path) -> None:
    """The script on the server sees the end of its standard input; its own `docker logs` end as well."""
    (tmp_path / "docker").write_text(FAKE)
    (tmp_path / "docker").chmod(0o755)
    settings = {"labels": {"product": "x"}, "names": "x-{service}", "nginx": str(tmp_path)}
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    run = "import sys; from components.health.onhost.logs import main; sys.exit(main(sys.argv[1], sys.argv[2:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", run, str(tmp_path / "settings.json"), "redis", "--follow"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"redis | ready to accept connections\n"
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=20) == 0


FAKE = r"""#!/bin/sh
case "$1" in
ps) echo abc ;;
inspect) echo '[{"Id": "abc", "Name": "/x-redis", "Config": {}, "State": {"Running": true, "StartedAt": "1"}}]' ;;
logs) echo ready to accept connections; exec sleep 100 ;;
esac
"""
