"""Who is served, and with which settings: a rehearsal only, with a rehearsal's values only."""

import json
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Opened
from plugin_driver import BACKEND
from pulumi.runtime.proto import provider_pb2

from rehearsal.offline.install import PLUGINS, install
from rehearsal.offline.plugins import wire
from rehearsal.offline.plugins.launcher import ours


def config_failures(driver: Any, **settings: Any) -> list[str]:
    request = provider_pb2.CheckRequest(urn="urn:pulumi:s::p::pulumi:providers:x::x", news=wire.encode(settings))
    return [failure.reason for failure in driver.stub.CheckConfig(request).failures]


@pytest.mark.parametrize(
    ("plugin", "settings"),
    [
        ("cloudflare", {"apiToken": "0123456789abcdef"}),
        ("cloudflare", {"apiKey": "0123456789abcdef", "email": "a@b.example"}),
        ("aws", {"accessKey": "AKIA0123456789", "secretKey": "rehearsal-x"}),
        ("aws", {"accessKey": "rehearsal-x", "secretKey": "0123456789abcdef"}),
        ("aws", {"token": "0123456789abcdef"}),
        ("docker", {"registryAuth": '[{"address": "r", "password": "0123456789abcdef"}]'}),
    ],
)
def test_a_real_credential_is_refused_and_not_repeated(opened: Opened, plugin: str, settings: dict[str, Any]) -> None:
    (failure,) = config_failures(opened(plugin), **settings)
    assert "a rehearsal never takes the credentials of a real account" in failure
    assert "0123456789" not in failure


@pytest.mark.parametrize(
    ("plugin", "settings"),
    [
        ("cloudflare", {"apiToken": "rehearsal-x", "baseUrl": "http://127.0.0.1:1"}),
        ("cloudflare", {"apiToken": wire.UNKNOWN}),
        ("aws", {"accessKey": "AKIAREHEARSAL0", "secretKey": "rehearsal-x", "skipCredentialsValidation": "true"}),
        ("aws", {"endpoints": '[{"s3": "http://127.0.0.1:1"}]', "version": "7.0.0"}),
        ("docker", {"registryAuth": '[{"address": "r", "password": "rehearsal-x"}]', "sshOpts": '["-o", "x"]'}),
    ],
)
def test_a_rehearsals_settings_pass(opened: Opened, plugin: str, settings: dict[str, Any]) -> None:
    assert config_failures(opened(plugin), **settings) == []


@pytest.mark.parametrize(
    ("plugin", "settings", "says"),
    [
        ("docker", {"hots": "x"}, "docker provider: hots is not a known property. Did you mean host?"),
        ("docker", {"sshOpts": '"x"'}, "docker provider: sshOpts must be a list"),
        ("aws", {"endpoints": '[{"cloudfornt": "x"}]'}, "Did you mean endpoints[0].cloudfront?"),
        ("aws", {"maxRetries": "many"}, "aws provider: maxRetries must be a whole number"),
    ],
)
def test_a_wrong_setting_is_named(opened: Opened, plugin: str, settings: dict[str, Any], says: str) -> None:
    assert any(says in failure for failure in config_failures(opened(plugin), **settings))


def refusal(driver: Any) -> str:
    driver.token = "random:index/randomId:RandomId"
    return str(driver.play({"do": "check", "with": {"byteLength": 4}}).get("error", "served"))


def test_another_backend_is_refused_and_its_password_not_printed(opened: Opened) -> None:
    with pytest.raises(Exception, match="not the rehearsal's own backend") as refused:
        opened("random", PULUMI_BACKEND_URL="postgres://user:hunter2@db/pulumi")
    assert "hunter2" not in str(refused.value)


def test_without_a_variable_the_backend_is_the_one_logged_in_to(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text(json.dumps({"current": BACKEND}))
    assert refusal(opened("random", PULUMI_BACKEND_URL="")) == "served"
    (tmp_path / "credentials.json").write_text(json.dumps({"current": "https://api.pulumi.com"}))
    with pytest.raises(Exception, match=r"https://api\.pulumi\.com, which is not the rehearsal's own backend"):
        opened("random", PULUMI_BACKEND_URL="")
    (tmp_path / "credentials.json").unlink()
    with pytest.raises(Exception, match="Pulumi Cloud"):
        opened("random", PULUMI_BACKEND_URL="")


def test_an_sdk_newer_than_the_installed_stand_in_is_refused(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugin_driver._installed_version", lambda _name: "0.0.1")
    with pytest.raises(Exception, match=r"installed for version 0\.0\.1, but pulumi-random .* is in use"):
        opened("random")


def test_installing_again_changes_nothing_and_every_plugin_is_there(tmp_path: Path) -> None:
    home = tmp_path / "a home with spaces"
    install(home, ["file:///x"])
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    install(home, ["file:///x"])
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
    scripts = sorted(path.name for path in home.glob("plugins/*/*"))
    assert scripts == [f"pulumi-resource-{name}" for name in PLUGINS]


def test_only_the_own_user_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = socket.socketpair(socket.AF_UNIX)
    with here, there:
        assert ours(here)
        monkeypatch.setattr("os.getuid", lambda: 4242)
        assert not ours(here)


def test_the_launcher_imports_next_to_nothing() -> None:
    heavy = {"json", "re", "subprocess", "logging", "grpc", "pulumi"}
    source = (Path(sys.modules["rehearsal.offline.plugins.launcher"].__file__ or "")).read_text()
    assert not [name for name in heavy if f"\nimport {name}" in source]
