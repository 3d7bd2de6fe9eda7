"""Rehearsals need a Docker engine: brought up where that is possible, skipped aloud where it is not, never in CI."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from typing import TextIO

import pytest

from rehearsal import TOOLCHAIN, docker
from rehearsal.machine import Machine, Order
from rehearsal.machine.cleanup import sweep, take_down

SKIPPED: list[str] = []
UNDER_WAY: list[TextIO] = []


def pytest_sessionstart(session: pytest.Session) -> None:
    """What killed runs left goes, unless another run is under way in this checkout: it could not be told from that."""
    if hasattr(session.config, "workerinput") or session.config.option.collectonly:
        return
    TOOLCHAIN.mkdir(exist_ok=True)
    lock = (TOOLCHAIN / "rehearsal-tests.lock").open("w")
    UNDER_WAY.append(lock)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(lock, fcntl.LOCK_SH)
        return
    for gone in sweep("test-"):
        print(f"Left by a run that has ended, and removed: {gone}", flush=True)
    fcntl.flock(lock, fcntl.LOCK_SH)


@pytest.fixture(scope="session")
def engine() -> str:
    """Empty when an engine answers, else why none can."""
    try:
        docker.ensure_docker()
    except docker.DockerError as error:
        return str(error)
    return ""


@pytest.fixture(autouse=True)
def _engine_for_rehearsals(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("rehearsal") is None:
        return
    reason = request.getfixturevalue("engine")
    if reason and (docker.can_install() or os.environ.get("CI")):
        pytest.fail(f"The rehearsal must run here, but: {reason}", pytrace=False)
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="module")
def boot() -> Iterator[Callable[..., Machine]]:
    """Machines for the tests of one file: gone afterwards, whatever becomes of them."""
    names: list[str] = []

    def up(name: str, **wanted: object) -> Machine:
        name = f"test-{name}"
        take_down(name)
        names.append(name)
        return Machine.up(name, Order(**wanted))  # type: ignore[arg-type]

    yield up
    for name in names:
        take_down(name)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and "rehearsal" in report.keywords:
        SKIPPED.append(report.nodeid)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Last of all, where it is read."""
    yield
    if SKIPPED:
        terminalreporter.write_line(f"REHEARSAL TESTS SKIPPED: {len(SKIPPED)} (reasons above)", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A rehearsal test may be skipped for reasons of its own; in CI, where an engine can be had, that is a failure."""
    if SKIPPED and os.environ.get("CI") and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
