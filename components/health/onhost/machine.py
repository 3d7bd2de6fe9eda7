"""The server itself: disk, memory, CPU, clock and the units that are ours."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.health.onhost.finding import Finding, against, broken, fine, unknown, warning
from components.health.onhost.process import SilenceError, ask

PROC = Path("/proc")
SHORTEST, LONGEST = 20, 600
"""Seconds between two looks at the CPU's counters that make a figure."""
LOOK = 1.0
GB = 1 << 30


def disks(settings: Mapping[str, Any]) -> Iterator[Finding]:
    seen: set[int] = set()
    for path in settings["disks"]:
        try:
            device, found = os.stat(path).st_dev, os.statvfs(path)
        except FileNotFoundError:
            continue
        if device not in seen:
            seen.add(device)
            yield disk(path, found, settings)


def disk(path: str, found: os.statvfs_result, settings: Mapping[str, Any]) -> Finding:
    """As `df` counts: what only root may use is neither free nor there."""
    taken = found.f_blocks - found.f_bfree
    used = taken / ((taken + found.f_bavail) or 1)
    nodes = 1 - found.f_favail / found.f_files if found.f_files else 0.0
    name, free = f"disk {path}", found.f_bavail * found.f_frsize
    share, what = max((used, "of its space is"), (nodes, "of its inodes are"))
    text = f"{share:.0%} {what} in use, {free / GB:.1f} GB are free"
    if share >= settings["healthy"]["disk_used"]:
        return broken(name, f"{text}: `docker system df` and `du -x -d 2 {path}` tell by what", round(share, 4))
    return against(name, text, share, settings["limits"]["disk"])


def memory(settings: Mapping[str, Any]) -> Iterator[Finding]:
    found = {line.split(":")[0]: int(line.split()[1]) for line in (PROC / "meminfo").read_text().splitlines()}
    free = found["MemAvailable"] / found["MemTotal"]
    text = f"{free:.0%} of {found['MemTotal'] / (1 << 20):.1f} GB are free"
    if free <= settings["healthy"]["memory_free"]:
        yield broken("memory", text, round(1 - free, 4))
        return
    yield against("memory", text, 1 - free, settings["limits"]["memory"])


def cpu(settings: Mapping[str, Any], before: Sequence[float]) -> Iterator[Finding]:
    """Since the last look if that was a while ago: a second says little about a minute."""
    now = counters()
    if len(before) != 3 or not SHORTEST <= now[0] - before[0] <= LONGEST or now[2] < before[2]:
        before = now
        time.sleep(LOOK)
        now = counters()
    busy = 1 - (now[1] - before[1]) / max(1.0, now[2] - before[2])
    text = f"{max(0.0, busy):.0%} busy over {now[0] - before[0]:.0f} s"
    yield against("cpu", text, max(0.0, busy), settings["limits"]["cpu"])


def counters() -> tuple[float, float, float]:
    """When, idle, all. Stolen time is not ours, and not idle either: what is asked for and not had."""
    fields = [int(word) for word in (PROC / "stat").read_text().splitlines()[0].split()[1:9]]
    return time.time(), float(fields[3] + fields[4]), float(sum(fields))


def clock() -> Iterator[Finding]:
    if ask(["systemd-detect-virt", "--container", "--quiet"]).returncode == 0:
        yield unknown("clock", "the machine underneath a container keeps the time")
        return
    said = ask(["timedatectl", "show", "--property=NTPSynchronized", "--value"]).stdout.strip()
    if said == "yes":
        yield fine("clock", "synchronised")
    else:
        yield warning("clock", "is not synchronised: tokens and certificates depend on it (`timedatectl` says more)")


def units(settings: Mapping[str, Any]) -> Iterator[Finding]:
    listing = ["systemctl", "list-units", "--state=failed", "--plain", "--no-legend", "--full", "--no-pager"]
    try:
        done = ask([*listing, *settings["units"]])
    except SilenceError as error:
        yield warning("units", f"systemd cannot be asked: {error}")
        return
    failed = [line.split()[0] for line in done.stdout.splitlines() if line.strip()]
    if failed:
        yield warning("units", f"failed: {', '.join(sorted(failed))} (`journalctl -u {sorted(failed)[0]}` says why)")
    else:
        yield fine("units", "none of ours has failed")
