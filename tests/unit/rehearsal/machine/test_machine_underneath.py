"""The comparison of the machine underneath notices what it is for, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rehearsal.machine import underneath
from rehearsal.machine.underneath import Snapshot, changes, snapshot


def test_two_snapshots_of_an_untouched_machine_agree() -> None:
    facts = snapshot().facts
    for kind in ("sysctl vm/swappiness", "sysctl fs/file-max", "swap", "hostname", "interface lo", "file /etc/passwd"):
        assert kind in facts
    assert any(fact.startswith("mount ") for fact in facts)


def test_every_kind_of_difference_is_one_line() -> None:
    before = Snapshot({"sysctl vm/swappiness": "60", "mount a": "there"}, clock=1000.0)
    after = Snapshot({"sysctl vm/swappiness": "10", "interface tap0": "there"}, clock=1003.0)
    assert changes(before, after) == [
        "interface tap0: absent -> there",
        "mount a: there -> absent",
        "sysctl vm/swappiness: 60 -> 10",
        "clock: moved by 3.0 s",
    ]
    assert changes(before, replace(before, clock=1001.0)) == []


def test_a_new_or_changed_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(underneath, "FOLDERS", (str(tmp_path),))
    (tmp_path / "old").write_text("as it was")
    before = dict(underneath._files())
    (tmp_path / "old").write_text("as it is!")
    (tmp_path / "new").write_text("")
    after = dict(underneath._files())
    assert {name for name in after if before.get(name) != after[name]} == {
        f"file {tmp_path}/old",
        f"file {tmp_path}/new",
    }


@pytest.mark.parametrize(
    ("sysctl", "volatile"),
    [
        ("kernel/random/uuid", True),
        ("net/ipv4/conf/veth12ab/forwarding", True),
        ("net/ipv6/conf/rh25f2b293ccf7/mtu", True),
        ("net/ipv4/ip_forward", False),
        ("net/ipv4/conf/all/forwarding", False),
        ("vm/swappiness", False),
        ("kernel/core_pattern", False),
    ],
)
def test_only_counters_and_passing_interfaces_are_left_out(sysctl: str, volatile: bool) -> None:
    assert bool(underneath.VOLATILE.fullmatch(sysctl)) == volatile


@pytest.mark.parametrize(
    ("rule", "by_docker"),
    [
        ("-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -j ACCEPT", True),
        ("-A POSTROUTING -s 172.17.0.4/32 -d 172.17.0.4/32 -p tcp -m tcp --dport 443 -j MASQUERADE", True),
        ("-A POSTROUTING -s 10.0.0.0/8 -o eth0 -j MASQUERADE", False),
        ("-A INPUT -p tcp --dport 22 -j ACCEPT", False),
        (":FORWARD DROP ", False),
    ],
)
def test_only_dockers_own_rules_are_left_out(rule: str, by_docker: bool) -> None:
    assert bool(underneath.DOCKER_RULE.search(rule)) == by_docker


@pytest.mark.parametrize(
    ("mount", "passing"),
    [
        ("overlay /var/lib/docker/overlay2/abc/merged overlay rw 0 0", True),
        ("nsfs /run/docker/netns/0123 nsfs rw 0 0", True),
        ("nsfs /run/netns/visitor nsfs rw 0 0", True),
        ("tmpfs /mnt tmpfs rw 0 0", False),
        ("tmpfs /run/dockery tmpfs rw 0 0", False),
    ],
)
def test_only_mounts_of_containers_and_namespaces_are_left_out(mount: str, passing: bool) -> None:
    assert bool(underneath.PASSING_MOUNT.search(mount)) == passing
