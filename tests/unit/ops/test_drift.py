"""What `./infra drift` says about a server's report, and what it says when nobody could look."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import TypeAdapter

from components.host.config import HostSettings
from components.host.report import Line, Report, write, write_end
from ops import drift as verb
from ops.errors import OperatorError
from ops.server import Server, settings_of
from ops.target import Target

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
FINE = Line("package:ufw", "ok")
CHANGED = Line("file:/etc/issue", "changed", "has other content", "--- now\n+++ desired\n-hello\n+Private system.")
EXTRA = Line("listener:9999/tcp", "extra", "nc listens for the network", "+ 9999/tcp")
COMPARED = Line("sysctl:vm.swappiness", "compared", "is 60; a container cannot write it", "-60\n+10")


@pytest.fixture
def host(tmp_path: Path) -> HostSettings:
    (tmp_path / "key").touch()
    ssh = {"host_key": KEY, "private_key_path": str(tmp_path / "key")}
    data = {"address": "vps.example", "ipv4": "192.0.2.10", "ssh": ssh, "deploy": {"keys": [KEY]}}
    return TypeAdapter(HostSettings).validate_python(data)


def answer(*lines: Line) -> str:
    end = write_end(Report(run="check", seconds=0.3, release="debian-12", container=True))
    return "".join(f"{each}\n" for each in (*map(write, lines), end))


def server_says(monkeypatch: pytest.MonkeyPatch, stdout: str, returncode: int = 0, stderr: str = "") -> None:
    def run(*arguments: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(["ssh"], returncode, stdout, stderr)

    monkeypatch.setattr(subprocess, "run", run)


def end_of(monkeypatch: pytest.MonkeyPatch, host: HostSettings, *arguments: str) -> tuple[int, str]:
    class Settings:
        pass

    settings = Settings()
    settings.host = host  # type: ignore[attr-defined]
    monkeypatch.setattr(verb, "settings_of", lambda target: settings)
    done = CliRunner().invoke(verb.drift, ["--stack", "production", *arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("lines", "code"),
    [([FINE], 0), ([FINE, COMPARED], 0), ([FINE, CHANGED], 2), ([EXTRA], 2), ([Line("user:x", "failed", "odd")], 2)],
)
def test_the_exit_code_tells_drift(monkeypatch: pytest.MonkeyPatch, host: HostSettings, lines: Any, code: int) -> None:
    server_says(monkeypatch, answer(*lines))
    assert end_of(monkeypatch, host)[0] == code


def test_each_thing_has_its_reason_and_its_diff(monkeypatch: pytest.MonkeyPatch, host: HostSettings) -> None:
    server_says(monkeypatch, answer(FINE, CHANGED, EXTRA, COMPARED))
    _, text = end_of(monkeypatch, host)
    assert text == (
        "Differs, and `./infra up` puts it right:\n"
        "  file:/etc/issue: has other content\n"
        "      --- now\n      +++ desired\n      -hello\n      +Private system.\n\n"
        "Added by somebody:\n"
        "  listener:9999/tcp: nc listens for the network\n"
        "      + 9999/tcp\n\n"
        "Differs, and cannot be changed in a container:\n"
        "  sysctl:vm.swappiness: is 60; a container cannot write it\n"
        "      -60\n      +10\n\n"
        f"vps.example: drift in 2 items of 4 (0.3 s), fingerprint {Report((FINE, CHANGED, EXTRA)).fingerprint}.\n"
    )


def test_a_long_diff_is_cut_for_people_and_whole_for_programs(
    monkeypatch: pytest.MonkeyPatch, host: HostSettings
) -> None:
    rows = "\n".join(f"+row {number}" for number in range(100))
    server_says(monkeypatch, answer(Line("file:/etc/x", "changed", "has other content", rows)))
    assert "... and 60 lines more" in end_of(monkeypatch, host)[1]
    (item,) = json.loads(end_of(monkeypatch, host, "--json")[1])["items"]
    assert item["diff"] == rows


def test_programs_get_the_fingerprint_that_up_uses(monkeypatch: pytest.MonkeyPatch, host: HostSettings) -> None:
    server_says(monkeypatch, answer(FINE, CHANGED, COMPARED))
    said = json.loads(end_of(monkeypatch, host, "--json")[1])
    assert (said["drift"], said["fingerprint"]) == (True, Report((CHANGED,)).fingerprint)
    assert [(each["item"], each["drift"]) for each in said["items"]] == [
        ("file:/etc/issue", True),
        ("sysctl:vm.swappiness", False),
    ]


@pytest.mark.parametrize(
    ("said", "returncode", "stderr", "words"),
    [
        ("", 255, "ssh: connect to host vps.example port 22: Connection refused", "nothing answers on port 22"),
        ("", 255, "debian@vps.example: Permission denied (publickey).", "does not accept the key"),
        ("", 1, "sudo: a password is required", "a password is required"),
        (answer(FINE).splitlines()[0], 0, "", "was cut off"),
        ("Welcome!\n" + answer(FINE), 0, "", "is no JSON"),
    ],
)
def test_nobody_could_look(
    monkeypatch: pytest.MonkeyPatch, host: HostSettings, said: str, returncode: int, stderr: str, words: str
) -> None:
    server_says(monkeypatch, said, returncode, stderr)
    with pytest.raises(OperatorError, match=words):
        verb.look(host)


def test_the_pinned_key_is_the_only_one_that_is_known(host: HostSettings) -> None:
    command = " ".join(Server(host).ssh("true"))
    assert f"KnownHostsCommand=/bin/echo %H {KEY}" in command
    for option in ("StrictHostKeyChecking=yes", "UserKnownHostsFile=none", "BatchMode=yes", "IdentitiesOnly=yes"):
        assert option in command


def test_what_is_not_known_about_the_server_is_said_before_anybody_connects() -> None:
    """The committed stack file leaves the host key open for its owner."""
    with pytest.raises(OperatorError, match=r"Pulumi\.production\.yaml has \d+ mistakes about the server"):
        settings_of(Target("neurmatic", "production"))
