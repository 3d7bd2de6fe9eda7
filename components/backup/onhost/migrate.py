"""The migrations of the release that runs, on a restored database before it takes the live one's place."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from components.backup.onhost import process
from components.backup.onhost.problem import BackupError
from components.backup.onhost.settings import Migration, Settings

ENVIRONMENT = "environment"


def migrate(settings: Settings, database: str) -> bool:
    """False: no backend runs here, so there is no release whose migrations could be missing."""
    how = settings.migration
    image = running_image() if how else ""
    if how is None or not image:
        return False
    text = Path(how.secrets, ENVIRONMENT).read_text()
    with tempfile.TemporaryDirectory(dir="/run") as folder:
        Path(folder).chmod(0o711)
        file = Path(folder) / ENVIRONMENT
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT, 0o400)
        user, _, group = how.user.partition(":")
        os.fchown(descriptor, int(user), int(group or user))
        with os.fdopen(descriptor, "w") as handle:
            handle.write(for_database(text, settings.database, database))
        process.run(command(how, image, file), "The migrations")
    return True


def running_image() -> str:
    """Of what runs, not of what the settings name: a rollback may have changed it."""
    argv = ["docker", "ps", "--quiet", "--filter", "label=service=backend"]
    containers = process.run(argv, "Docker on this server").decode().split()
    if not containers:
        return ""
    return process.run(["docker", "inspect", "--format", "{{.Image}}", containers[0]], "The backend").decode().strip()


def for_database(text: str, live: str, other: str) -> str:
    """The same variables, but for the database's name in the addresses of the primary."""
    lines = [
        line.replace(f"/{live}?", f"/{other}?") if line.startswith("DATABASE_URL=") else line
        for line in text.splitlines()
    ]
    if f"/{other}?" not in "\n".join(lines):
        raise BackupError(f"The backend's DATABASE_URL does not name the database {live}: the migrations cannot run.")
    return "\n".join([*lines, ""])


def command(how: Migration, image: str, file: Path) -> list[str]:
    """As the program runs it: components/containers/migration.py."""
    fence = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", how.user]
    place = ["--network", how.network, "--volume", f"{file}:{how.mounted}/{ENVIRONMENT}:ro"]
    size = ["--memory", f"{how.memory}m", "--cpus", f"{how.cpus:g}", "--tmpfs", "/tmp"]  # noqa: S108 (in the container)
    shell, *words = how.entrypoint
    return ["docker", "run", "--rm", *fence, *place, *size, "--entrypoint", shell, image, *words, *how.command]
