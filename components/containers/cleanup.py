"""Old images go once a week, never those that a rollback needs: the script on the server, its settings, its timer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from components.containers.config import ContainersSettings
from components.health.items import RELOAD, VERIFY
from components.host.items import File, Item, Unit
from components.notify.items import PYTHON

SCRIPT = Path(__file__).parent / "onhost" / "cleanup_images.py"
SERVICE, TIMER = "neurmatic-cleanup.service", "neurmatic-cleanup.timer"
GRACE = 24 * 3600
"""What has arrived in the last so many seconds stays: a deploy may be about to use it."""


def items(settings: ContainersSettings, root: str) -> tuple[Item, ...]:
    path = f"{root}/infrastructure/scripts/cleanup-images"
    text = json.dumps(told(settings, root), indent=2, sort_keys=True)
    return (
        File(path, SCRIPT.read_text(), mode="0755", reader=PYTHON),
        File(f"{path}.json", f"{text}\n"),
        File(f"/etc/systemd/system/{SERVICE}", service_text(path), reader=VERIFY, on_change=RELOAD),
        File(f"/etc/systemd/system/{TIMER}", timer_text(), reader=VERIFY, on_change=RELOAD),
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
    lines = [
        "[Unit]",
        "Description=Removes images of the product that no rollback needs",
        "After=docker.service",
        # A server on which nothing was deployed yet has nothing to clean up.
        f"ConditionPathExists={path.rpartition('/scripts/')[0]}/nginx/releases.jsonl",
        "",
        "[Service]",
        "Type=oneshot",
        f"ExecStart={path}",
        "TimeoutStartSec=30min",
        "StateDirectory=neurmatic",
        "Nice=10",
        "IOSchedulingClass=idle",
        "PrivateTmp=yes",
        "ProtectHome=yes",
        "ProtectSystem=full",
        "NoNewPrivileges=yes",
        "",
    ]
    return "\n".join(lines)


def timer_text() -> str:
    lines = [
        "[Unit]",
        "Description=Removes old images once a week",
        "",
        "[Timer]",
        "OnCalendar=Sun 04:30 UTC",
        "RandomizedDelaySec=30min",
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target",
        "",
    ]
    return "\n".join(lines)
