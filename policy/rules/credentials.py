"""Credentials are long enough that nobody guesses them."""

from __future__ import annotations

from collections.abc import Iterator

from .frame import UNJUDGED, About, Finding, Resource, Rule

MINIMUM_LENGTH = 32
PASSWORD = "random:index/randomPassword:RandomPassword"  # noqa: S105


def password_is_short(resource: Resource) -> Iterator[Finding]:
    length = resource.read("length", default=0)
    if length is not UNJUDGED and length < MINIMUM_LENGTH:
        yield Finding("length", f"it is shorter than {MINIMUM_LENGTH} characters.")


RULES = [
    Rule(
        About(
            "credentials-length",
            "A generated password costs nothing to be long, and a short one can be searched for.",
            f"Ask for {MINIMUM_LENGTH} characters or more (this project's own are 64).",
            frameworks=("OWASP ASVS 2.1",),
        ),
        (PASSWORD,),
        password_is_short,
    ),
]
