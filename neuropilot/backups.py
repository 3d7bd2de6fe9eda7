"""What the backups of NeuroPilot's database are told: where it is, whom they are sealed to, and where they go."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from components.backup import pgp
from components.backup.config import RcloneBackup
from components.backup.items import Runner
from components.host.config import HostSettings
from components.host.items import File, Item
from components.mistakes import Mistake

FOLDER = Path(__file__).resolve().parent
# What Debian and Ubuntu keep for everybody; the package is ca-certificates.
SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
PACKAGES = ("ca-certificates", "gpg", "gpg-agent", "pigz", "rclone")
VARIABLES = ("app.user_id", "app.role")
WORKING = "/var/lib/neurmatic/rclone.conf"


def runner(system: str, host: HostSettings, backup: RcloneBackup) -> Runner:
    database = backup.database
    return Runner(
        units=f"{system}-backup",
        root=host.root,
        data=host.data,
        packages=PACKAGES,
        settings=backup,
        verbs=("backup", "restore", "database"),
        told={
            "system": system,
            "database": database.name,
            "user": database.backup_role,
            "address": _address(host.root, backup),
            "drive": {
                "remote": backup.remote,
                "config": secret(host.root, "rclone.conf"),
                "working": WORKING,
                "kept": backup.kept,
            },
            "gpg": {"fingerprint": backup.encrypt_to, "key": public(host.root, "key.asc")},
            "guarded": {
                "tables": list(database.core_tables),
                "log": database.audit_table,
                "variables": list(VARIABLES),
                "app": database.app_role,
                "migrator": database.migrator_role,
            },
        },
    )


def _address(root: str, backup: RcloneBackup) -> dict[str, Any]:
    database = backup.database
    return {
        "host": database.host,
        "port": database.port,
        "user": database.backup_role,
        "ssl_mode": database.ssl_mode,
        "authority": public(root, "authority.pem") if database.authority else SYSTEM_AUTHORITIES,
        "password": secret(root, "pgpass"),
        "image": str(database.image),
    }


def secret(root: str, name: str) -> str:
    return f"{root}/infrastructure/secrets/backup/{name}"


def public(root: str, name: str) -> str:
    return f"{root}/infrastructure/scripts/backup-{name}"


def files(root: str, backup: RcloneBackup) -> tuple[Item, ...]:
    """What is committed and has to be on the runner as well."""
    given = {"key.asc": backup.public_key, "authority.pem": backup.database.authority}
    return tuple(File(public(root, name), (FOLDER / path).read_text()) for name, path in given.items() if path)


def key_fits(host: HostSettings | None, backup: RcloneBackup) -> Iterable[Mistake]:
    """Without a server nobody needs it."""
    if host is None:
        return
    path, about = ("backup", "public_key"), (("backup", "encrypt_to"), ("host",))
    try:
        key = pgp.read((FOLDER / backup.public_key).read_text())
    except (OSError, UnicodeDecodeError):
        text = "there is no such file: export it with `gpg --armor --export FINGERPRINT`, and commit it"
        yield Mistake(path, f'given "{backup.public_key}"; {text}', about=about)
        return
    except pgp.KeyFileError as error:
        yield Mistake(path, f'given "{backup.public_key}"; {error}', about=about)
        return
    if key.fingerprint != backup.encrypt_to:
        text = f'"{backup.public_key}" is the key {key.fingerprint}, and encrypt_to names {backup.encrypt_to}'
        yield Mistake(path, f"{text}: backups are sealed to no other", about=about)
    if not key.strong:
        yield Mistake(path, f'"{backup.public_key}" is {key.kind}; allowed is RSA {pgp.BITS} or more, or curve 25519')


def authority_is_there(host: HostSettings | None, backup: RcloneBackup) -> Iterable[Mistake]:
    given = backup.database.authority
    if host is None or given is None:
        return
    file = FOLDER / given
    if not file.is_file() or "-----BEGIN CERTIFICATE-----" not in file.read_text(errors="replace"):
        yield Mistake(("backup", "database", "authority"), f'given "{given}"; allowed is a file of certificates in PEM')
