"""The new server in the old stack file, and the refusals that come before anything is touched."""

from __future__ import annotations

import socket
import subprocess
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
import yaml

from components.host.config import HostSettings
from neurmatic.settings import NeurmaticSettings
from ops import hostkey
from ops.drill import ground, newserver
from ops.drill.asking import Wanted, announced, confirmed
from ops.drill.ground import powerless, quiet, real, settings_in, stack_file_of, with_server
from ops.drill.newserver import NewServer, phase_of, public_address, refuse_living, shown_key
from ops.drill.server import Job
from ops.drill.vault import Backup
from ops.errors import OperatorError
from ops.escrow.envelope import About, Envelope
from ops.server import Server
from ops.session import Session
from ops.stackcheck import check_file
from ops.target import PROJECTS, ROOT, Target

ABOUT = About("neurmatic", "production", "2026-11-21T20:00:00+00:00", "up", "s3://b", "awskms://k", "v3", "abc", 1)
FILE = (ROOT / "Pulumi.production.yaml").read_text()
ENVELOPE = Envelope(ABOUT, {}, {}, {"Pulumi.production.yaml": FILE})
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8zrRkNlLlHGdKDDGCqQEhnGEm0N7xkYB2tVnVbQ6s0"
NEW = NewServer("203.0.113.9", "debian", KEY, "203.0.113.9")


class Told(Server):
    """A server that answers with what it is told."""

    answer = ""

    def run(self, command: str, stdin: str, timeout: float) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(["sh", "-c", self.answer or command], capture_output=True, text=True, check=False)
        return subprocess.CompletedProcess(command, done.returncode, done.stdout, done.stderr)


def settings() -> NeurmaticSettings:
    found = check_file(ROOT / "Pulumi.production.yaml", rehearsal=True).settings
    assert isinstance(found, NeurmaticSettings)
    return found


def test_only_the_server_changes_in_the_stack_file(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.production.yaml"
    path.write_text(with_server(ENVELOPE, NEW))
    before, after = yaml.safe_load(FILE)["config"], yaml.safe_load(path.read_text())["config"]
    host, wanted = after.pop("neurmatic:host"), before.pop("neurmatic:host")
    assert after == before
    assert (host["address"], host["ipv4"], host["ssh"]["user"], host["ssh"]["host_key"]) == (
        "203.0.113.9",
        "203.0.113.9",
        "debian",
        KEY,
    )
    assert "ipv6" not in host
    assert host["deploy"] == wanted["deploy"]
    assert not [each for each in check_file(path, rehearsal=True).mistakes if each.path[:1] == ("host",)]


def test_a_new_ipv6_address_takes_the_old_ones_place() -> None:
    text = with_server(ENVELOPE, replace(NEW, ipv6="2001:db8::77"))
    assert yaml.safe_load(text)["config"]["neurmatic:host"]["ipv6"] == "2001:db8::77"


def test_an_old_ipv6_address_never_stays_behind() -> None:
    text = FILE.replace("    ipv6: 2001:db8::10", '    "ipv6": 2001:db8::10')
    assert text != FILE
    with pytest.raises(OperatorError, match="AAAA records would lead to the old server"):
        with_server(replace(ENVELOPE, files={"Pulumi.production.yaml": text}), NEW)


def test_the_settings_are_those_of_the_envelope() -> None:
    found = settings_in(ENVELOPE, rehearsal=True)
    assert found.storage.backups.name == "neurmatic-backups"
    host = NEW.settings(found.host)
    assert (host.address, host.ssh.host_key, host.ipv6) == ("203.0.113.9", KEY, None)
    assert host.root == found.host.root


def test_an_envelope_of_another_time_says_which_checkout_reads_it() -> None:
    changed = Envelope(ABOUT, {}, {}, {"Pulumi.production.yaml": FILE.replace("neurmatic:site:", "neurmatic:place:")})
    with pytest.raises(OperatorError, match=r"does not fit this checkout .*check out commit abc"):
        settings_in(changed, rehearsal=True)
    with pytest.raises(OperatorError, match=r"holds no Pulumi\.production\.yaml"):
        stack_file_of(replace(ENVELOPE, files={}))


def test_the_checkouts_stack_file_becomes_the_envelopes_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "Pulumi.production.yaml"
    monkeypatch.setitem(PROJECTS, "neurmatic", tmp_path)
    monkeypatch.setattr(ground, "open_session", lambda target: Session(target, tmp_path, {}))
    path.write_text(FILE)
    real(Target("neurmatic", "production"), ENVELOPE, NEW)
    assert path.read_text() == with_server(ENVELOPE, NEW)
    assert "was another one" not in capsys.readouterr().err
    path.write_text(FILE.replace("apex: neurmatic.com", "apex: neurmatic.org"))
    real(Target("neurmatic", "production"), ENVELOPE, NEW)
    assert path.read_text() == with_server(ENVELOPE, NEW)
    assert "`git diff` shows what differs" in capsys.readouterr().err


def test_nobody_is_told_of_a_drill() -> None:
    text = FILE + "  neurmatic:backup:\n    schedule: '03:00'\n    notify:\n      slack: true\n"
    assert yaml.safe_load(quiet(text, "neurmatic"))["config"]["neurmatic:backup"] == {"schedule": "03:00"}
    assert "neurmatic:backup" not in yaml.safe_load(quiet(FILE, "neurmatic"))["config"]


def told(answer: str) -> Server:
    server = Told(settings().host)
    object.__setattr__(server, "answer", answer)
    return server


def test_an_empty_server_is_taken_and_a_marked_one_goes_on() -> None:
    assert phase_of(told("true"), "/nowhere/root", "/nowhere/data") == ""
    assert phase_of(told("echo restored"), "/nowhere/root", "/nowhere/data") == "restored"


def test_a_server_with_something_on_it_is_refused_and_named() -> None:
    answer = "echo 'problem: /opt/neurmatic has content'; echo 'problem: it has the containers a b '"
    with pytest.raises(OperatorError, match=r"not an empty server \(/opt/neurmatic has content; .* containers a b\)"):
        phase_of(told(answer), "/opt/neurmatic", "/mnt/data")


def test_the_look_itself_sees_what_is_there(tmp_path: Path) -> None:
    """The script as the server would run it, with nothing above it but a shell."""
    (tmp_path / "bin").mkdir()
    for name, body in (("sudo", 'shift; exec "$@"'), ("docker", "exit 1")):
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
    used, empty, disk = tmp_path / "used", tmp_path / "empty", tmp_path / "disk"
    for folder in (used / "file", empty, disk / "lost+found"):
        folder.mkdir(parents=True)
    script = newserver.LOOK.format(mark=tmp_path / "mark", folders=f"{used} {empty} {disk}")

    def look() -> str:
        environment = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}
        return subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=True).stdout

    assert look() == f"problem: {used} has content\n"
    (tmp_path / "mark").mkdir()
    (tmp_path / "mark" / "phase").write_text("begun\n")
    assert look() == "begun\n"


