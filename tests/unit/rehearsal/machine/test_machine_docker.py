"""What a person reads when Docker does not work: one sentence with the remedy, from real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rehearsal import docker

ROOT = Path(docker.__file__).resolve().parent.parent
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="What root is told differs from what others are told.")


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def ensured(path: Path, **environment: str) -> str:
    """What `ensure_docker` says in a process that finds programs only in this folder."""
    code = "from rehearsal import docker\ntry: docker.ensure_docker()\nexcept docker.DockerError as e: print(e)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": str(path), "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.strip()


@AS_ROOT
def test_nothing_to_install_with(tmp_path: Path) -> None:
    said = ensured(tmp_path)
    assert said == f"There is no Docker engine here and no apt to install one: {docker.INSTALL_HELP}"


@AS_ROOT
def test_an_installation_that_fails(tmp_path: Path) -> None:
    program(tmp_path, "apt-get", "echo 'E: Could not resolve the archive' >&2; exit 100")
    said = ensured(tmp_path)
    assert said.startswith("Docker could not be installed: ")
    assert "E: Could not resolve the archive" in said


def test_no_permission(tmp_path: Path) -> None:
    program(tmp_path, "docker", "echo 'permission denied while trying to connect to the Docker daemon' >&2; exit 1")
    assert ensured(tmp_path) == docker.PERMISSION_HELP


def test_an_engine_elsewhere_that_does_not_answer(tmp_path: Path) -> None:
    program(tmp_path, "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    said = ensured(tmp_path, DOCKER_HOST="ssh://elsewhere")
    assert said == "No Docker engine answers at DOCKER_HOST=ssh://elsewhere: start it, or unset DOCKER_HOST."


def test_an_engine_that_answers_is_enough(tmp_path: Path) -> None:
    program(tmp_path, "docker", "echo 20.10.24")
    assert ensured(tmp_path) == ""


@pytest.mark.parametrize(
    ("stderr", "sentence"),
    [
        ("Error response from daemon: No such image: x\n", "'docker run' failed: No such image: x"),
        (
            "docker: Error response from daemon: Conflict.\nSee 'docker run --help'.\n",
            "'docker run' failed: Conflict.",
        ),
        ("", "'docker run' failed: no reason given"),
    ],
)
def test_a_refusal_is_one_line(stderr: str, sentence: str) -> None:
    assert docker.refusal("run", stderr) == sentence


def test_a_full_disk_comes_with_a_remedy() -> None:
    said = docker.refusal("import", "Error response from daemon: write /x: no space left on device\n")
    assert said.startswith("No space left for Docker (")
    assert "./infra rehearse down --all" in said


def test_a_command_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "docker", "exec sleep 30")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(docker.DockerError, match=r"'docker info' did not end within 0 s"):
        docker.docker("info", timeout=0.2)
