"""Many open connections through nginx, and people behind them who think between two requests."""

from __future__ import annotations

import time
from typing import Any

from rehearsal.load import Plan, Report, Target, loading
from rehearsal.load.report import mistakes

SECONDS = 60.0
ARRIVE = 8.0
THINK = 5.0


def measured(target: Target, people: int) -> dict[str, Any]:
    """The arrival is not counted: a thousand handshakes at once are another question."""
    with loading(target, Plan(people=people, think=THINK, prefix="people")) as heard:
        arrived = time.time() + ARRIVE
        time.sleep(ARRIVE + SECONDS)
    report = Report([record for record in heard.records if record.due > arrived])
    return {
        "people": people,
        "requests": len(report.records),
        "failed": dict(report.failed),
        "p50": report.seconds(50),
        "p95": report.seconds(95),
        "p99": report.seconds(99),
        "mistakes": list(mistakes(heard)),
    }
