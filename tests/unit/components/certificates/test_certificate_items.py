"""What the server gets, as text."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.certificates.items import MAIN, Subject, items, modules, told
from components.containers.config import Certificates
from components.host.items import File, Package, Unit
from components.values import Issuer

NAMES = ("neurmatic.com", "www.neurmatic.com", "api.neurmatic.com")
ROOT = "/opt/neurmatic"


def subject(**given: Any) -> Subject:
    return Subject(Certificates(**given), NAMES, ROOT, "neurmatic-nginx-production", "101:101", "0" * 32)


def files(of: Subject) -> dict[str, str]:
    return {item.path: item.content or "" for item in items(of) if isinstance(item, File)}


def test_certbot_is_installed_where_an_authority_is_asked_and_nowhere_twice() -> None:
    assert Package("certbot") in items(subject())
    assert Package("certbot") not in items(subject(), ("git", "certbot"))
    assert Package("certbot") not in items(subject(issuer=Issuer.CLOUDFLARE_ORIGIN))
    keys = [item.key for item in items(subject())]
    assert len(keys) == len(set(keys))


def test_the_packages_own_timer_does_not_renew_as_well() -> None:
    units = {item.name: item for item in items(subject()) if isinstance(item, Unit)}
    assert (units["certbot.timer"].enabled, units["certbot.timer"].active) == ("disabled", False)
    assert (units["neurmatic-certificate.timer"].enabled, units["neurmatic-certificate.timer"].active) == (
        "enabled",
        True,
    )


def test_the_scripts_run_with_what_is_shipped_and_nothing_else(tmp_path: Path) -> None:
    """As on the server: isolated (-S: also from what is installed here), with the files of the items alone."""
    here = replace(subject(), root=str(tmp_path))
    for path, text in files(here).items():
        if path.startswith(str(tmp_path)):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(text)
    command = [sys.executable, "-IBS", f"{here.scripts}/certificate-status"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, json.loads(done.stdout)["names"]) == (1, [])
    assert "fullchain.pem cannot be read: [Errno 2]" in done.stderr
    assert not list(tmp_path.rglob("*.pyc"))


def test_what_is_shipped_needs_the_standard_library_alone() -> None:
    shipped = modules(MAIN)
    assert "components/containers/onhost/serve.py" in shipped
    assert all("/onhost/" in path for path in shipped)
    assert not [path for path, text in shipped.items() if "import pulumi" in text or "pydantic" in text]


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": Issuer.LETS_ENCRYPT_DNS01},
        {"directory": "https://acme-staging-v02.api.letsencrypt.org/directory"},
        {"email": "ops@neurmatic.com"},
        {"renew_before": 86400},
    ],
    ids=["issuer", "directory", "mail", "renew_before"],
)
def test_each_setting_is_another_first_try(change: dict[str, object]) -> None:
    assert told(subject(**change)) != told(subject())


def test_so_is_another_name() -> None:
    assert told(replace(subject(), names=(*NAMES, "shop.neurmatic.com"))) != told(subject())


def test_no_secret_is_in_what_everybody_may_read() -> None:
    document = json.loads(told(subject(issuer=Issuer.LETS_ENCRYPT_DNS01)))
    assert document["token"] == f"{ROOT}/infrastructure/secrets/certificates/cloudflare-token"
    assert document["nginx"] == f"{ROOT}/infrastructure/nginx"
