"""gixy, which knows nginx's traps, judges the configuration as it ships."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from test_nginx_configuration import SERVING, origin

from components.containers.nginx.main import configuration

GIXY = Path(sys.executable).with_name("gixy")


def judged(folder: Path, files: dict[str, str]) -> set[str]:
    for name, text in files.items():
        (folder / name).write_text(text)
    done = subprocess.run(
        [GIXY, "--format", "json", folder / "nginx.conf"], capture_output=True, text=True, check=False
    )
    return {finding["plugin"] for finding in json.loads(done.stdout)}


@pytest.mark.parametrize("version", ["1.22.1", "1.27.4"])
def test_gixy_finds_nothing(tmp_path: Path, version: str) -> None:
    assert judged(tmp_path, configuration(origin(at_least=version), SERVING)) == set()


@pytest.mark.parametrize(
    ("right", "wrong", "plugin"),
    [
        ("Host $host", "Host $http_host", "host_spoofing"),
        ("neurmatic.com$request_uri", "neurmatic.com$uri", "http_splitting"),
        ("TLSv1.2", "TLSv1 TLSv1.2", "weak_ssl_tls"),
        ("server_tokens off;", "", "version_disclosure"),
    ],
)
def test_gixy_would_find_it(tmp_path: Path, right: str, wrong: str, plugin: str) -> None:
    files = {name: text.replace(right, wrong) for name, text in configuration(origin(), SERVING).items()}
    assert plugin in judged(tmp_path, files)
