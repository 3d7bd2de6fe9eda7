"""sslyze, which knows how TLS servers fail, against the nginx that ships."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from nginx_stage import API, NginxStage

pytestmark = pytest.mark.rehearsal

ROOT = Path(__file__).resolve().parents[3]
LOCKED = ROOT / "requirements-scan.txt"
GOOD: dict[str, dict[str, object]] = {
    "tls_compression": {"supports_compression": False},
    "openssl_ccs_injection": {"is_vulnerable_to_ccs_injection": False},
    "heartbleed": {"is_vulnerable_to_heartbleed": False},
    "robot": {"robot_result": "NOT_VULNERABLE_RSA_NOT_SUPPORTED"},
    "tls_fallback_scsv": {"supports_fallback_scsv": True},
    "tls_extended_master_secret": {"supports_ems_extension": True},
    "tls_1_3_early_data": {"supports_early_data": False},
    "session_renegotiation": {
        "supports_secure_renegotiation": True,
        "is_vulnerable_to_client_renegotiation_dos": False,
    },
}
SCANS = ("--early_data", "--mozilla_config", "intermediate")


def scan(stage: NginxStage, folder: Path) -> dict[str, Mapping[str, Any]]:
    """In an environment of its own: sslyze wants older libraries than the program has."""
    uv = [str(Path(sys.executable).with_name("uv")), "run", "--no-project", "--isolated", "--python", sys.executable]
    report = folder / "sslyze.json"
    what = [*SCANS, "--quiet", "--json_out", str(report), "--sni", API, f"127.0.0.1:{stage.nginx.published(443)}"]
    done = subprocess.run(
        [*uv, "--with-requirements", str(LOCKED), "sslyze", *what],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert report.is_file(), done.stderr + done.stdout
    parts = json.loads(report.read_text())["server_scan_results"][0]["scan_result"]
    return {name: part["result"] for name, part in parts.items() if part["status"] == "COMPLETED"}


def faults(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for version in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"):
        if found[f"{version}_cipher_suites"]["is_tls_version_supported"]:
            yield f"{version} is spoken"
    for suite in found["tls_1_2_cipher_suites"]["accepted_cipher_suites"]:
        name = suite["cipher_suite"]["name"]
        if not name.startswith("TLS_ECDHE_") or "_CBC_" in name:
            yield f"{name} is accepted"
    for part, wanted in GOOD.items():
        yield from (
            f"{part}: {key} is {found[part][key]}" for key, value in wanted.items() if found[part][key] != value
        )


def test_sslyze_finds_nothing_to_say(behind: NginxStage, tmp_path: Path) -> None:
    found = scan(behind, tmp_path)
    assert [*faults(found)] == []
    assert found["tls_1_2_cipher_suites"]["accepted_cipher_suites"]
    assert found["tls_1_3_cipher_suites"]["accepted_cipher_suites"]


def test_sslyze_would_find_a_weak_suite(behind: NginxStage, tmp_path: Path) -> None:
    file = behind.folder / "conf" / "nginx.conf"
    shipped = file.read_text()
    try:
        file.write_text(shipped.replace("ssl_ciphers ", "ssl_ciphers ECDHE-ECDSA-AES128-SHA:"))
        behind.reload()
        assert [*faults(scan(behind, tmp_path))] == ["TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA is accepted"]
    finally:
        file.write_text(shipped)
        behind.reload()
