"""What NeuroPilot puts on its server: the same scripts, told of another database, another seal and another place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components.backup.onhost.settings import Address, Drive, Gpg, Guarded, read
from components.host.items import File, Package, Unit
from components.settings import SettingsError, parse
from neuropilot.server import items
from neuropilot.settings import NeuropilotSettings
from ops.stackfile import read as read_stack

FOLDER = Path(__file__).resolve().parents[3] / "neuropilot"
SCRIPTS = "/opt/neurmatic/infrastructure/scripts"
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
HOST = {
    "address": "192.0.2.20",
    "ipv4": "192.0.2.20",
    "ssh": {"host_key": SSH_KEY},
    "deploy": {"keys": [SSH_KEY]},
}
# Made for this test alone: its private half was thrown away.
FINGERPRINT = "778330F3B71B1C4007A49C612A4E165A3E09006E"
KEY = """-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawI9CBYJKwYBBAHaRw8BAQdAsIaNkkAQElcPm7SMxkxp/kceXTITNng6o/KO
4ixfky20BmEgdGVzdIiQBBMWCAA4FiEEd4Mw87cbHEAHpJxhKk4WWj4JAG4FAmsC
PQgCGwEFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQKk4WWj4JAG7RlQEAyPCU
+T4ZHiNgU7PnKv0IMACA6OI1/rHn5nF5cO/CvzcBAOgJNeqhjIbVf+OBtlVr5nBY
yTP3tgZOFEcizE+KpAQEuDgEawI9CBIKKwYBBAGXVQEFAQEHQB3onESXJNzurNXy
+GHDVBdxXvfvcqy2MMmb9BlhlJgwAwEIB4h4BBgWCAAgFiEEd4Mw87cbHEAHpJxh
Kk4WWj4JAG4FAmsCPQgCGwwACgkQKk4WWj4JAG6VQgD9EYIN6acK/rwiPv2sLwSC
An0D7RhJmVccnP9agdzcE54BAK9SDWhVbskdvJ3nUQ5n8Xnf646zJxQw7UzZalPn
lHgH
=bMnl
-----END PGP PUBLIC KEY BLOCK-----
"""


def data(folder: Path, **backup: Any) -> dict[str, Any]:
    config = read_stack(FOLDER / "Pulumi.production.yaml").data["config"]
    plain = {key.partition(":")[2]: value for key, value in config.items() if key.startswith("neuropilot:")}
    key = folder / "key.asc"
    key.write_text(KEY)
    given = {**plain["backup"], "public_key": str(key), "encrypt_to": FINGERPRINT, **backup}
    return {**plain, "host": HOST, "backup": given}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    wanted = items(parse(NeuropilotSettings, data(tmp_path), rehearsal=True))
    return {item.path: item.content or "" for item in wanted if isinstance(item, File)}


def test_the_scripts_read_what_they_are_told(files: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "backup.json"
    path.write_text(files[f"{SCRIPTS}/backup.json"])
    told = read(path)
    assert (told.system, told.database, told.user) == ("neuropilot", "neuropilot_inventory", "backup_user")
    assert isinstance(told.address, Address)
    assert (told.address.ssl_mode, told.address.image) == ("verify-full", "postgres:17-alpine")
    assert told.address.authority == "/etc/ssl/certs/ca-certificates.crt"
    assert isinstance(told.drive, Drive)
    assert (told.drive.remote, told.drive.kept) == ("onedrive:neuropilot-backups", 30)
    assert told.gpg == Gpg(FINGERPRINT, f"{SCRIPTS}/backup-key.asc")
    assert files[f"{SCRIPTS}/backup-key.asc"].startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----")
    assert isinstance(told.guarded, Guarded)
    assert (told.guarded.log, len(told.guarded.tables)) == ("audit_log", 7)
    assert (told.max_age, told.sealed) == (36 * 3600, True)
    assert not set(json.loads(path.read_text())) - set(type(told).__dataclass_fields__)


def test_it_has_what_it_needs_and_no_secret(tmp_path: Path) -> None:
    wanted = items(parse(NeuropilotSettings, data(tmp_path), rehearsal=True))
    assert {"gpg", "gpg-agent", "rclone", "pigz"} <= {item.name for item in wanted if isinstance(item, Package)}
    timers = {item.name for item in wanted if isinstance(item, Unit)}
    assert timers == {f"neuropilot-backup{each}.timer" for each in ("", "-drill", "-watch")}
    scripts = {item.path.rpartition("/")[2] for item in wanted if isinstance(item, File) and item.mode == "0755"}
    assert scripts == {"backup.sh", "restore.sh", "database.sh", "notify"}
    assert not [item for item in wanted if isinstance(item, File) and "/secrets/" in item.path]


def test_without_a_server_there_is_nothing_to_put_anywhere() -> None:
    config = read_stack(FOLDER / "Pulumi.production.yaml").data["config"]
    plain = {key.partition(":")[2]: value for key, value in config.items() if key.startswith("neuropilot:")}
    assert items(parse(NeuropilotSettings, plain, rehearsal=True)) == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encrypt_to": "A" * 40}, f"is the key {FINGERPRINT}, and encrypt_to names {'A' * 40}"),
        ({"public_key": "nothing-there.asc"}, "there is no such file"),
        ({"public_key": "Pulumi.yaml"}, "it is no public key in ASCII armor"),
        ({"public_key": "../key.asc"}, "allowed is a file"),
    ],
)
def test_a_key_that_will_not_do_is_refused_before_anything_is_made(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        parse(NeuropilotSettings, data(tmp_path, **changes), rehearsal=True)


def test_a_private_authority_is_brought_along(tmp_path: Path) -> None:
    given = data(tmp_path)
    given["backup"]["database"] = {**given["backup"]["database"], "authority": str(tmp_path / "key.asc")}
    with pytest.raises(SettingsError, match="a file of certificates in PEM"):
        parse(NeuropilotSettings, given, rehearsal=True)
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n")
    given["backup"]["database"]["authority"] = str(tmp_path / "ca.pem")
    wanted = items(parse(NeuropilotSettings, given, rehearsal=True))
    assert f"{SCRIPTS}/backup-authority.pem" in {item.path for item in wanted if isinstance(item, File)}
