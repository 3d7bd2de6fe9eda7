"""The `credentials` section: how long generated secrets are, how old each may get, and which one is in use."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from typing import Annotated

from pydantic import Field

from components.leaves import Text, whole
from components.mistakes import Mistake, unknown_key
from components.section import Section
from components.values import Days

Generation = Annotated[int, whole(1, 9999)]
CredentialName = Annotated[str, Text("a name of `./infra credentials`", pattern=r"[a-z][a-z0-9_]{0,62}")]


def is_date(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text[:10]) <= datetime.datetime.now(datetime.timezone.utc).date()
    except ValueError:
        return False


# YAML's readers make a time of a day that is not in quotes.
Day = Annotated[
    str,
    Text(
        "a day that has been, such as 2026-11-21",
        pattern=r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T00:00:00Z)?",
        longest=20,
        check=is_date,
        tidy=lambda text: text[:10],
    ),
]


class NeurmaticGenerations(Section):
    """Which version of each is in use. `./infra rotate NAME` counts one up."""

    postgres: Generation = 1
    """The application's login to PostgreSQL."""
    redis: Generation = 1
    """Its password for Redis."""
    jwt: Generation = 1
    """JWT_SECRET."""
    jwt_refresh: Generation = 1
    """JWT_REFRESH_SECRET."""
    session: Generation = 1
    """SESSION_SECRET."""
    uploads: Generation = 1
    """The application's AWS key, for the media bucket."""
    dumps: Generation = 1
    """The server's AWS key, for the backups."""


class NeuropilotGenerations(Section):
    """Which version of each is in use. `./infra rotate NAME` counts one up."""

    app_user: Generation = 1
    """The application's password in Neon."""
    migrator_user: Generation = 1
    """The password of its migrations."""
    backup_user: Generation = 1
    """The password of the dumps."""
    jwt: Generation = 1
    """JWT_SECRET."""
    refresh_token: Generation = 1
    """REFRESH_TOKEN_SECRET."""


class CredentialsSettings(Section):
    """Generated secrets. Their values live in the state, encrypted; nobody types them."""

    length: Annotated[int, whole(64, 256)] = 64
    """Characters of each generated secret."""
    password_age: Days = 90
    """When a database or Redis password is due for rotation."""
    jwt_age: Days = 90
    """When a signing secret (JWT, session) is due: quarterly."""
    aws_key_age: Days = 90
    """When an AWS key is due."""
    given_age: Days = 365
    """When what somebody else issued is due: tokens of other services, SSH keys, the backups' encryption key."""
    warn_before: Days = 14
    """How long before it is due a credential is reported."""
    since: dict[CredentialName, Day] = Field(default={})
    """When something was made whose age nobody else can tell, by its name in `./infra credentials`."""


class NeurmaticCredentials(CredentialsSettings):
    """Generated secrets. Their values live in the state, encrypted; nobody types them."""

    generation: NeurmaticGenerations = NeurmaticGenerations()
    """Which version of each is in use."""


class NeuropilotCredentials(CredentialsSettings):
    """Generated secrets. Their values live in the state, encrypted; nobody types them."""

    generation: NeuropilotGenerations = NeuropilotGenerations()
    """Which version of each is in use."""


# Whose age nobody but their owner knows, besides the secrets that are configured.
OWNERS_OWN = ("deploy_key", *(f"deploy_key_{number}" for number in range(2, 11)), "backup_encryption_key", "escrow_key")


def days_have_names(secrets: Iterable[str]) -> Callable[[CredentialsSettings], Iterable[Mistake]]:
    """A day that belongs to nothing would be taken for one that is noted."""
    known = {*OWNERS_OWN, *secrets}

    def check(credentials: CredentialsSettings) -> Iterable[Mistake]:
        for name in credentials.since:
            if name not in known:
                yield Mistake(("credentials", "since", name), unknown_key(name, known))

    return check
