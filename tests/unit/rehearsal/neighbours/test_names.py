"""Names of namespaces: they tell whose they are, so that a sweep takes the dead ones only."""

from __future__ import annotations

import os
import subprocess

import pytest

from rehearsal import RehearsalError, owner
from rehearsal.neighbours import namespace


def test_an_owner_is_told_by_pid_and_birth() -> None:
    mine = f"rh-{os.getpid()}-{owner.started(os.getpid())}-visitor-1"
    assert namespace.NAME.fullmatch(mine)
    assert namespace._owner_lives(mine)
    assert not namespace._owner_lives(f"rh-{os.getpid()}-1-visitor-1"), "the pid was given to another process"


def test_the_dead_do_not_live() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        name = f"rh-{process.pid}-{owner.started(process.pid)}-attacker-3"
        assert namespace._owner_lives(name)
        process.kill()
    assert not namespace._owner_lives(name)


@pytest.mark.parametrize("name", ["rh", "rh-1-visitor", "cni-1-2-visitor-3", "rh-1-2-Visitor-3", "rh-1-2-visitor-3-x"])
def test_namespaces_of_others_are_not_ours(name: str) -> None:
    assert not namespace.NAME.fullmatch(name)


def test_without_root_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(RehearsalError, match="only root may make those: run this with sudo"):
        namespace.create("visitor")


def test_without_the_program_ip_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RehearsalError, match="apt-get install iproute2"):
        namespace.create("visitor")


@pytest.mark.parametrize("role", ["", "a b", "../x", "Attacker", "9", "a" * 17])
def test_a_role_must_be_a_plain_word(role: str) -> None:
    with pytest.raises(RehearsalError, match="cannot name a neighbour"):
        namespace.create(role)
