"""From looks to alarms: what is bad twice in a row is told, what is good three times in a row is over."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.health.onhost.finding import CRITICAL, LEVELS, OK, UNKNOWN, Finding
from components.health.onhost.process import SilenceError, ask, last_line

WORSE, BETTER = 2, 3
# A dump or a deploy may keep the CPU busy for a while, and nobody has to get up for that.
PATIENCE = {"cpu": 10}
NOTIFY_SECONDS = 75.0

Alarms = dict[str, dict[str, Any]]


def follow(alarms: Mapping[str, Mapping[str, Any]], findings: Sequence[Finding]) -> Alarms:
    """For each thing the level that was announced, and the last levels that were seen."""
    now = {each.name: each for each in findings}
    after: Alarms = {}
    for name in {**alarms, **now}:
        before = alarms.get(name, {"announced": OK, "last": [], "text": ""})
        finding = now.get(name)
        if finding is not None and finding.level == UNKNOWN:
            if name in alarms:
                after[name] = dict(before)
            continue
        # What is not there any more, such as a backend after a `scale`, is in order.
        level = finding.level if finding else OK
        patience = PATIENCE.get(name, WORSE)
        last = [*before["last"], level][-max(patience, BETTER) :]
        announced = settled(before["announced"], last, patience)
        text = finding.text if finding and level != OK else before["text"]
        if announced != OK or level != OK:
            after[name] = {"announced": announced, "last": last, "text": text}
    return after


def settled(announced: str, last: Sequence[str], patience: int) -> str:
    rank, ranks = LEVELS.index(announced), [LEVELS.index(each) for each in last]
    worse, better = ranks[-patience:], ranks[-BETTER:]
    if len(worse) == patience and min(worse) > rank:
        return LEVELS[min(worse)]
    if len(better) == BETTER and max(better) < rank:
        return LEVELS[max(better)]
    return announced


def words(alarms: Alarms) -> tuple[str, str, list[str]] | None:
    """Severity, subject and what else to say to `notify`; None when all is well."""
    loud = {name: each for name, each in sorted(alarms.items()) if each["announced"] != OK}
    if not loud:
        return None
    severity = CRITICAL if any(each["announced"] == CRITICAL for each in loud.values()) else "warning"
    first, text = next((name, each["text"]) for name, each in loud.items() if each["announced"] == severity)
    subject = f"{first}: {text}" if len(loud) == 1 else f"{len(loud)} things are wrong: {', '.join(loud)}"
    return severity, subject[:180], [f"{each['announced']}: {name}: {each['text']}" for name, each in loud.items()]


def fingerprint(alarms: Alarms) -> str:
    loud = [f"{name} {each['announced']}" for name, each in sorted(alarms.items()) if each["announced"] != OK]
    return hashlib.sha256("\n".join(loud).encode()).hexdigest()[:12]


def told(settings: Mapping[str, Any], alarms: Alarms, before: bool) -> tuple[bool, str]:
    """Whether somebody may have to hear that it is over, and what went wrong. `notify` itself says nothing twice."""
    said = words(alarms)
    if said is None and not before:
        return False, ""
    same = [settings["notify"], "--key", "health"]
    if said is None:
        failure = notify([*same, "--resolved", "All is well again"], "")
        return bool(failure), failure
    severity, subject, lines = said
    body = "\n".join([*lines, "", f"On the server: sudo {settings['script']} --verbose"])
    return True, notify([*same, "--severity", severity, "--state", fingerprint(alarms), subject], body)


def notify(argv: Sequence[str], body: str) -> str:
    try:
        done = ask(argv, body, NOTIFY_SECONDS)
    except (SilenceError, OSError) as error:
        return str(error)
    return last_line(done) if done.returncode else ""


def remembered(path: Path) -> dict[str, Any]:
    """What was not written, or not whole, is forgotten: an alarm is then told again."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def remember(path: Path, known: Mapping[str, Any]) -> None:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(known, indent=1))
    os.replace(draft, path)
