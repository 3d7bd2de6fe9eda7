"""Everything that a stack of Neurmatic can be told."""

from collections.abc import Callable
from typing import Any, ClassVar

from components import checks
from components.alerts import NeurmaticAlerts, alerts_rise
from components.backup.config import S3Backup
from components.containers import fit
from components.containers.config import ContainersSettings
from components.containers.nginx.limits import rates_are_whole
from components.credentials.config import NeurmaticCredentials, days_have_names
from components.edge.config import EdgeSettings
from components.escrow import EscrowSettings, state_is_escrowed
from components.host.config import HostSettings
from components.publish.config import PublishSettings
from components.settings import SecretSpec, StackSettings
from components.site import NeurmaticSite
from components.storage.checks import lifecycles_are_accepted, replica_is_elsewhere
from components.storage.config import StorageSettings
from components.values import DataPolicy, Environment, Issuer, OauthProvider

PROVIDER_NAMES = {OauthProvider.GOOGLE: "Google", OauthProvider.LINKEDIN: "LinkedIn", OauthProvider.GITHUB: "GitHub"}


def _logs_in_with(provider: OauthProvider) -> Callable[[Any], bool]:
    return lambda settings: provider in settings.containers.backend.oauth


class NeurmaticSettings(StackSettings):
    """Neurmatic: a full stack on one server behind Cloudflare, with S3."""

    PROJECT: ClassVar = "neurmatic"

    environment: Environment
    """`production` or `staging`: it is part of every name."""
    data: DataPolicy = DataPolicy.PROTECTED
    """Whether a destroy may take the data along."""
    site: NeurmaticSite
    """Names, limits, headers and caching: what edge and origin share."""
    host: HostSettings
    """The server."""
    edge: EdgeSettings
    """Cloudflare."""
    storage: StorageSettings
    """S3."""
    containers: ContainersSettings
    """What runs on the server."""
    publish: PublishSettings
    """Where other teams find the outputs."""
    credentials: NeurmaticCredentials = NeurmaticCredentials()
    """Generated secrets and their rotation."""
    escrow: EscrowSettings = EscrowSettings()
    """The sealed copy of the state."""
    backup: S3Backup = S3Backup()
    """Dumps of the database."""
    alerts: NeurmaticAlerts = NeurmaticAlerts()
    """When something is worth a warning, and when it is critical."""

    SECRETS: ClassVar = (
        SecretSpec("cloudflare_api_token", "Cloudflare's provider needs a token for the zone."),
        SecretSpec(
            "registry_token",
            "The host pulls the application's images with it (read:packages).",
            needed=lambda settings: settings.containers.release is not None,
        ),
        *(
            SecretSpec(
                f"{provider.value}_client_{part}",
                f"People log in with {PROVIDER_NAMES[provider]} (containers.backend.oauth).",
                needed=_logs_in_with(provider),
            )
            for provider in OauthProvider
            for part in ("id", "secret")
        ),
        SecretSpec(
            "cloudflare_dns_token",
            "certbot proves the names with it: DNS edit in the zone (containers.certificates.issuer).",
            needed=lambda settings: settings.containers.certificates.issuer is Issuer.LETS_ENCRYPT_DNS01,
        ),
        *(
            SecretSpec(
                f"r2_{part}",
                "Uploads are kept in Cloudflare R2 (storage.media.r2).",
                needed=lambda settings: settings.storage.media.r2 is not None,
            )
            for part in ("access_key_id", "secret_access_key")
        ),
        SecretSpec("sendgrid_api_key", "The application sends mail with it."),
        SecretSpec(
            "sentry_dsn",
            "Errors go there (containers.backend.sentry.enabled).",
            needed=lambda settings: settings.containers.backend.sentry.enabled,
        ),
        SecretSpec(
            "slack_webhook_url",
            "Backups, deploys and the server's health are reported there (backup.notify.slack).",
            needed=lambda settings: settings.backup.notify.slack,
        ),
        SecretSpec(
            "smtp_url",
            "The same by mail (backup.notify.emails): smtps://user:password@host.",
            needed=lambda settings: bool(settings.backup.notify.emails),
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
        checks.host_is_reachable,
        checks.host_paths_apart,
        checks.production_is_redundant,
        checks.images_are_fixed,
        checks.buckets_differ,
        checks.lifecycle_in_order,
        lifecycles_are_accepted,
        replica_is_elsewhere,
        checks.alarm_after_schedule,
        alerts_rise,
        fit.connections_fit,
        fit.memory_fits,
        fit.cpus_fit,
        fit.postgres_memory_fits,
        fit.redis_memory_fits,
        fit.subnets_are_private,
        rates_are_whole,
    )
    NOTES: ClassVar = (checks.release_note, fit.cpus_shared)
