"""The `backup` section: dumps of the database, where they go and who hears of them."""

from typing import Annotated

from components.leaves import Text, whole
from components.section import Section
from components.values import (
    AgeRecipient,
    AwsRegion,
    Days,
    Email,
    Fqdn,
    GpgFingerprint,
    ImageRef,
    Port,
    Seconds,
    SqlName,
    TimeOfDay,
)


class Notify(Section):
    """Who hears about backups, restores and the server's health."""

    slack: bool = False
    """Post to Slack; needs the secret slack_webhook_url."""
    emails: tuple[Email, ...] = ()
    """Send mail to these addresses; needs the secret smtp_url."""
    on_success: bool = False
    """Tell about successes too, not only about failures."""


class BackupSettings(Section):
    """What both systems have in common."""

    schedule: TimeOfDay = "02:00"
    """When the daily dump starts, in UTC."""
    before_deploy: bool = True
    """Dump before every deployment."""
    local_kept: Days = 30
    """How long dumps stay on the server."""
    max_age: Seconds = 36 * 3600
    """A newest dump older than this is an alarm."""
    compression: Annotated[int, whole(1, 9)] = 9
    """gzip level."""
    drill_monthly: bool = True
    """Restore the newest dump into a throw-away database once a month."""
    notify: Notify = Notify()
    """Notifications."""


class S3Backup(BackupSettings):
    """Neurmatic: to the backup bucket of the `storage` section."""

    encrypt_to: AgeRecipient | None = None
    """Encrypt dumps to this age recipient, whose private key is kept offline. Unset: the bucket's encryption alone."""


CORE_TABLES = (
    *("app_user", "item", "location", "inventory_count", "movement", "purchase_order", "purchase_order_line"),
)
CommittedFile = Annotated[
    str,
    Text(
        "a file, from the folder of the project (or by its absolute path)",
        pattern=r"/?[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*",
        check=lambda text: not {".", ".."} & set(text.split("/")),
    ),
]


class NeonDatabase(Section):
    """The Neon database that is dumped."""

    host: Fqdn
    """The database's host name, without -pooler: dumps need a direct connection."""
    port: Port = 5432
    """Its port."""
    name: SqlName = "neuropilot_inventory"
    """Its name."""
    region: AwsRegion = "us-east-2"
    """Where it is."""
    migrator_role: SqlName = "migrator_user"
    """Owns the schema and runs migrations."""
    app_role: SqlName = "app_user"
    """The application: owns nothing, row level security applies to it."""
    backup_role: SqlName = "backup_user"
    """Dumps the database (BYPASSRLS)."""
    image: ImageRef = ImageRef("postgres", "17-alpine")
    """PostgreSQL of the database's own major version: its client tools dump, and its server tries each dump."""
    authority: CommittedFile | None = None
    """Certificates of who signed the server's, in PEM. Unset: those that the runner's system trusts."""
    core_tables: tuple[SqlName, ...] = CORE_TABLES
    """Tables on which row level security has to be on and forced."""
    audit_table: SqlName = "audit_log"
    """The table to which rows are added, and nothing else."""
    ssl_mode: Annotated[str, Text("require, verify-ca or verify-full", pattern="require|verify-ca|verify-full")] = (
        "verify-full"
    )
    """How the connection is encrypted, at least `require`."""


RcloneRemote = Annotated[
    str,
    Text(
        "an rclone remote and folder, such as onedrive:neuropilot-backups", pattern=r"[A-Za-z0-9_-]+:[A-Za-z0-9_./-]*"
    ),
]


class RcloneBackup(BackupSettings):
    """NeuroPilot: encrypted, to a drive that rclone knows."""

    database: NeonDatabase
    """The database."""
    remote: RcloneRemote = "onedrive:neuropilot-backups"
    """Where dumps go. Its credentials are the secret rclone_config."""
    encrypt_to: GpgFingerprint
    """The GPG key that dumps are encrypted to (RSA 4096 or better); its private half is not on the runner."""
    public_key: CommittedFile = "backup-key.asc"
    """That key's public half, in ASCII armor: it is committed beside the stack file."""
    kept: Days = 30
    """How long dumps stay on the remote; 90d in the business profile."""
