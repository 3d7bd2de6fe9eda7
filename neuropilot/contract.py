"""What NeuroPilot hands over to the platforms that run its applications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from components.backup.config import NeonDatabase
from components.outputs import VERSION, NeuropilotOutputs, RailwayOutputs, VercelOutputs
from neuropilot.settings import NeuropilotSettings

if TYPE_CHECKING:
    import pulumi

    from components.credentials.component import Credentials


def promised(settings: NeuropilotSettings) -> NeuropilotOutputs:
    site = settings.site
    return NeuropilotOutputs(
        version=VERSION,
        environment=settings.environment.value,
        vercel=VercelOutputs(api_url=f"https://{site.api}"),
        railway=RailwayOutputs(
            port=settings.application.port,
            # What Node's libraries know: staging runs as production does.
            node_env="production",
            allowed_origins=",".join(site.origins),
        ),
    )


def database_urls(settings: NeuropilotSettings, credentials: Credentials) -> dict[str, Any]:
    """The application's own, whose role owns nothing and is bound by row level security; and that of its migrations."""
    database = settings.backup.database
    roles = {
        "DATABASE_URL": (database.app_role, credentials["app_user"]),
        "MIGRATION_DATABASE_URL": (database.migrator_role, credentials["migrator_user"]),
    }
    return {name: _url(database, role, password) for name, (role, password) in roles.items()}


def _url(database: NeonDatabase, role: str, password: pulumi.Output[str]) -> pulumi.Output[str]:
    there = f"{database.host}:{database.port}/{database.name}?sslmode={database.ssl_mode}"
    return password.apply(lambda text: f"postgresql://{role}:{quote(text, safe='')}@{there}")
