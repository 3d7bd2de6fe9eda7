"""Pebble as certbot sees it: a certificate for who answers the challenge, none for who does not."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from rehearsal.sinks.acme import Acme, start_acme
from rehearsal.sinks.tls import Authority

pytestmark = pytest.mark.rehearsal

NAMES = ("neurmatic.com", "www.neurmatic.com", "api.neurmatic.com")
CERTBOT = str(Path(sys.executable).parent / "certbot")


@pytest.fixture(scope="module")
def http_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory, http_port: int) -> Iterator[Acme]:
    server = start_acme(tmp_path_factory.mktemp("acme"), http_port=http_port)
    yield server
    server.stop()


def certbot(
    acme: Acme, folder: Path, *options: str, names: tuple[str, ...] = NAMES
) -> subprocess.CompletedProcess[str]:
    (folder / "root.pem").write_bytes(acme.root)
    places = [part for kind in ("config", "work", "logs") for part in (f"--{kind}-dir", str(folder / kind))]
    domains = [part for name in names for part in ("--domain", name)]
    account = ("--agree-tos", "--email", "admin@neurmatic.com", "--no-eff-email", "--server", acme.directory)
    return subprocess.run(
        [CERTBOT, "certonly", "--non-interactive", *account, *places, *domains, *options],
        env={**os.environ, "REQUESTS_CA_BUNDLE": str(folder / "root.pem")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_http_01_gives_one_certificate_for_all_names(acme: Acme, http_port: int, tmp_path: Path) -> None:
    done = certbot(acme, tmp_path, "--standalone", "--http-01-port", str(http_port), "--http-01-address", "127.0.0.1")
    assert done.returncode == 0, done.stderr
    chain = x509.load_pem_x509_certificates((tmp_path / "config/live/neurmatic.com/fullchain.pem").read_bytes())
    alternatives = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(alternatives.get_values_for_type(x509.DNSName)) == set(NAMES)
    root = x509.load_pem_x509_certificate(acme.issuing_root)
    chain[0].verify_directly_issued_by(chain[1])
    chain[1].verify_directly_issued_by(root)


def test_who_does_not_answer_gets_none(acme: Acme, http_port: int, tmp_path: Path) -> None:
    """The name leads to another address, as it does before DNS is moved to a new server."""
    acme.point("elsewhere.neurmatic.com", "127.0.0.9")
    standalone = ("--standalone", "--http-01-port", str(http_port), "--http-01-address", "127.0.0.1")
    done = certbot(acme, tmp_path, *standalone, names=("elsewhere.neurmatic.com",))
    assert done.returncode != 0
    assert "127.0.0.9" in done.stdout + done.stderr
    assert not (tmp_path / "config/live").exists()


def test_dns_01_by_a_hook(acme: Acme, tmp_path: Path) -> None:
    hook = tmp_path / "hook.sh"
    management = f"http://127.0.0.1:{acme.ports.names_management}/set-txt"
    body = r"{\"host\": \"_acme-challenge.$CERTBOT_DOMAIN.\", \"value\": \"$CERTBOT_VALIDATION\"}"
    hook.write_text(f'#!/bin/sh\ncurl -sf -d "{body}" {management}\n')
    hook.chmod(0o755)
    options = ("--manual", "--preferred-challenges", "dns", "--manual-auth-hook", str(hook))
    assert certbot(acme, tmp_path, *options, names=("neurmatic.com",)).returncode == 0
    acme.clear_txt("_acme-challenge.neurmatic.com")


def test_a_client_that_does_not_trust_it_does_not_talk_to_it(acme: Acme, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(Authority().certificate)
    done = subprocess.run(
        ["curl", "-sS", "--cacert", str(tmp_path / "root.pem"), acme.directory],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (60, "")
