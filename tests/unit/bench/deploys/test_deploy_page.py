"""The proof says what was missed: each target once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from bench.deploys.deploy import Result
from bench.deploys.page import page, targets
from bench.deploys.stage import SOAK

GOOD = Result(
    version="1.5.2",
    done=True,
    seconds=SOAK + 22.0,
    start_up=1.0,
    phases={"create": 6.0, "switch": 1.3, "drain": 0.3, "delete": 1.2},
    requests=5000,
    failed={},
    failed_before={},
    lost=0,
    doubled=0,
    again=0,
    on_idle=0,
    mistakes=[],
    steady=0.05,
    during=0.08,
    late=0.002,
    classes={"new GET": [500, 0, 0.004, 0.01, 0.05]},
)
PEOPLE = {"people": 1000, "requests": 12000, "failed": {}, "p50": 0.01, "p95": 0.05, "p99": 0.1, "mistakes": []}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keep(tmp_path, "2-deploy-01", GOOD)
    keep(tmp_path, "2-rollback-01", replace(GOOD, seconds=SOAK + 16.0))
    (tmp_path / "2-people.json").write_text(json.dumps(PEOPLE))
    return tmp_path


def keep(folder: Path, name: str, result: Result) -> None:
    (folder / f"{name}.json").write_text(json.dumps(asdict(result)))


def test_a_good_run_meets_all_targets(folder: Path) -> None:
    assert list(targets(folder, 10_000)) == []
    assert "| deploy | 2 | 1 | 5000 | 0 | 0 | 0 | 0 | 0 |" in page(folder, 100)
    assert "| deploy | 2 | 21.0 | 21.0 | 6.0 | 1.3 | 0.3 | 1.2 | 1.0 | 1.60 | 1.60 |" in page(folder, 100)


def misses() -> Iterator[tuple[Result, str]]:
    yield replace(GOOD, mistakes=["1 failed: 502"]), "1.5.2: 1 failed: 502"
    yield replace(GOOD, done=False, said="unhealthy"), "1.5.2 did not go through: unhealthy"
    yield replace(GOOD, seconds=SOAK + 27.0), "a deploy of 2 backends takes 26.0 s (most 26.0), not 25"
    yield replace(GOOD, during=0.11), "deploy of 2 backends: p99 is 2.20 times the steady one, not 2"
    yield replace(GOOD, on_idle=2), "2 of 10000 requests met a closing idle connection: more than 1 in 10 000"


@pytest.mark.parametrize(("result", "sentence"), list(misses()), ids=["failed", "stopped", "slow", "p99", "idle"])
def test_a_missed_target_is_said(folder: Path, result: Result, sentence: str) -> None:
    keep(folder, "2-deploy-01", result)
    assert list(targets(folder, 10_000)) == [sentence]


def test_too_few_requests_prove_nothing(folder: Path) -> None:
    assert list(targets(folder, 200_000)) == ["10000 requests, not 200000"]


def test_people_who_wait_are_a_miss(folder: Path) -> None:
    (folder / "2-people.json").write_text(json.dumps({**PEOPLE, "p95": 0.3, "failed": {"502": 200}}))
    assert list(targets(folder, 0)) == [
        "1000 connections, 2 backends: p95 is 300 ms, not 200",
        "1000 connections, 2 backends: more than 1 % failed",
    ]


def test_what_was_not_measured_is_not_met(tmp_path: Path) -> None:
    assert list(targets(tmp_path, 0)) == [
        f"no {name} was measured" for name in ("deploy", "rollback", "open connection")
    ]
