"""The variables of a backend, by the names that the application reads. {name} stands for a credential or secret."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from components.containers.config import ContainersSettings
from components.containers.services import BACKEND_PORT, POSTGRES_PORT, REDIS_PORT
from components.credentials.versions import PREVIOUS
from components.site import NeurmaticSite
from components.values import SECONDS

SIGNING = {"jwt": "JWT_SECRET", "jwt_refresh": "JWT_REFRESH_SECRET", "session": "SESSION_SECRET"}


@dataclass(frozen=True)
class Surroundings:
    """What a backend has to know of the rest of its stack."""

    environment: str
    site: NeurmaticSite
    media_bucket: str
    region: str
    login: str
    """The PostgreSQL role that backends log in as: with each version of its password the other of two."""
    previous: Collection[str] = ()
    """Signing secrets whose version before is given out as well."""
    store: Mapping[str, str] = field(default_factory=dict)
    """What an S3 client has to know of a store that is not S3."""


def plain_variables(settings: ContainersSettings, around: Surroundings) -> dict[str, str]:
    backend, site = settings.backend, around.site
    return {
        "NODE_ENV": "production",
        "ENVIRONMENT": around.environment,
        "HOST": "0.0.0.0",  # noqa: S104 (of the container, which nothing but nginx reaches)
        "PORT": str(BACKEND_PORT),
        "API_URL": f"https://{site.api}",
        "FRONTEND_URL": f"https://{site.apex}",
        "POSTGRES_USER": around.login,
        "JWT_EXPIRES_IN": SECONDS.write(backend.access_lifetime),
        "REFRESH_TOKEN_EXPIRES_IN": SECONDS.write(backend.refresh_lifetime),
        "BCRYPT_ROUNDS": str(backend.bcrypt_rounds),
        "FROM_EMAIL": backend.mail.sender,
        "SUPPORT_EMAIL": backend.mail.support,
        "AWS_S3_BUCKET": around.media_bucket,
        "AWS_REGION": around.region,
        **around.store,
        "RATE_LIMIT_WINDOW_MS": str(backend.rate_window * 1000),
        "RATE_LIMIT_MAX_REQUESTS": str(backend.rate_requests),
        "LOG_LEVEL": backend.log_level.value,
        **_callbacks(settings, site),
        **(_sentry(settings, around.environment) if backend.sentry.enabled else {}),
    }


def secret_variables(settings: ContainersSettings, around: Surroundings) -> dict[str, str]:
    postgres, backend = settings.postgres, settings.backend
    pool = f"connection_limit={settings.pool}&pool_timeout={backend.pool_timeout}"
    logins = [f"{provider.value}_client_{part}" for provider in backend.oauth for part in ("id", "secret")]
    return {
        "POSTGRES_PASSWORD": "{postgres}",
        "DATABASE_URL": f"postgresql://{around.login}:{{postgres}}@postgres:{POSTGRES_PORT}/{postgres.database}?{pool}",
        "REDIS_PASSWORD": "{redis}",
        "REDIS_URL": f"redis://:{{redis}}@redis:{REDIS_PORT}",
        "JWT_SECRET": "{jwt}",
        "JWT_REFRESH_SECRET": "{jwt_refresh}",
        "SESSION_SECRET": "{session}",
        **{f"{SIGNING[name]}_PREVIOUS": f"{{{name}{PREVIOUS}}}" for name in around.previous},
        "SENDGRID_API_KEY": "{sendgrid_api_key}",
        "AWS_ACCESS_KEY_ID": "{media_key_id}",
        "AWS_SECRET_ACCESS_KEY": "{media_key}",
        **{name.upper(): f"{{{name}}}" for name in logins},
        **({"SENTRY_DSN": "{sentry_dsn}"} if backend.sentry.enabled else {}),
    }


def environment_file(variables: Mapping[str, str], values: Mapping[str, str]) -> str:
    """Text that a shell reads as it stands, whatever is in a value."""
    filled = {name: template.format(**values) for name, template in sorted(variables.items())}
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in filled.items())


def _callbacks(settings: ContainersSettings, site: NeurmaticSite) -> dict[str, str]:
    base = f"https://{site.api}/api/v1/auth/oauth"
    return {
        f"{provider.value.upper()}_CALLBACK_URL": f"{base}/{provider.value}/callback"
        for provider in settings.backend.oauth
    }


def _sentry(settings: ContainersSettings, environment: str) -> dict[str, str]:
    sentry = settings.backend.sentry
    return {
        "SENTRY_ENVIRONMENT": environment,
        "SENTRY_TRACES_SAMPLE_RATE": f"{sentry.traces:g}",
        "SENTRY_PROFILES_SAMPLE_RATE": f"{sentry.profiles:g}",
    }
