"""What the script remembers, and that two of them never interleave."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from components.host.converge import difference, guard
from components.host.converge.host import Host, Trouble
from components.host.converge.state import FOLDER, State, alone
from components.host.items import Desired, File, Sysctl

RELOAD = (("systemctl", "reload", "app"),)
CONF = File("/etc/app.conf", "new\n", on_change=RELOAD, guarded=True)


class Programs(Host):
    """A host whose programs only write down that they were called."""

    called: list[tuple[str, ...]]

    def run(self, argv, *, stdin="", seconds=120):  # type: ignore[no-untyped-def]
        import subprocess  # noqa: PLC0415

        self.called.append(tuple(argv))
        return subprocess.CompletedProcess(argv, 1 if "-C" in argv else 0, "", "")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    monkeypatch.setattr(guard, "PARDONS", (0, 0))
    made = Programs(tmp_path)
    made.called = []
    (tmp_path / "run").mkdir()
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/app.conf").write_text("old\n")
    return made


def desired() -> Desired:
    return Desired((CONF,), adopt=False, data="/mnt/data", prefix="neurmatic-", ssh_port=2222)


def test_what_is_owned_is_written_down_before_it_is_changed(host: Programs) -> None:
    state = State.load(host)
    state.own(CONF, {"file": None})
    again = State.load(host)
    assert again.owned["file:/etc/app.conf"]["before"] == {"file": None}
    assert again.due == [{"key": "file:/etc/app.conf", "actions": [["systemctl", "reload", "app"]]}]


def test_what_was_there_first_is_never_forgotten(host: Programs) -> None:
    state = State.load(host)
    state.own(Sysctl("vm.swappiness", "10"), {"value": "60"})
    state.own(Sysctl("vm.swappiness", "20"), {"value": "10"})
    entry = State.load(host).owned["sysctl:vm.swappiness"]
    assert (entry["before"]["value"], entry["item"]["value"]) == ("60", "20")


def test_the_folder_is_roots_alone(host: Programs) -> None:
    State.load(host).save()
    assert host.at(FOLDER).stat().st_mode & 0o777 == 0o700
    assert host.at(f"{FOLDER}/state.json").stat().st_mode & 0o777 == 0o600


def test_nothing_is_written_when_nothing_has_changed(host: Programs) -> None:
    state = State.load(host)
    state.save()
    before = host.at(f"{FOLDER}/state.json").stat().st_ino
    state.save()
    assert host.at(f"{FOLDER}/state.json").stat().st_ino == before


def test_a_broken_memory_is_said(host: Programs) -> None:
    State.load(host).save()
    host.at(f"{FOLDER}/state.json").write_text("{")
    with pytest.raises(Trouble, match=r"state\.json cannot be read: move it away"):
        State.load(host)


def test_a_second_run_waits_and_then_says_so(host: Programs) -> None:
    entered = threading.Event()
    leave = threading.Event()

    def hold() -> None:
        with alone(host, 1):
            entered.set()
            leave.wait(10)

    other = threading.Thread(target=hold)
    other.start()
    entered.wait(10)
    with pytest.raises(Trouble, match="another run is at work on this server"), alone(host, 0.3):
        pytest.fail("two runs at once")
    leave.set()
    other.join()
    with alone(host, 0.3):
        pass


def test_the_lock_goes_with_the_run(host: Programs) -> None:
    with pytest.raises(ZeroDivisionError), alone(host, 0.1):
        raise ZeroDivisionError
    started = time.monotonic()
    with alone(host, 5):
        assert time.monotonic() - started < 1


def test_an_armed_switch_keeps_the_old_file_and_sets_a_timer(host: Programs) -> None:
    state = State.load(host)
    token = guard.arm(host, state, [CONF], desired())
    kept = json.loads(host.text(f"{FOLDER}/guard.json"))
    assert kept["token"] == token
    assert (kept["ssh_port"], kept["actions"]) == (2222, [["systemctl", "reload", "app"]])
    timer = next(call for call in host.called if call[0] == "systemd-run")
    assert "--on-active=120" in timer
    assert timer[-2:] == ("/usr/local/sbin/infra-converge", "rollback")


def test_a_second_arming_keeps_what_was_proven(host: Programs) -> None:
    """The content in between has let nobody in yet."""
    state = State.load(host)
    first = guard.arm(host, state, [CONF], desired())
    host.at("/etc/app.conf").write_text("unproven\n")
    second = guard.arm(host, state, [CONF], desired())
    assert first != second
    guard.roll_back(host, state)
    assert host.text("/etc/app.conf") == "old\n"


def test_the_right_token_confirms_and_no_other(host: Programs) -> None:
    state = State.load(host)
    token = guard.arm(host, state, [CONF], desired())
    with pytest.raises(Trouble, match="Another run has changed the access since"):
        guard.confirm(host, state, "f" * 32)
    assert guard.load(host) is not None
    assert "has confirmed" in guard.confirm(host, state, token)
    assert guard.load(host) is None
    assert "before" in guard.confirm(host, State.load(host), token), "the engine may say it twice"
    assert guard.roll_back(host, state) == []
    assert host.text("/etc/app.conf") == "old\n"


def test_a_roll_back_restores_acts_and_lets_ssh_in(host: Programs) -> None:
    state = State.load(host)
    token = guard.arm(host, state, [CONF], desired())
    host.at("/etc/app.conf").write_text("new\n")
    host.called.clear()
    assert guard.roll_back(host, state) == []
    assert host.text("/etc/app.conf") == "old\n"
    assert host.called[0] == RELOAD[0]
    accept = ("-w", "-I", "INPUT", "-p", "tcp", "--dport", "2222", "-j", "ACCEPT")
    assert {call[0] for call in host.called if call[1:] == accept} == {"iptables", "ip6tables"}
    assert host.called.count(("fail2ban-client", "unban", "--all")) == 2, "a ban may come after the first pardon"
    with pytest.raises(Trouble, match=r"was taken back at .* because no second login came in time"):
        guard.confirm(host, State.load(host), token)


def test_what_fails_together_is_told_of_the_right_one() -> None:
    tried: list[list[str]] = []

    def start(names: list[str]) -> None:
        tried.append(names)
        if "bad" in names:
            raise Trouble("bad does not start")

    fix = difference.at_once(start)
    fixes = {name: fix(name) for name in ("good", "bad", "fine")}
    fixes["good"]()
    with pytest.raises(Trouble, match="bad does not start"):
        fixes["bad"]()
    fixes["fine"]()
    assert tried == [["good", "bad", "fine"], ["good"], ["bad"], ["fine"]]


def test_a_timer_that_was_renewed_has_nothing_to_do(host: Programs) -> None:
    """It went off while the change was still being made; the second login has its full time from then on."""
    state = State.load(host)
    guard.arm(host, state, [CONF], replace(desired(), second_login=0))
    assert guard.is_due(host)
    guard.renew(host, state, 120)
    assert not guard.is_due(host)
    assert not guard.is_due(Host(host.root / "elsewhere"))
