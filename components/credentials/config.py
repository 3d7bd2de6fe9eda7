"""The `credentials` section: how long generated secrets are and how old they may get."""

from typing import Annotated

from components.leaves import whole
from components.section import Section
from components.values import Days


class CredentialsSettings(Section):
    """Generated secrets. Their values live in the state, encrypted; nobody types them."""

    length: Annotated[int, whole(64, 256)] = 64
    """Characters of each generated secret."""
    password_age: Days = 90
    """When a database or Redis password is due for rotation."""
    jwt_age: Days = 90
    """When a signing secret (JWT, session) is due: quarterly."""
    warn_before: Days = 14
    """How long before it is due a credential is reported."""
