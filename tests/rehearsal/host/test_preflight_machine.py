"""The preflight against a real server: what it answers, and that it leaves nothing behind."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from pydantic import TypeAdapter

from components.host.config import HostSettings
from ops.preflight import as_data, look
from ops.preflight.findings import Finding
from ops.server import Server
from rehearsal.machine import Machine

pytestmark = pytest.mark.rehearsal


@pytest.fixture(scope="module")
def machine(boot: Callable[..., Machine]) -> Machine:
    return boot("preflight", memory_mb=512, cpus=1.0)


def settings(machine: Machine, **given: Any) -> HostSettings:
    ssh = {
        "user": machine.user,
        "port": machine.port,
        "host_key": machine.host_key,
        "private_key_path": str(machine.key_path),
        **given.pop("ssh", {}),
    }
    small = {"cpus": 1, "memory": "512MB", "disk": "1GB"}
    data = {"address": "127.0.0.1", "ipv4": "192.0.2.10", "ssh": ssh, "capacity": small, "swap": "0MB", **given}
    return TypeAdapter(HostSettings).validate_json(json.dumps({**data, "deploy": {"keys": [machine.host_key]}}))


def blocking(host: HostSettings) -> list[Finding]:
    return [each for each in look(host, None) if each.blocks]


def only(host: HostSettings) -> Finding:
    (found,) = blocking(host)
    return found


def traces(machine: Machine) -> str:
    """Files and processes that a look could leave. Logs and sudo's own records are the system's."""
    places = "/etc /usr /var/lib /var/cache /opt /root /home /tmp /run"
    own = ("/var/lib/systemd", "/var/lib/sudo", "/run/sudo", "/run/systemd", "/run/log", "/run/utmp")
    without = " ".join(f"-not -path '{path}*'" for path in own)
    files = f"sudo find {places} -xdev -newer /tmp/before {without} -type f"
    return machine.ssh(f"{files}; ps -eo args --no-headers | grep -c '[s]h -s' || true").stdout


def test_a_machine_as_delivered_is_ready_and_stays_as_it_was(machine: Machine) -> None:
    machine.ssh("touch /tmp/before")
    before = traces(machine)
    assert blocking(settings(machine)) == []
    assert traces(machine) == before


def test_one_look_is_one_login(machine: Machine) -> None:
    count = "sudo journalctl -u ssh --no-pager | grep -c 'Accepted publickey'"
    before = int(machine.ssh(count).stdout)
    look(settings(machine), None)
    assert int(machine.ssh(count).stdout) == before + 2  # the look, and this question


def test_less_than_declared_is_found(machine: Machine) -> None:
    found = blocking(settings(machine, capacity={"cpus": 2, "memory": "2GB", "disk": "1GB"}))
    assert [each.check for each in found] == ["cpu", "memory"]
    assert "has 1 CPUs" in found[0].text
    assert "has 512MB" in found[1].text


def test_a_taken_port_is_named_with_its_holder(machine: Machine) -> None:
    serve = "sudo sh -c 'python3 -m http.server 443 >/dev/null 2>&1 & echo $!'"
    pid = machine.ssh(serve).stdout.strip()
    try:
        machine.ssh("for _ in $(seq 600); do ss -Hlnt | grep -q :443 && exit 0; sleep 0.1; done; exit 1")
        found = only(settings(machine))
    finally:
        machine.ssh(f"sudo kill {pid}")
    assert (found.check, f"python3 (process {pid})" in found.text) == ("ports", True)


def test_without_sudo_the_rest_is_still_said(machine: Machine) -> None:
    machine.ssh("sudo useradd -m plain && sudo cp -r ~/.ssh ~plain/ && sudo chown -R plain ~plain/.ssh")
    host = settings(machine, ssh={"user": "plain"}, capacity={"cpus": 2, "memory": "512MB", "disk": "1GB"})
    assert [each.check for each in blocking(host)] == ["sudo", "cpu"]


def test_another_system_is_refused(machine: Machine) -> None:
    machine.ssh(
        "sudo cp -a /usr/lib/os-release /tmp/kept && sudo sed -i 's/^VERSION_ID=.*/VERSION_ID=11/' /usr/lib/os-release"
    )
    try:
        found = only(settings(machine))
    finally:
        machine.ssh("sudo cp -a /tmp/kept /usr/lib/os-release")
    assert found.check == "system"


def test_a_changed_host_key_is_told_with_both_fingerprints(machine: Machine, tmp_path: Path) -> None:
    other = new_key(tmp_path)
    found = only(settings(machine, ssh={"host_key": " ".join(other.split()[:2])}))
    assert found.check == "host key"
    assert found.text.count("SHA256:") == 2


def test_a_key_that_is_not_accepted(machine: Machine, tmp_path: Path) -> None:
    new_key(tmp_path)
    found = only(settings(machine, ssh={"private_key_path": str(tmp_path / "key")}))
    assert (found.check, "does not accept the key" in found.text) == ("key", True)


@pytest.mark.parametrize("given", ["missing", "open", "nonsense"])
def test_a_key_file_that_is_of_no_use(machine: Machine, tmp_path: Path, given: str) -> None:
    new_key(tmp_path)
    path = tmp_path / "key"
    if given == "missing":
        path.unlink()
    elif given == "open":
        path.chmod(0o644)
    else:
        path.write_text("no key")
    assert only(settings(machine, ssh={"private_key_path": str(path)})).check == "key"


def test_no_agent_and_no_key(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    assert "no SSH agent" in only(settings(machine, ssh={"private_key_path": None})).text


def test_nothing_listens(machine: Machine) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found = only(settings(machine, ssh={"port": free.getsockname()[1]}))
    assert (found.check, "nothing answers on port" in found.text) == ("unreachable", True)


def test_a_name_that_is_none(machine: Machine) -> None:
    assert "does not resolve" in only(settings(machine, address="vps.invalid")).text


@pytest.fixture
def hanging_up() -> Iterator[int]:
    """As sshd does to a banned address or when too many knock at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(120)

        def close_each() -> None:
            connection, _ = server.accept()
            connection.close()

        Thread(target=close_each, daemon=True).start()
        yield server.getsockname()[1]


def test_a_server_that_hangs_up(machine: Machine, hanging_up: int) -> None:
    assert only(settings(machine, ssh={"port": hanging_up})).check == "refused"


def test_programs_can_read_it(machine: Machine) -> None:
    host = settings(machine, capacity={"cpus": 2, "memory": "512MB", "disk": "1GB"})
    said = json.loads(as_data(host, look(host, None)))
    assert (said["ready"], said["findings"][0]["check"]) == (False, "cpu")


def test_the_key_never_shows_in_the_list_of_processes(machine: Machine) -> None:
    command = Server(settings(machine)).ssh("true")
    assert not any("PRIVATE KEY" in word for word in command)


def new_key(folder: Path) -> str:
    path = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path.with_name("key.pub").read_text()
