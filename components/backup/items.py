"""What backups need on the server: the scripts, their settings, the timers, and the key of the bucket."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.backup.config import BackupSettings
from components.containers.application import WITH_ENVIRONMENT
from components.containers.docker import SECRETS_FOLDER
from components.host.engine import slice_of
from components.host.items import Directory, File, Item, Package, Unit
from components.host.jobs import PYTHON, SHELL, script, service, settings_file, timer, unit_file
from components.host.text import MANAGED

if TYPE_CHECKING:
    from components.host.component import VpsHost
    from components.storage.identity import BucketKey
    from neurmatic.settings import NeurmaticSettings

HERE = Path(__file__).parent / "onhost"
PACKAGE = "components/backup/onhost"
PACKAGES = ("age", "pigz")
VERBS = ("backup", "restore")
# The minute is apart from the daily one, so that the look does not wait for it each night.
WATCH = "*-*-* *:17:00 UTC"
MONTHLY = "*-*-03 03:47:00 UTC"
BACKEND_USER = "1000:1000"


def items(settings: NeurmaticSettings) -> tuple[Item, ...]:
    root = settings.host.root
    scripts = f"{root}/infrastructure/scripts"
    return (
        *(Package(name) for name in PACKAGES),
        *(Directory(f"{scripts}/{path}") for path in folders()),
        *(File(f"{scripts}/{path}", content, reader=PYTHON) for path, content in sorted(modules().items())),
        settings_file(f"{scripts}/backup.json", told(settings)),
        *(script(f"{scripts}/{verb}.sh", wrapper(verb), SHELL) for verb in VERBS),
        *units(scripts, settings.backup),
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


def told(settings: NeurmaticSettings) -> dict[str, Any]:
    """For components/backup/onhost/settings.py."""
    root, postgres, backup = settings.host.root, settings.containers.postgres, settings.backup
    backups, backend = settings.storage.backups, settings.containers.backend
    return {
        "system": settings.PROJECT,
        "container": f"neurmatic-postgres-{settings.environment.value}",
        "database": postgres.database,
        "user": postgres.user,
        "folder": f"{root}/backups",
        "scratch": f"{settings.host.data}/backup-check",
        "log": f"{root}/logs/backup.log",
        "notify": f"{root}/infrastructure/scripts/notify",
        "bucket": backups.name,
        "prefix": backups.prefix,
        "region": settings.storage.region,
        "key_file": key_file(root),
        "encrypt_to": backup.encrypt_to,
        "compression": backup.compression,
        "local_kept": backup.local_kept,
        "max_age": backup.max_age,
        "slice": slice_of("backup"),
        "tell_success": backup.notify.on_success,
        "migration": {
            "network": settings.containers.network,
            "user": BACKEND_USER,
            "entrypoint": list(WITH_ENVIRONMENT),
            "command": list(backend.migration),
            "secrets": f"{root}/infrastructure/secrets/backend",
            "mounted": SECRETS_FOLDER,
            "memory": backend.memory,
            "cpus": backend.cpus,
        },
    }


def key_file(root: str) -> str:
    return f"{root}/infrastructure/secrets/backup/bucket.json"


def write_secrets(host: VpsHost, root: str, key: BucketKey) -> None:
    """The key can add and read dumps, and can neither delete nor replace one."""
    import pulumi  # noqa: PLC0415  `./infra drift` reads the items and needs no engine

    host.secret("backup-bucket-key", key_file(root), pulumi.Output.json_dumps({"id": key.id, "secret": key.secret}))


def units(scripts: str, backup: BackupSettings) -> list[Item]:
    jobs = {
        "neurmatic-backup": ("Daily backup of the database, restored on trial", "--reason daily"),
        "neurmatic-backup-before-deploy": ("Backup of the database before a deploy", "--reason before-deploy"),
        "neurmatic-backup-drill": ("The newest backup out of the bucket, restored on trial", "--drill"),
        "neurmatic-backup-watch": ("Backups that are missing or too old", "--watch"),
    }
    timers = {"neurmatic-backup": f"*-*-* {backup.schedule}:00 UTC", "neurmatic-backup-watch": WATCH}
    if backup.drill_monthly:
        timers["neurmatic-backup-drill"] = MONTHLY
    services = [unit_file(f"{name}.service", service_text(scripts, *job)) for name, job in jobs.items()]
    clocks = [unit_file(f"{name}.timer", timer_text(jobs[name][0], when)) for name, when in timers.items()]
    return [*services, *clocks, *(Unit(f"{name}.timer") for name in timers)]


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
