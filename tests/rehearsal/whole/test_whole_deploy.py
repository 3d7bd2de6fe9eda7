"""Releases that come and go by `./infra`, good ones and bad ones, while somebody keeps asking."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rehearsal.docker import docker
from rehearsal.load import asking
from rehearsal.whole import INSTALLED, WholeStack

pytestmark = [pytest.mark.rehearsal, pytest.mark.engine, pytest.mark.slow]
DEPLOY = ("--yes", "--without-backup")
# What is wrong with a release: its image, the gate that it does not pass, and a word of what is said.
BAD = {
    "crashes": ({"FAULT_CRASH_AT_START": "1"}, "health", "crashes at start on demand"),
    "errors": ({"FAULT_ERROR_RATE": "0.25"}, "smoke", "/api/v1/m"),
    "unhealthy": ({"FAULT_UNHEALTHY": "1"}, "health", "503"),
    "port": ({"FAULT_PORT": "3001"}, "health", "connection refused"),
    "variable": ({"FAULT_REQUIRES": "STRIPE_KEY"}, "health", "STRIPE_KEY"),
    "memory": ({"FAULT_MEMORY_MB": "400"}, "health", "out of memory"),
    "dies": ({"FAULT_DIE_AFTER": "30"}, "soak", "has died"),
    "migration": ({"FAULT_MIGRATION": "1"}, "migration", "P3018"),
}
QUICK = {"crashes", "errors"}


def test_a_deploy_and_the_way_back_without_a_registry(whole: WholeStack) -> None:
    before, was = rolling(whole), serving(whole)
    whole.images.release("1.5.0")
    with asking(whole.target(), "to-1.5.0") as seen:
        done = whole.infra("deploy", "1.5.0", *DEPLOY)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert not seen.failed
    assert seen.answers["1.5.0"] > 20
    assert "1.5.0 serves, after" in done.stdout
    assert "nginx answers with 1.5.0" in done.stdout
    assert whole.release["version"] == "1.5.0"
    assert not before & rolling(whole)
    with unreachable(whole), asking(whole.target(), "back") as seen:
        done = whole.infra("rollback", "--yes")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert not seen.failed
    assert seen.answers[was] > 20
    assert whole.release["version"] == was == serving(whole)
    assert [each["version"] for each in history(whole)][-3:] == [was, "1.5.0", was]
    assert len(whole.containers()) == 6


@pytest.mark.parametrize("fault", [pytest.param(name, marks=() if name in QUICK else pytest.mark.long) for name in BAD])
def test_a_bad_release_harms_nobody_and_leaves_nothing(whole: WholeStack, fault: str) -> None:
    """Twice over: by `./infra deploy`, and by the engine alone with the same lines in the stack file."""
    variables, gate, word = BAD[fault]
    settle_for(whole, fault)
    before, was, configuration = whole.containers().keys(), serving(whole), in_force(whole)
    whole.images.release("1.6.0", **variables)
    with asking(whole.target(), f"bad-{fault}") as seen:
        done = whole.infra("deploy", "1.6.0", *DEPLOY)
    assert done.returncode == 1, done.stdout[-2000:]
    assert f"The deploy of 1.6.0 failed at the gate {gate}: " in done.stderr, done.stderr[-3000:]
    assert word in done.stderr.rpartition("failed at the gate")[2], done.stderr[-3000:]
    assert not seen.failed
    assert whole.containers().keys() == before
    assert (whole.release["version"], serving(whole), in_force(whole)) == (was, was, configuration)
    resolve_migrations(whole)
    with asking(whole.target(), f"good-{fault}") as seen:
        good = whole.pulumi("up", "--yes", "--skip-preview")
    assert good.returncode == 0, good.stdout[-3000:] + good.stderr
    assert not seen.failed
    assert whole.containers().keys() == before


@contextmanager
def unreachable(whole: WholeStack) -> Iterator[None]:
    """The registry takes no byte while the block runs."""
    registry = whole.images.registry.container.id
    docker("pause", registry)
    try:
        yield
    finally:
        docker("unpause", registry)


def settle_for(whole: WholeStack, fault: str) -> None:
    """One that dies after 30 seconds is seen by a soak that lasts longer."""
    if fault == "dies":
        whole.settings.setdefault("neurmatic:containers", {})["rolling"] = {"soak": "40s"}


def resolve_migrations(whole: WholeStack) -> None:
    """What an operator tells Prisma after a migration that failed: it has changed nothing."""
    whole.sql("UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NULL")


def rolling(whole: WholeStack) -> set[str]:
    return {name for name in whole.containers() if "-backend-" in name or "-frontend-" in name}


def serving(whole: WholeStack) -> str:
    return str(json.loads(in_force(whole))["release"]["version"])


def in_force(whole: WholeStack) -> str:
    return whole.machine.ssh(f"sudo cat {INSTALLED}/nginx/current/serving.json").stdout


def history(whole: WholeStack) -> list[dict[str, object]]:
    lines = whole.machine.ssh(f"sudo cat {INSTALLED}/nginx/releases.jsonl").stdout.splitlines()
    return [json.loads(line) for line in lines]
