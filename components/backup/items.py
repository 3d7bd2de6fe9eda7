"""What backups need on the server: the scripts, their settings, the timers, and the key of the bucket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.backup.config import BackupSettings
from components.host.engine import slice_of
from components.host.items import Directory, File, Item, Package, Unit
from components.host.jobs import PYTHON, SHELL, script, service, settings_file, timer, unit_file
from components.host.text import MANAGED

if TYPE_CHECKING:
    from components.host.component import VpsHost
    from components.storage.identity import BucketKey

HERE = Path(__file__).parent / "onhost"
PACKAGE = "components/backup/onhost"
VERBS = ("backup", "restore")
# The minute is apart from the daily one, so that the look does not wait for it each night.
WATCH = "*-*-* *:17:00 UTC"
MONTHLY = "*-*-03 03:47:00 UTC"


@dataclass(frozen=True)
class Runner:
    """A server that makes backups, and of what: each system says it of itself."""

    units: str
    """What the names of its timers begin with."""
    root: str
    data: str
    packages: tuple[str, ...]
    settings: BackupSettings
    told: Mapping[str, Any]
    """For components/backup/onhost/settings.py, besides what is the same for all: whose database, and where to."""
    verbs: tuple[str, ...] = VERBS
    """The scripts; `database` where it is elsewhere."""


def items(runner: Runner) -> tuple[Item, ...]:
    scripts = f"{runner.root}/infrastructure/scripts"
    return (
        *(Package(name) for name in runner.packages),
        *(Directory(f"{scripts}/{path}") for path in folders()),
        *(File(f"{scripts}/{path}", content, reader=PYTHON) for path, content in sorted(modules().items())),
        settings_file(f"{scripts}/backup.json", told(runner)),
        *(script(f"{scripts}/{verb}.sh", wrapper(verb), SHELL) for verb in runner.verbs),
        *units(scripts, runner.units, runner.settings),
    )


def folders() -> list[str]:
    parts = f"lib/{PACKAGE}".split("/")
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def modules() -> dict[str, str]:
    """Beside the scripts, under the names that they import each other by; the packages around them are empty."""
    around = {f"lib/{path}/__init__.py": "" for path in ("components", "components/backup")}
    return {**around, **{f"lib/{PACKAGE}/{path.name}": path.read_text() for path in HERE.glob("*.py")}}


def wrapper(verb: str) -> str:
    return (
        f"#!/bin/sh\n{MANAGED}set -eu\n"
        'here=$(dirname "$(readlink -f "$0")")\n'
        f'PYTHONPATH="$here/lib" exec /usr/bin/python3 -B -m components.backup.onhost {verb} '
        '--settings "$here/backup.json" "$@"\n'
    )


def told(runner: Runner) -> dict[str, Any]:
    root, backup = runner.root, runner.settings
    return {
        "folder": f"{root}/backups",
        "scratch": f"{runner.data}/backup-check",
        "log": f"{root}/logs/backup.log",
        "notify": f"{root}/infrastructure/scripts/notify",
        "compression": backup.compression,
        "local_kept": backup.local_kept,
        "max_age": backup.max_age,
        "slice": slice_of("backup"),
        "tell_success": backup.notify.on_success,
        **runner.told,
    }


def key_file(root: str) -> str:
    return f"{root}/infrastructure/secrets/backup/bucket.json"


def write_secrets(host: VpsHost, root: str, key: BucketKey) -> None:
    """The key can add and read dumps, and can neither delete nor replace one."""
    import pulumi  # noqa: PLC0415  `./infra drift` reads the items and needs no engine

    host.secret("backup-bucket-key", key_file(root), pulumi.Output.json_dumps({"id": key.id, "secret": key.secret}))


def units(scripts: str, name: str, backup: BackupSettings) -> list[Item]:
    jobs = {
        name: ("Daily backup of the database, restored on trial", "--reason daily"),
        f"{name}-before-deploy": ("Backup of the database before a deploy", "--reason before-deploy"),
        f"{name}-drill": ("The newest backup out of the bucket, restored on trial", "--drill"),
        f"{name}-watch": ("Backups that are missing or too old", "--watch"),
    }
    timers = {name: f"*-*-* {backup.schedule}:00 UTC", f"{name}-watch": WATCH}
    if backup.drill_monthly:
        timers[f"{name}-drill"] = MONTHLY
    services = [unit_file(f"{each}.service", service_text(scripts, *job)) for each, job in jobs.items()]
    clocks = [unit_file(f"{each}.timer", timer_text(jobs[each][0], when)) for each, when in timers.items()]
    return [*services, *clocks, *(Unit(f"{each}.timer") for each in timers)]


def service_text(scripts: str, description: str, arguments: str) -> str:
    return MANAGED + service(
        (
            f"Description={description}",
            "Wants=network-online.target",
            "After=network-online.target docker.service",
        ),
        f"ExecStart={scripts}/backup.sh {arguments}",
        # It dumps, restores and uploads; after that something hangs.
        "TimeoutStartSec=6h",
        "Nice=10",
        "IOSchedulingClass=best-effort",
        "IOSchedulingPriority=7",
        "NoNewPrivileges=true",
        "ProtectHome=true",
        "UMask=0077",
    )


def timer_text(description: str, when: str) -> str:
    """Persistent: a server that was off at the time does it when it is back."""
    return MANAGED + timer(description, f"OnCalendar={when}", "Persistent=true", "AccuracySec=1min")
