"""What NeuroPilot hands over to the platforms that run its applications."""

from __future__ import annotations

from urllib.parse import quote

from components.outputs import VERSION, NeuropilotOutputs, RailwayOutputs, VercelOutputs
from neuropilot.settings import NeuropilotSettings


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


def database_url(settings: NeuropilotSettings, password: str) -> str:
    """For the application's role, which owns nothing; row level security applies to it."""
    database = settings.backup.database
    login = f"{database.app_role}:{quote(password, safe='')}"
    return f"postgresql://{login}@{database.host}:{database.port}/{database.name}?sslmode={database.ssl_mode}"
