"""What notifications need on the server: the script, its settings, and the two addresses with credentials in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.backup.config import Notify
from components.host.items import Item
from components.host.jobs import script, settings_file

if TYPE_CHECKING:
    from components.host.component import VpsHost

SCRIPT = Path(__file__).parent / "onhost" / "notify.py"
STATE = "/var/lib/neurmatic/notify.json"
HOURLY = 20
"""Messages to each channel in an hour."""


def script_path(root: str) -> str:
    return f"{root}/infrastructure/scripts/notify"


def items(settings: Notify, stack: str, root: str, sender: str, remind_after: int) -> tuple[Item, ...]:
    path = script_path(root)
    return (
        script(path, SCRIPT.read_text()),
        settings_file(f"{path}.json", told(settings, stack, root, sender, remind_after)),
    )


def told(settings: Notify, stack: str, root: str, sender: str, remind_after: int) -> dict[str, Any]:
    """Without channels nobody is told, and that is no failure."""
    places = secret_files(settings, root)
    return {
        "stack": stack,
        "slack": places.get("slack_webhook_url"),
        "smtp": places.get("smtp_url"),
        "sender": sender,
        "to": list(settings.emails),
        "remind_after": remind_after,
        "hourly": HOURLY,
        "state": STATE,
    }


def secret_files(settings: Notify, root: str) -> dict[str, str]:
    """Secret of the stack -> its file on the server, for those that a channel needs."""
    wanted = {"slack_webhook_url": settings.slack, "smtp_url": bool(settings.emails)}
    return {name: f"{root}/infrastructure/secrets/notify/{name}" for name, needed in wanted.items() if needed}


def write_secrets(host: VpsHost, settings: Notify, root: str, secrets: Mapping[str, Any]) -> None:
    for name, path in secret_files(settings, root).items():
        host.secret(f"notify-{name.replace('_', '-')}", path, secrets[name])
