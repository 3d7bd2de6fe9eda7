"""What `./infra contract` says of an image that keeps its promises, and of one that breaks each."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops.image_contract import contract
from rehearsal.contract import CHECKS
from rehearsal.docker import docker
from rehearsal.images import backend, ensure_image

pytestmark = pytest.mark.rehearsal
COMMAND = ["--command", "docker-entrypoint.sh server", "--within", "120"]


def said_of(image: str, *more: str) -> Result:
    return CliRunner().invoke(contract, [image, *COMMAND, *more])


def test_a_good_image_keeps_every_promise() -> None:
    said = said_of(ensure_image(backend("1.4.2")).tag)
    assert said.exit_code == 0, said.output
    assert f"{len(CHECKS)} of {len(CHECKS)} promises are kept." in said.output


@pytest.mark.parametrize(
    ("fault", "advice", "within"),
    [
        ("FAULT_MIGRATION=1", "ended with", "120"),
        ("FAULT_CRASH_AT_START=1", "it ended with", "120"),
        ("FAULT_PORT=3333", "on port 3000 was not answered with 200", "6"),
    ],
)
def test_an_image_that_cannot_serve_is_not_asked_further(fault: str, advice: str, within: str) -> None:
    name, _, value = fault.partition("=")
    said = said_of(ensure_image(backend("1.4.2", {name: value})).tag, "--within", within)
    assert said.exit_code == 2
    assert advice in said.output
    assert "not tried" in said.output


@pytest.mark.long
def test_whoever_ignores_sigterm_or_says_nothing_of_rollbacks_is_told(tmp_path: Path) -> None:
    stubborn = ensure_image(backend("1.4.2", {"FAULT_IGNORE_SIGTERM": "1"})).tag
    (tmp_path / "Dockerfile").write_text(f"FROM {stubborn}\nLABEL neurmatic.migration.irreversible=perhaps\n")
    docker("build", "--quiet", "--tag", "contract-test", str(tmp_path))
    try:
        said = said_of("contract-test")
    finally:
        docker("rmi", "contract-test")
    assert said.exit_code == 2
    assert "no   ends when it is told to" in said.output
    assert "no   says whether a rollback is safe" in said.output
    assert f"{len(CHECKS) - 2} of {len(CHECKS)} promises are kept." in said.output


def test_an_image_that_is_nowhere_is_a_sentence() -> None:
    said = said_of("no-such-image:ever")
    assert said.exit_code == 1
    assert "no-such-image" in str(said.exception) + said.output
