"""Old images go once a week, never those that a rollback needs: the script on the server, its settings, its timer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from components.containers.config import ContainersSettings
from components.host.items import Item, Unit
from components.host.jobs import CONFINED, script, service, settings_file, timer, unit_file

SCRIPT = Path(__file__).parent / "onhost" / "cleanup_images.py"
SERVICE, TIMER = "neurmatic-cleanup.service", "neurmatic-cleanup.timer"
GRACE = 24 * 3600
"""What has arrived in the last so many seconds stays: a deploy may be about to use it."""


def items(settings: ContainersSettings, root: str) -> tuple[Item, ...]:
    path = f"{root}/infrastructure/scripts/cleanup-images"
    return (
        script(path, SCRIPT.read_text()),
        settings_file(f"{path}.json", told(settings, root)),
        unit_file(SERVICE, service_text(path)),
        unit_file(TIMER, timer_text()),
        Unit(TIMER),
    )


def told(settings: ContainersSettings, root: str) -> dict[str, Any]:
    return {
        "repositories": sorted({settings.backend.image.repository, settings.frontend.image.repository}),
        "kept_releases": settings.kept_releases,
        "history": f"{root}/infrastructure/nginx/releases.jsonl",
        "grace": GRACE,
        "lock": "/var/lib/neurmatic/cleanup.lock",
    }


def service_text(path: str) -> str:
    """A history that is broken or not there fails the unit, and the health check says so."""
    # A server on which nothing was deployed yet has nothing to clean up.
    deployed = f"ConditionPathExists={path.rpartition('/scripts/')[0]}/nginx/releases.jsonl"
    return service(
        ("Description=Removes images of the product that no rollback needs", "After=docker.service", deployed),
        f"ExecStart={path}",
        "TimeoutStartSec=30min",
        "StateDirectory=neurmatic",
        "Nice=10",
        "IOSchedulingClass=idle",
        *CONFINED,
    )


def timer_text() -> str:
    return timer(
        "Removes old images once a week", "OnCalendar=Sun 04:30 UTC", "RandomizedDelaySec=30min", "Persistent=true"
    )
