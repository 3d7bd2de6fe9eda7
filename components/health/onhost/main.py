"""`health-check.sh [--verbose] [--json]`: ends with 0 when the product works, with 1 when it does not.

`--watch` is the timer's: it also keeps the result, and tells people when something has got worse or is over.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.health.onhost.finding import CRITICAL, LEVELS, Finding
from components.health.onhost.look import look
from components.health.onhost.machine import counters
from components.health.onhost.watching import follow, remember, remembered, told

NOT_LOOKED = 2


def main(settings_file: str, arguments: Sequence[str]) -> int:
    given = parsed(arguments)
    if os.geteuid() != 0:
        print("The health check looks into containers: run it as root (sudo).", file=sys.stderr)
        return NOT_LOOKED
    try:
        settings = json.loads(Path(settings_file).read_text())
    except (OSError, ValueError) as error:
        print(f"{settings_file} cannot be read ({error}): `./infra up` writes it.", file=sys.stderr)
        return NOT_LOOKED
    known = remembered(Path(settings["state"]))
    began = time.monotonic()
    findings = look(settings, known.get("cpu", ()))
    report = reported(settings, findings, time.monotonic() - began)
    if given.watch:
        return watched(settings, known, findings, report)
    print(json.dumps(report, indent=2) if given.json else as_text(report, given.verbose))
    return 0 if report["healthy"] else 1


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="health-check.sh", description="Whether the product works on this server.")
    parser.add_argument("--verbose", action="store_true", help="what is in order as well")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--watch", action="store_true", help="the timer's: keep the result, tell people of changes")
    return parser.parse_args(arguments)


def reported(settings: Mapping[str, Any], findings: Sequence[Finding], seconds: float) -> dict[str, Any]:
    return {
        "stack": settings["stack"],
        "host": socket.gethostname(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seconds": round(seconds, 1),
        "healthy": not any(each.vital and each.level == CRITICAL for each in findings),
        "findings": [each.data() for each in sorted(findings, key=lambda each: -LEVELS.index(each.level))],
    }


def watched(
    settings: Mapping[str, Any], known: Mapping[str, Any], findings: Sequence[Finding], report: Mapping[str, Any]
) -> int:
    alarms = follow(known.get("alarms", {}), findings)
    before = bool(known.get("told"))
    kept = {"report": report, "cpu": counters(), "alarms": alarms, "told": before}
    # Before anybody is told, which may take a while: the result is for others to read.
    remember(Path(settings["state"]), kept)
    over, failure = told(settings, alarms, before)
    remember(Path(settings["state"]), {**kept, "told": over})
    for each in findings:
        if each.bad:
            print(f"{each.level}: {each.name}: {each.text}")
    if failure:
        print(f"Nobody could be told: {failure}", file=sys.stderr)
    return 0


def as_text(report: Mapping[str, Any], verbose: bool) -> str:
    found = report["findings"]
    bad = [each for each in found if each["level"] in ("warning", "critical")]
    shown = found if verbose else bad
    width = max((len(each["name"]) for each in shown), default=0)
    lines = [f"{each['level']:<13}  {each['name']:<{width}}  {each['text']}" for each in shown]
    counts = [f"{sum(each['level'] == level for each in bad)} {level}" for level in ("critical", "warning")]
    verdict = "healthy" if report["healthy"] else "NOT healthy"
    return "\n".join([*lines, f"{report['stack']} on {report['host']}: {verdict} ({', '.join(counts)})"])
