"""A database elsewhere: PostgreSQL's own clients of its version, in a container that lives as long as a job.

The container is told the address, never the password: that is a file, mounted for libpq to read. So whatever runs in it
(`docker exec ... psql -d NAME`) reaches that server, encrypted, without a word of it on a command line.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from components.backup.onhost import process
from components.backup.onhost.database import Server
from components.backup.onhost.engine import Live
from components.backup.onhost.problem import BackupError
from components.backup.onhost.settings import Address, Settings

LABEL = "neurmatic.backup.clients"
PASSWORD, AUTHORITY = "/run/pgpass", "/run/authority.pem"
MODES = ("require", "verify-ca", "verify-full")
PULL_SECONDS, ANSWER_SECONDS = 900, 30
# What libpq says, and what it means for whoever reads it at night.
CAUSES = (
    ("password authentication failed", "Has the password been changed by hand? `./infra database --repair`."),
    ("certificate verify failed", "Its certificate is signed by nobody that backup.database.authority names."),
    ("does not match host name", "Its certificate is for another name than backup.database.host."),
    ("does not support SSL", "It speaks no TLS, and nothing is sent without."),
    ("could not translate host name", "The name does not resolve: compare backup.database.host."),
    ("Connection refused", "Nothing listens there: compare backup.database.host and port."),
    ("timeout expired", "It does not answer: may this server reach it (the database's own list of addresses)?"),
)


@dataclass(frozen=True)
class Login:
    """From a postgresql:// address: where, as whom, and to which database."""

    address: Address
    database: str
    password: str


def login(text: str, like: Address) -> Login:
    """Whoever gives an address gives a password; TLS stays at least what the settings ask for."""
    parts = urlsplit(text.strip())
    try:
        port = parts.port or 5432
    except ValueError:
        port = 0
    database = unquote(parts.path.lstrip("/"))
    if parts.scheme not in ("postgresql", "postgres") or not (parts.hostname and parts.username and port and database):
        raise BackupError(
            "The address is none of a database: postgresql:// with role, password, host and database is wanted."
        )
    asked = parse_qs(parts.query).get("sslmode", [like.ssl_mode])[-1]
    stronger = MODES[max(MODES.index(each) for each in (asked, like.ssl_mode) if each in MODES)]
    there = replace(like, host=parts.hostname, port=port, user=unquote(parts.username), ssl_mode=stronger)
    return Login(there, database, unquote(parts.password or ""))


@contextlib.contextmanager
def logged_in(given: Login, owner: str) -> Iterator[tuple[Server, Live]]:
    """With a password that lies in memory while the block runs."""
    folder = "/run" if os.access("/run", os.W_OK) else None
    with tempfile.NamedTemporaryFile("w", dir=folder, prefix="infra-pgpass-") as file:
        file.write(pgpass(given.address, given.password))
        file.flush()
        with clients(replace(given.address, password=file.name), owner) as there:
            yield there


def pgpass(address: Address, password: str) -> str:
    words = (address.host, str(address.port), "*", address.user, password)
    return ":".join(re.sub(r"([\\:])", r"\\\1", word) if word != "*" else word for word in words) + "\n"


@contextlib.contextmanager
def clients(address: Address, owner: str) -> Iterator[tuple[Server, Live]]:
    """`owner`: whose jobs these are; what a killed one of them left behind goes first."""
    for path in (address.password, address.authority):
        if not Path(path).is_file():
            raise BackupError(f"There is no file {path}: `./infra up` writes it.")
    sweep(owner)
    pull(address.image)
    container = process.run(_command(address, owner), "The database's clients").decode().strip()
    try:
        server = Server(container, address.user)
        yield server, Live(*_about(container, address.image), running=True, superuser="postgres")
    finally:
        _remove(container)


def pull(image: str) -> None:
    if not process.run(["docker", "image", "ls", "--quiet", image], "Docker on this server").strip():
        process.run(["docker", "pull", "--quiet", image], f"The image {image}", seconds=PULL_SECONDS)


def _command(address: Address, owner: str) -> list[str]:
    variables = {
        "PGHOST": address.host,
        "PGPORT": str(address.port),
        "PGSSLMODE": address.ssl_mode,
        # With `require` libpq would look at it as well, and refuse what it does not know.
        **({"PGSSLROOTCERT": AUTHORITY} if address.ssl_mode != "require" else {}),
        "PGPASSFILE": PASSWORD,
        "PGCONNECT_TIMEOUT": str(ANSWER_SECONDS),
    }
    # Root in it is nobody: without capabilities it reads its own files, such as the password, and that is all.
    fence = ["--user", "0:0", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    size = ["--memory", f"{address.memory}m", "--memory-swap", f"{address.memory}m", "--tmpfs", "/tmp"]  # noqa: S108
    place = ["--network", "host", "--volume", f"{address.password}:{PASSWORD}:ro"]
    place += ["--volume", f"{address.authority}:{AUTHORITY}:ro"]
    given = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    run = ["docker", "run", "--detach", "--rm", "--init", "--label", f"{LABEL}={owner}"]
    return [*run, *fence, *size, *place, *given, "--entrypoint", "tail", address.image, "-f", "/dev/null"]


def _about(container: str, image: str) -> tuple[str, str]:
    """The image's id, and whom its server runs as."""
    ask = ["docker", "exec", container, "sh", "-c", "echo $(id -u postgres):$(id -g postgres)"]
    found = process.run(ask, f"The image {image}").decode().strip()
    if not re.fullmatch(r"\d+:\d+", found):
        raise BackupError(f"{image} has no user postgres: backup.database.image has to be an image of PostgreSQL.")
    identity = process.run(["docker", "image", "inspect", "--format", "{{.Id}}", image], f"The image {image}")
    return identity.decode().strip(), found


def same_major(server: Server, database: str, image: str) -> int:
    """The server's major version, which has to be its clients': another one's dumps are another one's."""
    there, ours = int(reached(server, database, "SHOW server_version_num")) // 10000, own_major(server)
    if ours != there:
        raise BackupError(
            f"The database is PostgreSQL {there}, and {image} is {ours}: set backup.database.image to one of {there}."
        )
    return there


def own_major(server: Server) -> int:
    """Of the clients, which need no server for that."""
    said = process.run(["docker", "exec", server.container, "pg_dump", "--version"], "The database's clients").decode()
    found = re.search(r"(\d+)(?:\.\d+|[a-z]+\d+)", said)
    return int(found[1]) if found else 0


def reached(server: Server, database: str, sql: str) -> str:
    """The first question: here a server that cannot be reached is told from one that refuses."""
    try:
        return server.ask(database, sql)
    except BackupError as error:
        hint = next((hint for words, hint in CAUSES if words in str(error)), "")
        raise BackupError(f"{error}{f' {hint}' if hint else ''}") from None


def owner_of(settings: Settings) -> str:
    return settings.scratch


def sweep(owner: str) -> None:
    listed = process.run(
        ["docker", "ps", "--all", "--quiet", "--filter", f"label={LABEL}={owner}"], "Docker on this server"
    )
    for container in listed.decode().split():
        _remove(container)


def _remove(container: str) -> None:
    with contextlib.suppress(BackupError):
        process.run(["docker", "rm", "--force", "--volumes", container], "The database's clients")
