"""Kernel settings, live states, units, accounts and listeners: how the script reads what the system prints."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from components.host.converge import accounts, running, strangers, units
from components.host.converge.difference import Difference
from components.host.converge.host import Host, Trouble
from components.host.converge.state import State
from components.host.items import AuthorizedKeys, Group, Listeners, Live, Logins, Swap, Sysctl, Unit, User
from components.host.report import COMPARED, EXTRA

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43


class Answering(Host):
    """A host whose programs print what a test says."""

    answers: dict[str, str]
    called: list[tuple[str, ...]]

    def run(self, argv: Sequence[str], *, stdin: str = "", seconds: float = 120) -> subprocess.CompletedProcess[str]:
        self.called.append(tuple(argv))
        if argv[0] not in self.answers:
            raise Trouble(f"{argv[0]} is not installed")
        return subprocess.CompletedProcess(list(argv), 0, self.answers[argv[0]], "")


@pytest.fixture
def host(tmp_path: Path) -> Answering:
    made = Answering(tmp_path)
    made.answers, made.called = {}, []
    for folder in ("etc", "proc/net", "proc/sys/net/ipv4", "proc/sys/vm", "run/systemd", "home/deploy/.ssh"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "proc/sys/vm/swappiness").write_text("60\n")
    (tmp_path / "proc/sys/net/ipv4/ip_local_port_range").write_text("32768\t60999\n")
    return made


def one(found: object) -> Difference:
    (difference,) = list(found)  # type: ignore[call-overload]
    assert isinstance(difference, Difference)
    return difference


def test_a_kernel_setting_is_written(host: Answering) -> None:
    item = Sysctl("net.ipv4.ip_local_port_range", "1024 65535")
    found = one(running.look_at_sysctls([item], host))
    assert (found.reason, found.before) == ("is 32768 60999 instead of 1024 65535", {"value": "32768 60999"})
    assert found.fix
    found.fix()
    assert list(running.look_at_sysctls([item], host)) == []


def test_in_a_container_only_the_networks_own_are_written(host: Answering) -> None:
    host.at("/run/systemd/container").write_text("docker")
    shared = one(running.look_at_sysctls([Sysctl("vm.swappiness", "10")], host))
    assert (shared.state, shared.fix) == (COMPARED, None)
    own = one(running.look_at_sysctls([Sysctl("net.ipv4.ip_local_port_range", "1024 65535")], host))
    assert own.fix is not None


def test_a_setting_that_this_kernel_does_not_have_is_no_failure(host: Answering) -> None:
    assert one(running.look_at_sysctls([Sysctl("net.ipv4.nothing", "1")], host)).state == COMPARED


def test_swap_counts_in_megabytes_less_its_header(host: Answering) -> None:
    host.at("/proc/swaps").write_text("Filename\tType\tSize\tUsed\tPriority\n/swapfile file 2097148 0 -2\n")
    host.at("/etc/fstab").write_text("/swapfile none swap sw 0 0\n")
    assert list(running.look_at_swap([Swap("/swapfile", 2048)], host)) == []
    assert one(running.look_at_swap([Swap("/swapfile", 4096)], host)).reason == "has 2048 MB instead of 4096"
    host.at("/etc/fstab").write_text("")
    assert one(running.look_at_swap([Swap("/swapfile", 2048)], host)).reason == "is not in /etc/fstab"
    host.at("/run/systemd/container").write_text("docker")
    assert one(running.look_at_swap([Swap("/swapfile", 0)], host)).state == COMPARED


def live(*lines: str, exact: bool = True, ignore: str = "") -> Live:
    return Live("rules", ("rules",), lines, (("rules", "--right"),), exact=exact, ignore=ignore)


def test_a_live_state_lacks_lines_or_has_extra_ones(host: Answering) -> None:
    host.answers["rules"] = "  one\ntwo\n"
    assert list(running.look_at_live([live("one", "two")], host)) == []
    missing = one(running.look_at_live([live("one", "two", "three")], host))
    assert (missing.state, missing.reason) == ("changed", "lacks 'three'")
    extra = one(running.look_at_live([live("one")], host))
    assert (extra.state, extra.reason) == (EXTRA, "has an extra line: two")
    assert list(running.look_at_live([live("one", ignore="^tw")], host)) == []
    assert one(running.look_at_live([live("two", "one")], host)).reason == "has another order"
    assert list(running.look_at_live([live("two", exact=False)], host)) == []


def test_a_repair_that_did_not_help_is_a_failure(host: Answering) -> None:
    host.answers["rules"] = "one\n"
    found = one(running.look_at_live([live("one", "two")], host))
    assert found.fix
    with pytest.raises(Trouble, match="it still lacks 'two' after `rules --right`"):
        found.fix()


SHOWN = """Id=docker.service
LoadState=loaded
UnitFileState=enabled
ActiveState=active
ConditionResult=yes
ConditionTimestampMonotonic=1

Id=nginx.service
LoadState=masked
UnitFileState=masked
ActiveState=inactive
ConditionResult=no
ConditionTimestampMonotonic=0

Id=time.service
LoadState=loaded
UnitFileState=enabled
ActiveState=inactive
ConditionResult=no
ConditionTimestampMonotonic=7

