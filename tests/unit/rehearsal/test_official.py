"""PLUGINS=official: what is asked of the engine, where the plugins are turned to, and what they cannot reach."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from rehearsal import RehearsalError, official, stackfile
from rehearsal.clouds import servers
from rehearsal.workspace import ROOT, Workspace

# Stands where `pulumi` is: notes how it was called, and makes what an installation leaves behind.
PULUMI = """#!/bin/sh
echo "$@" >> "$PULUMI_HOME/calls"
[ "$4" = "$FAILING" ] && { echo "error: no such host" >&2; exit 1; }
mkdir -p "$PULUMI_HOME/plugins/resource-$4-v$5" && touch "$PULUMI_HOME/plugins/resource-$4-v$5/pulumi-resource-$4"
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pulumi").write_text(PULUMI)
    (tmp_path / "bin" / "pulumi").chmod(0o755)
    return {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "PULUMI_HOME": str(tmp_path / "home"), "FAILING": ""}


def calls(environment: dict[str, str]) -> list[str]:
    return (Path(environment["PULUMI_HOME"]) / "calls").read_text().splitlines()


def test_each_is_installed_once_in_the_version_of_its_sdk(environment: dict[str, str], tmp_path: Path) -> None:
    for _ in range(2):
        official.install(tmp_path / "home", "file:///state", environment)
    versions = {name: importlib.metadata.version(f"pulumi-{name}") for name in official.NAMES}
    assert calls(environment) == [f"plugin install resource {name} {version}" for name, version in versions.items()]


def test_without_the_internet_it_says_what_to_do(environment: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(RehearsalError, match=r"docker .* could not be installed .*no such host.* needs the internet"):
        official.install(tmp_path / "home", "file:///state", {**environment, "FAILING": "docker"})


@pytest.mark.parametrize(("value", "answer"), [("", False), ("stand-in", False), ("official", True)])
def test_one_setting_decides(value: str, answer: bool) -> None:
    assert official.wanted({"PLUGINS": value}) is answer


def test_another_value_is_refused() -> None:
    with pytest.raises(RehearsalError, match="PLUGINS is 'oficial'"):
        official.wanted({"PLUGINS": "oficial"})


def test_they_are_turned_to_the_emulated_clouds_and_see_no_credential_of_anybody(tmp_path: Path) -> None:
    clouds = servers.start(tmp_path / "clouds")
    servers.stop(tmp_path / "clouds")
    found = official.endpoints(clouds)
    assert found["AWS_ENDPOINT_URL"] == clouds.aws
    assert found["CLOUDFLARE_BASE_URL"] == clouds.cloudflare
    assert (found["AWS_ACCESS_KEY_ID"], found["CLOUDFLARE_API_TOKEN"]) == (clouds.aws_key, clouds.cloudflare_token)
    assert all(urlsplit(url).hostname == "127.0.0.1" for key, url in found.items() if key.endswith("URL"))
    assert found["AWS_CONFIG_FILE"] == found["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"


def test_they_and_the_stand_ins_live_apart() -> None:
    assert Workspace(ROOT, "x").home != Workspace(ROOT, "x", official=True).home


def test_without_a_machine_they_have_no_server_to_reach() -> None:
    text = (ROOT / "Pulumi.production.yaml").read_text()
    config = yaml.safe_load(stackfile.rehearse(text, "neurmatic", stackfile.NO_SERVER))["config"]
    assert config["neurmatic:host"]["address"].endswith(".invalid")
