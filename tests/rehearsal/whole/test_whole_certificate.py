"""The certificate of a whole stack: Cloudflare's from the first `up`, and another issuer's with the next one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rehearsal.load import asking
from rehearsal.sinks.acme import NAME, start_acme
from rehearsal.sinks.place import Place
from rehearsal.stackfile import laid_over
from rehearsal.whole import INSTALLED, WholeStack

pytestmark = [pytest.mark.rehearsal, pytest.mark.engine, pytest.mark.slow]
NAMES = ["api.neurmatic.com", "neurmatic.com", "www.neurmatic.com"]


def status(whole: WholeStack) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(whole.machine.ssh(f"{INSTALLED}/scripts/certificate-status").stdout)
    return found


def test_the_last_step_of_an_up_is_the_certificate(whole: WholeStack) -> None:
    found = status(whole)
    assert sorted(found["names"]) == NAMES
    assert found["issuer"].startswith("CN=Rehearsal Origin CA")
    assert found["self_signed"] is False
    assert 700 < found["days_left"] < 731
    key = whole.machine.ssh(f"sudo stat -L -c '%a %u' {INSTALLED}/nginx/tls/privkey.pem").stdout
    assert key == "400 101\n"
    assert whole.machine.ssh("sudo systemctl start neurmatic-certificate.service").returncode == 0
    assert status(whole) == found


@pytest.mark.long
def test_another_issuer_is_one_up_and_nobody_notices(whole: WholeStack, tmp_path: Path) -> None:
    gateway = whole.machine.address.rpartition(".")[0] + ".1"
    acme = start_acme(tmp_path, Place(gateway), points_to=whole.machine.address)
    containers, settings = whole.containers().keys(), whole.settings
    certified = "sudo tee /usr/local/share/ca-certificates/rehearsal.crt >/dev/null && sudo update-ca-certificates"
    whole.machine.ssh(certified, stdin=acme.root.decode())
    whole.machine.ssh(f"echo {gateway} {NAME} | sudo tee -a /etc/hosts >/dev/null")
    try:
        chosen = {"issuer": "lets_encrypt_http01", "directory": acme.named_directory}
        whole.settings = laid_over(settings, {"neurmatic:containers": {"certificates": chosen}})
        target = whole.target()
        believing = replace(target, trusted=target.trusted + acme.issuing_root.decode())
        with asking(believing, "issuer") as seen:
            done = whole.pulumi("up", "--yes", "--skip-preview")
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr
            assert "WARNING" not in done.stdout
            found = status(whole)
    finally:
        acme.stop()
        whole.settings = settings
        back = whole.pulumi("up", "--yes", "--skip-preview")
    assert back.returncode == 0, back.stdout[-3000:] + back.stderr
    assert found["issuer"].startswith("CN=Pebble Intermediate")
    assert not seen.failed
    assert whole.containers().keys() == containers
