"""Which certificate of the old nginx is taken along, and which is not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components.containers.onhost.takeover.certificate import CHAIN, KEY, carry_over, first_pair
from components.containers.onhost.takeover.docker import Docker
from components.containers.onhost.takeover.problem import TakeoverError

NGINX: dict[str, Any] = {"Id": "n", "Config": {"Cmd": ["nginx", "-c", "/etc/x.conf", "-g", "daemon off;"]}}
TEXT = """
# ssl_certificate /none.pem;
server { ssl_certificate $variable; }
server {
    ssl_certificate     /tls/chain.pem;
    ssl_certificate_key "/tls/key.pem";
}
"""


class Answering(Docker):
    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    def ask(self, which: str, *words: str) -> str:
        if words == ("nginx", "-T", "-c", "/etc/x.conf"):
            return TEXT
        if words[0] == "cat" and words[1] in self.files:
            return self.files[words[1]]
        raise TakeoverError("no such file")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    at = tmp_path_factory.mktemp("pair")
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=x", "-addext", "subjectAltName=DNS:api.neurmatic.com", "-days", "2"]
    subprocess.run([*make, *names, "-keyout", at / "k", "-out", at / "c"], check=True, capture_output=True)
    return {"/tls/chain.pem": (at / "c").read_text(), "/tls/key.pem": (at / "k").read_text()}


def test_it_serves_until_another_comes(tmp_path: Path, pair: dict[str, str]) -> None:
    folder = tmp_path / "nginx/tls"
    assert carry_over(Answering(pair), NGINX, folder, "api.neurmatic.com", os.getuid())
    assert (folder / CHAIN).read_text() == pair["/tls/chain.pem"]
    assert (folder / KEY).stat().st_mode & 0o777 == 0o400


def test_one_that_is_there_stays(tmp_path: Path, pair: dict[str, str]) -> None:
    (tmp_path / CHAIN).write_text("ours")
    assert carry_over(Answering(pair), NGINX, tmp_path, "api.neurmatic.com", os.getuid())
    assert (tmp_path / CHAIN).read_text() == "ours"


@pytest.mark.parametrize("name", ["www.neurmatic.com", "com"])
def test_one_for_another_name_is_left_where_it_is(tmp_path: Path, pair: dict[str, str], name: str) -> None:
    assert not carry_over(Answering(pair), NGINX, tmp_path, name, os.getuid())
    assert list(tmp_path.iterdir()) == []


def test_one_that_nobody_can_read_is_none(tmp_path: Path) -> None:
    assert not carry_over(Answering({}), NGINX, tmp_path, "api.neurmatic.com", os.getuid())
    assert first_pair("server { listen 80; }") is None
