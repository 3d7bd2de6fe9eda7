"""Throw-away containers: gone with their block, swept when their owner was killed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rehearsal import RehearsalError
from rehearsal.docker import docker
from rehearsal.images import ensure_image
from rehearsal.images.throwaway import network, sweep, throwaway
from rehearsal.images.upstream import Source

pytestmark = pytest.mark.rehearsal


def running() -> list[str]:
    return docker("ps", "--all", "--quiet", "--no-trunc").splitlines()


def networks() -> list[str]:
    return docker("network", "ls", "--format", "{{.Name}}").splitlines()


def test_container_and_anonymous_volume_go_with_the_block() -> None:
    redis = ensure_image("redis", Source.BUILT).tag
    with throwaway(redis) as container:
        volume = docker("inspect", "--format", "{{(index .Mounts 0).Name}}", container.id)
        assert volume in docker("volume", "ls", "--quiet").splitlines()
    assert container.id not in running()
    assert volume not in docker("volume", "ls", "--quiet").splitlines()


def test_files_lie_in_it_before_it_starts() -> None:
    base = ensure_image("base", Source.BUILT).tag
    with throwaway(base, "cat", "/run/words", files={"/run/words": b"before the start\n"}) as container:
        assert docker("wait", container.id) == "0"
        assert container.logs() == "before the start\n"


def test_what_ends_instead_of_becoming_ready_shows_its_log() -> None:
    base = ensure_image("base", Source.BUILT).tag
    command = ("sh", "-c", "echo the reason; exit 3")
    with (
        throwaway(base, *command) as container,
        pytest.raises(RehearsalError, match=r"it answers did not come true\.\nthe reason"),
    ):
        container.wait_until(lambda: False, "it answers")


def test_a_killed_owner_leaves_nothing_after_a_sweep() -> None:
    redis = ensure_image("redis", Source.BUILT).tag
    script = (
        "import os; from rehearsal.images.throwaway import network, throwaway\n"
        "wire = network(); name = wire.__enter__()\n"
        f"made = throwaway('{redis}', flags=['--network', name])\n"
        "print(name, made.__enter__().id, flush=True); os.kill(os.getpid(), 9)"
    )
    with network() as lasting, throwaway(redis, flags=["--network", lasting]) as alive:
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        name, orphan = done.stdout.split()
        assert orphan in running(), done.stderr
        assert name in networks()
        assert orphan[:12] in sweep()
        assert orphan not in running()
        assert name not in networks()
        assert alive.running
        assert lasting in networks()
