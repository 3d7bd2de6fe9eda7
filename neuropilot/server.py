"""NeuroPilot's server, which makes the backups: what is on it, and the database's roles, which are made from there."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from components.backup import items as backups
from components.host.items import Item
from components.notify import items as notify
from neuropilot.backups import files, runner, secret
from neuropilot.settings import NeuropilotSettings

if TYPE_CHECKING:
    import pulumi

    from components.credentials.component import Credentials
    from components.host.component import VpsHost
    from components.host.config import HostSettings

REMIND_SECONDS = 24 * 3600


def items(settings: NeuropilotSettings) -> tuple[Item, ...]:
    """Pure: the program gives these to the VpsHost, and `./infra drift` compares the server with them."""
    host, backup = settings.host, settings.backup
    if host is None:
        return ()
    stack, sender = f"{settings.PROJECT} {settings.environment.value}", f"backups@{settings.site.apex}"
    return (
        *notify.items(backup.notify, stack, host.root, sender, REMIND_SECONDS),
        *files(host.root, backup),
        *backups.items(runner(settings.PROJECT, host, backup)),
    )


def made(
    settings: NeuropilotSettings,
    drift: str,
    secrets: Mapping[str, Any],
    credentials: Credentials,
    opts: pulumi.ResourceOptions,
) -> VpsHost | None:
    """None: the stack has no server, and whoever has one elsewhere makes roles and backups there."""
    from components.backup.roles import DatabaseRoles, DatabaseRolesArgs  # noqa: PLC0415  `./infra drift` needs none
    from components.host.component import VpsHost, VpsHostArgs  # noqa: PLC0415

    if settings.host is None:
        return None
    host, database = (
        VpsHost("runner", VpsHostArgs(settings.host, items(settings), drift), opts),
        settings.backup.database,
    )
    passwords = {
        database.migrator_role: credentials["migrator_user"],
        database.app_role: credentials["app_user"],
        database.backup_role: credentials["backup_user"],
    }
    script = f"sudo -n {shlex.quote(f'{settings.host.root}/infrastructure/scripts/database.sh')} roles"
    roles = DatabaseRolesArgs(host, script, secrets["neon_owner_url"], passwords)
    DatabaseRoles("database", roles, opts)
    _write_secrets(host, settings.host, settings, secrets, credentials)
    return host


def _write_secrets(
    host: VpsHost,
    there: HostSettings,
    settings: NeuropilotSettings,
    secrets: Mapping[str, Any],
    credentials: Credentials,
) -> None:
    database, root = settings.backup.database, there.root
    start = f"{database.host}:{database.port}:*:{database.backup_role}:"
    line = credentials["backup_user"].apply(lambda password: f"{start}{password}\n")
    host.secret("backup-pgpass", secret(root, "pgpass"), line)
    host.secret("backup-rclone", secret(root, "rclone.conf"), secrets["rclone_config"])
    notify.write_secrets(host, settings.backup.notify, root, secrets)
