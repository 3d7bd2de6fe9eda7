"""One change of the release under load, and everything that is said of it afterwards."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.deploys.phases import phases, watching
from rehearsal.load import EVERY, Phase, Plan, Report, loading
from rehearsal.load.report import doubled, lost, mistakes
from rehearsal.whole import WholeStack

BEFORE = 15.0
"""Seconds of the steady load that each deploy is compared with."""
AFTER = 3.0
OVERLOADED = 1.0
"""With a p99 like this before anything happens, nothing can be said about a deploy."""
PHASES = ("create", "switch", "drain", "delete")
READY = "the database pool is open"


@dataclass(frozen=True)
class Result:
    """Of one deploy; plain values, so that a run that was cut short goes on with it."""

    version: str
    done: bool
    seconds: float
    start_up: float
    """The application's own, of the slowest backend: from its start until it says that it is ready."""
    phases: dict[str, float]
    requests: int
    failed: dict[str, int]
    failed_before: dict[str, int]
    """Of these, what had failed before the deploy began: the machine's own trouble."""
    lost: int
    doubled: int
    again: int
    on_idle: int
    mistakes: list[str]
    steady: float
    """p99 of all requests but those that are slow on purpose, before and after the deploy."""
    during: float
    late: float
    said: str = ""
    """The end of what the engine said, when the deploy did not succeed."""
    classes: dict[str, list[float]] = field(default_factory=dict)
    """Requests, failures, p50, p95 and p99 of each class."""


def measured(stack: WholeStack, version: str, rate: float, change: Callable[[], Any]) -> Result:
    """`change` is what the operator runs; it says how it ended as a finished process does."""
    plan = Plan(rate=rate, prefix=f"deploy-{version}-{time.time():.0f}", mix=EVERY)
    with watching(stack.machine) as watched, loading(stack.target(), plan) as heard:
        time.sleep(BEFORE)
        began = time.time()
        finished: subprocess.CompletedProcess[str] = change()
        ended = time.time()
        time.sleep(AFTER)
    seen = phases(watched)
    whole = Phase("deploy", began, ended)
    report = Report(heard.records)
    ledger = stack.ledger()
    wrong = list(mistakes(heard, seen, ledger))
    before = Report([record for record in heard.records if record.ended < began])
    if before.failed or before.quick.seconds(99) > OVERLOADED:
        wrong.append(f"the machine was overloaded already: p99 {before.quick.seconds(99):.1f} s, {dict(before.failed)}")
    wrong += [f"the phase {name} was not seen" for name in PHASES if name not in {phase.name for phase in seen}]
    return Result(
        version=version,
        done=finished.returncode == 0,
        seconds=ended - began,
        start_up=start_up(stack, {each.name for each in watched.moments if each.action == "create"}),
        phases={phase.name: phase.ended - phase.began for phase in seen},
        requests=len(heard.records),
        failed=dict(report.failed),
        failed_before=dict(before.failed),
        lost=len(lost(heard.records, ledger)),
        doubled=len(doubled(heard.records, ledger)),
        again=report.again,
        on_idle=report.on_idle,
        mistakes=wrong,
        steady=report.quick.outside(whole).seconds(99),
        during=report.quick.during(whole).seconds(99),
        late=report.late,
        said="" if finished.returncode == 0 else finished.stdout[-3000:] + finished.stderr[-1000:],
        classes={kind: figures(report.of(kind)) for kind in report.kinds},
    )


def figures(part: Report) -> list[float]:
    return [len(part.records), part.failed.total(), *(part.seconds(percent) for percent in (50, 95, 99))]


def start_up(stack: WholeStack, names: set[str]) -> float:
    """What no deploy can be faster than, read from the containers themselves."""
    slowest = 0.0
    for name in sorted(names):
        script = (
            f"started=$(sudo docker inspect --format '{{{{.State.StartedAt}}}}' {name}) && "
            f"ready=$(sudo docker logs --timestamps {name} 2>&1 | grep '{READY}' | head -n 1 | cut -d ' ' -f 1) && "
            'echo $(date -d "$ready" +%s.%N) $(date -d "$started" +%s.%N)'
        )
        words = stack.machine.ssh(script, check=False).stdout.split()
        if len(words) == 2:
            slowest = max(slowest, float(words[0]) - float(words[1]))
    return slowest


def beyond(result: Result, soak: float) -> float:
    """Deploy seconds without the application's own start-up and the soak."""
    return result.seconds - result.start_up - soak


def as_result(document: Mapping[str, Any]) -> Result:
    return Result(**document)