def test_a_key_that_is_not_the_given_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostkey, "scan", lambda *_: KEY)
    assert shown_key("203.0.113.9", 22, KEY + " a comment") == KEY
    with pytest.raises(OperatorError, match="--host-key is another one"):
        shown_key("203.0.113.9", 22, hostkey.UNKNOWN)


def test_the_old_server_must_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    answering = {"192.0.2.1"}

    class Connection:
        def __init__(self, place: tuple[str, int], timeout: float) -> None:
            assert timeout
            if place[0] not in answering:
                raise OSError

        def close(self) -> None:
            pass

    monkeypatch.setattr(socket, "create_connection", Connection)
    refuse_living("192.0.2.2", "203.0.113.9", 22)
    refuse_living("192.0.2.1", "192.0.2.1", 22)
    with pytest.raises(OperatorError, match=r"192\.0\.2\.1, still answers: switch it off"):
        refuse_living("192.0.2.1", "203.0.113.9", 22)


def test_dns_gets_an_address() -> None:
    assert public_address("203.0.113.9", None) == "203.0.113.9"
    assert public_address("server.example", "198.51.100.1") == "198.51.100.1"
    with pytest.raises(OperatorError, match="--ipv4 nowhere is no IPv4 address"):
        public_address("203.0.113.9", "nowhere")
    with pytest.raises(OperatorError, match="does not resolve"):
        public_address("no-machine.invalid", None)


def test_what_was_wanted_of_the_old_server_is_wanted_of_the_new_one() -> None:
    old = settings().host
    new = NEW.settings(old)
    assert isinstance(new, HostSettings)
    unchanged = old.model_dump(exclude={"address", "ipv4", "ipv6", "ssh"})
    assert new.model_dump(exclude={"address", "ipv4", "ipv6", "ssh"}) == unchanged


def test_the_engine_of_a_drill_holds_no_rights_of_the_operator() -> None:
    key = {"urn": "x::storage-dumps-key", "type": "aws:iam/accessKey:AccessKey", "outputs": {"id": "a", "secret": "b"}}
    envelope = replace(ENVELOPE, state={"deployment": {"resources": [key]}})
    given = {"PATH": "/bin", "AWS_PROFILE": "admin", "AWS_SESSION_TOKEN": "t", "AWS_ACCESS_KEY_ID": "operator"}
    assert powerless({**given, "CLOUDFLARE_API_TOKEN": "x"}, envelope) == {
        "PATH": "/bin",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
    }


def test_nobody_says_yes_to_a_key_that_nobody_has_compared() -> None:
    backup = Backup("neurmatic_20261122_020000.sql.gz", datetime.now(timezone.utc), 1000, False, archived=True)
    job = Job(Target("neurmatic", "production"), ENVELOPE, settings(), NEW, backup, drill=True)
    confirmed(job, Wanted("203.0.113.9", host_key=KEY), yes=True)
    with pytest.raises(OperatorError, match="--yes needs --host-key"):
        confirmed(job, Wanted("203.0.113.9"), yes=True)


def test_what_is_about_to_happen_is_said() -> None:
    backup = Backup("neurmatic_20261122_020000.sql.gz", datetime.now(timezone.utc), 1000, False, archived=True)
    job = Job(Target("neurmatic", "production"), ENVELOPE, settings(), NEW, backup)
    text = announced(job)
    assert hostkey.fingerprint(KEY) in text
    assert "vps-1a707765.vps.ovh.net, which must not come back" in text
    assert "lead to 203.0.113.9" in text
    assert "its retrieval takes up to 5 hours" in text
    assert "A DRILL   beside the living stack" in announced(replace(job, drill=True))
