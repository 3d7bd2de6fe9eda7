"""Commands on hosts: to the right machine, and nothing secret on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .frame import UNJUDGED, About, Finding, Resource, Rule

REMOTE = ("command:remote:Command", "command:remote:CopyToRemote", "command:remote:CopyFile")
COMMANDS = ("command:remote:Command", "command:local:Command")
TEXTS = ("create", "update", "delete")

PIPE_TO_SHELL = re.compile(r"\b(curl|wget)\b[^|;&\n]*\|\s*(sudo\s+)?(ba|da|z)?sh\b")
SECRET_IN_COMMAND = re.compile(
    r"(AKIA[0-9A-Z]{16}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}"
    r"|\b(PGPASSWORD|REDISCLI_AUTH|AWS_SECRET_ACCESS_KEY|[A-Z_]*(PASSWORD|TOKEN|SECRET))=[^\s$\"'{]"
    r"|://[^/\s:@]+:[^/\s@$]+@)"
)


def host_key_is_unchecked(resource: Resource) -> Iterator[Finding]:
    if resource.read("connection") is UNJUDGED:
        return
    if not resource.read("connection.hostKey"):
        yield Finding("connection.hostKey", "any machine that answers at the address would be trusted.")


def pipes_the_internet_into_a_shell(resource: Resource) -> Iterator[Finding]:
    for name in TEXTS:
        text = resource.read(name)
        if isinstance(text, str) and PIPE_TO_SHELL.search(text):
            yield Finding(name, "a download would be run without anyone having seen it.")


def carries_a_secret(resource: Resource) -> Iterator[Finding]:
    for name in TEXTS:
        text = resource.read(name)
        if isinstance(text, str) and SECRET_IN_COMMAND.search(text):
            yield Finding(name, "a secret would stand in the command, and so in the process list and in logs.")


RULES = [
    Rule(
        About(
            "hosts-host-key",
            "pulumi-command checks no host key unless it is told one: whoever answers gets the commands.",
            "Set connection.hostKey to the machine's public host key.",
            frameworks=("pulumi-command#755",),
        ),
        REMOTE,
        host_key_is_unchecked,
    ),
    Rule(
        About(
            "hosts-no-pipe-to-shell",
            "curl | sh runs whatever the server answers today, half a download included.",
            "Install a package, or download to a file, check its SHA-256, then run it.",
            frameworks=("OWASP A08",),
        ),
        COMMANDS,
        pipes_the_internet_into_a_shell,
    ),
    Rule(
        About(
            "hosts-no-secret-in-command",
            "A command line is readable by every user of the host and is printed in previews.",
            "Give secrets by stdin, and set logging to none.",
            frameworks=("pulumi-command#260", "CWE-214"),
        ),
        COMMANDS,
        carries_a_secret,
    ),
]
