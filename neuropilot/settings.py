"""Everything that a stack of NeuroPilot can be told."""

from typing import ClassVar

from components import checks
from components.alerts import NeuropilotAlerts
from components.backup.config import RcloneBackup
from components.credentials.config import NeuropilotCredentials, days_have_names
from components.edge.config import PlatformEdge
from components.escrow import EscrowSettings, state_is_escrowed
from components.host.config import HostSettings
from components.publish.config import PublishSettings
from components.section import Section
from components.settings import SecretSpec, StackSettings
from components.site import NeuropilotSite
from components.values import DataPolicy, Environment, Port
from neuropilot.backups import authority_is_there, key_fits


class Application(Section):
    """Settings of the application on Railway and Vercel, handed over as outputs."""

    port: Port = 8080
    """PORT: where the API listens."""
    google_login: bool = False
    """People may log in with Google."""


class NeuropilotSettings(StackSettings):
    """NeuroPilot Inventory: Cloudflare in front of Railway and Vercel, encrypted backups of a Neon database."""

    PROJECT: ClassVar = "neuropilot"

    environment: Environment
    """`production` or `staging`."""
    data: DataPolicy = DataPolicy.PROTECTED
    """Whether a destroy may take the data along."""
    site: NeuropilotSite
    """Names, limits, headers and caching."""
    edge: PlatformEdge
    """Cloudflare."""
    publish: PublishSettings
    """Where other teams find the outputs."""
    credentials: NeuropilotCredentials = NeuropilotCredentials()
    """Generated secrets and their rotation."""
    escrow: EscrowSettings = EscrowSettings()
    """The sealed copy of the state."""
    backup: RcloneBackup
    """Dumps of the database."""
    application: Application = Application()
    """What the platforms are told."""
    host: HostSettings | None = None
    """The server that makes the backups. Unset: they are made by hand or elsewhere."""
    alerts: NeuropilotAlerts = NeuropilotAlerts()
    """When something is worth a warning, and when it is critical."""

    SECRETS: ClassVar = (
        SecretSpec("cloudflare_api_token", "Cloudflare's provider needs a token for the zone."),
        SecretSpec(
            "neon_owner_url", "Roles and grants are made with it, and nothing else: postgresql:// of the owner."
        ),
        SecretSpec("rclone_config", "The backup's remote: the section of rclone.conf."),
        SecretSpec(
            "slack_webhook_url",
            "Backups are reported there (backup.notify.slack).",
            needed=lambda settings: settings.backup.notify.slack,
        ),
        SecretSpec(
            "smtp_url",
            "Backups are reported by mail through it (backup.notify.emails): smtps://user:password@host.",
            needed=lambda settings: bool(settings.backup.notify.emails),
        ),
        *(
            SecretSpec(
                f"google_client_{part}",
                "People log in with Google (application.google_login).",
                needed=lambda settings: settings.application.google_login,
            )
            for part in ("id", "secret")
        ),
    )
    CHECKS: ClassVar = (
        checks.data_is_protected,
        days_have_names(spec.key for spec in SECRETS),
        state_is_escrowed,
        checks.names_in_zone,
        checks.names_differ,
        checks.admin_is_narrow,
        checks.edge_fits_plan,
        checks.records_are_sound,
        checks.mail_is_complete,
        checks.notifications_have_account,
        checks.alarm_after_schedule,
        checks.dumps_are_direct,
        key_fits,
        authority_is_there,
    )