Id=ufw.service
LoadState=loaded
UnitFileState=disabled
ActiveState=inactive
ConditionResult=no
ConditionTimestampMonotonic=0
"""
UNITS = [
    Unit("docker.service"),
    Unit("nginx.service", enabled="masked", active=False, optional=True),
    Unit("time.service"),
    Unit("ufw.service"),
]


def test_units_are_asked_once_and_changed_once(host: Answering) -> None:
    host.answers["systemctl"] = SHOWN
    found = list(units.look(UNITS, host))
    assert len(host.called) == 1
    assert [each.key or (each.item.key if each.item else "") for each in found] == [
        "unit:time.service",
        "unit:ufw.service",
    ]
    for each in found:
        assert each.fix
        each.fix()
    assert host.called[1:] == [
        ("systemctl", "reset-failed", "time.service", "ufw.service"),
        ("systemctl", "start", "time.service", "ufw.service"),
        ("systemctl", "enable", "ufw.service"),
    ]


def test_a_unit_that_does_not_run_in_containers_is_compared_there(host: Answering) -> None:
    host.answers["systemctl"] = SHOWN
    host.at("/run/systemd/container").write_text("docker")
    assert [each.state for each in units.look(UNITS, host)] == [COMPARED, "changed"]


def people(host: Answering, *more: str) -> None:
    rows = [
        "root:x:0:0::/root:/bin/bash",
        "www:x:33:33::/var/www:/usr/sbin/nologin",
        "deploy:x:1001:1001::/home/deploy:/bin/bash",
    ]
    host.at("/etc/passwd").write_text("\n".join([*rows, *more, ""]))
    host.at("/etc/shadow").write_text("root:*:1::::::\nwww:*:1::::::\ndeploy:!:1::::::\nintruder:$6$a$b:1::::::\n")
    host.at("/etc/group").write_text("docker:x:999:deploy,intruder\n")


def test_a_password_of_the_deploy_user_is_drift(host: Answering) -> None:
    people(host)
    item = User("deploy", "/home/deploy")
    assert list(accounts.look_at_users([item], host)) == []
    host.at("/etc/shadow").write_text("deploy:$6$a$b:1::::::\n")
    assert one(accounts.look_at_users([item], host)).reason == "has a password"
    host.at("/etc/shadow").write_text("deploy:!:1:::::1:\n")
    assert "has expired" in one(accounts.look_at_users([item], host)).reason


def test_an_extra_member_of_a_group_that_gives_rights_is_drift(host: Answering) -> None:
    people(host)
    found = one(accounts.look_at_groups([Group("docker", ("deploy",))], host))
    assert "-intruder" in found.diff


def test_a_stranger_is_extra_unless_he_was_there_before(host: Answering) -> None:
    people(host, "intruder:x:1002:1002::/home/intruder:/bin/bash")
    state = State(host, adopted=True)
    item = Logins(("deploy",), "deploy")
    found = one(strangers.look_at_logins([item], [], host, state))
    assert (found.key, found.state) == ("account:intruder", EXTRA)
    state.known = {"accounts": ["intruder"]}
    assert list(strangers.look_at_logins([item], [], host, state)) == []


def test_a_strangers_key_is_extra_wherever_it_is(host: Answering) -> None:
    people(host)
    host.at("/root/.ssh").mkdir(parents=True)
    host.at("/root/.ssh/authorized_keys").write_text(f"# mine\n{KEY} stranger@nowhere\n")
    host.at("/home/deploy/.ssh/authorized_keys").write_text(f"{KEY}\n")
    managed = [AuthorizedKeys("deploy", (KEY,))]
    found = one(strangers.look_at_logins([Logins(("deploy",), "deploy")], managed, host, State(host)))
    assert found.key.startswith("key:root:")
    assert found.reason.endswith("stranger@nowhere")
    assert KEY not in found.diff


def test_only_listeners_that_others_can_reach_count(host: Answering) -> None:
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    rows = [
        "   0: 00000000:0016 00000000:0000 0A 0:0 00:0 0 0 0 100",  # 22 everywhere
        "   1: 0100007F:1538 00000000:0000 0A 0:0 00:0 0 0 0 101",  # 5432 on loopback
        "   2: 00000000:115C 00000000:0000 0A 0:0 00:0 0 0 0 102",  # 4444 everywhere
        "   3: 0A00000A:0016 0B00000A:C000 01 0:0 00:0 0 0 0 103",  # a connection
    ]
    host.at("/proc/net/tcp").write_text(head + "\n".join(rows) + "\n")
    loopback6 = "   0: 00000000000000000000000001000000:1538 0:0 0A 0:0 00:0 0 0 0 104\n"
    host.at("/proc/net/tcp6").write_text(head + loopback6)
    found = one(strangers.look_at_listeners([Listeners(("22/tcp",))], host, State(host)))
    assert (found.key, found.state) == ("listener:4444/tcp", EXTRA)


def test_a_client_that_waits_for_its_answer_is_no_listener(host: Answering) -> None:
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    rows = [
        f"   0: 00000000:{port} 00000000:0000 07 0:0 00:0 0 0 0 {inode}"
        for port, inode in (("D431", 200), ("CA6C", 201))
    ]
    host.at("/proc/net/udp").write_text(head + "\n".join(rows) + "\n")
    for process, name, inode in (("7", "systemd-timesyn", "200"), ("8", "wireguard-go", "201")):
        host.at(f"/proc/{process}/fd").mkdir(parents=True)
        host.at(f"/proc/{process}/comm").write_text(f"{name}\n")
        host.at(f"/proc/{process}/fd/3").symlink_to(f"socket:[{inode}]")
    found = one(strangers.look_at_listeners([Listeners(())], host, State(host)))
    assert found.key == "listener:51820/udp"
    assert found.reason.startswith("wireguard-go listens")
