"""From configuration to settings: all mistakes at once, and never a secret in a sentence."""

import copy
import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.mistakes import Mistake, looks_secret, shown
from components.placeholders import is_reserved
from components.settings import SettingsError, load, parse, read_secrets, required_secrets
from components.values import DataPolicy, Environment
from neurmatic.settings import NeurmaticSettings
from ops.stackfile import read

ROOT = Path(__file__).resolve().parents[3]


def production() -> dict[str, Any]:
    config = read(ROOT / "Pulumi.production.yaml").data["config"]
    return {
        key.partition(":")[2]: copy.deepcopy(value) for key, value in config.items() if key.startswith("neurmatic:")
    }


def texts(data: dict[str, Any], rehearsal: bool = True) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        parse(NeurmaticSettings, data, rehearsal=rehearsal)
    return str(caught.value).splitlines()


class FakeConfig:
    """What the engine hands to a program: text for text, JSON for objects."""

    name = "neurmatic"

    def __init__(self, data: dict[str, Any]):
        self.raw = {key: value if isinstance(value, str) else json.dumps(value) for key, value in data.items()}

    def get(self, key: str) -> str | None:
        return self.raw.get(key)

    def get_secret(self, key: str) -> str | None:
        return self.raw.get(key)


def test_a_program_gets_what_the_stack_file_says() -> None:
    settings = load(NeurmaticSettings, FakeConfig(production()), rehearsal=True)
    assert settings.environment is Environment.PRODUCTION
    assert settings.host.address == "vps-1a707765.vps.ovh.net"
    assert settings.data is DataPolicy.PROTECTED


def test_pulumis_own_config_object_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi.runtime.config, "CONFIG", type(pulumi.runtime.config.CONFIG)("test", default={}))
    raw = FakeConfig(production()).raw
    pulumi.runtime.set_all_config({f"neurmatic:{key}": value for key, value in raw.items()})
    assert load(NeurmaticSettings, pulumi.Config("neurmatic"), rehearsal=True).edge.zone == "neurmatic.com"


def test_all_mistakes_are_named_at_once() -> None:
    data = production()
    data["hots"] = {}
    data["environment"] = "prod"
    data["host"]["ssh"]["port"] = 70000
    data["containers"]["backend"] = {"cuont": 3}
    data["containers"]["postgres"]["max_connections"] = "many"
    data["storage"]["backups"]["delete_after"] = "100d"
    data["storage"]["media"]["name"] = "neurmatic-backups"
    data["site"]["www"] = "www.neurmatic.org"
    data["site"]["admin"] = {"addresses": ["0.0.0.0/0"]}
    assert texts(data) == [
        "neurmatic:hots: there is no such key; did you mean host?",
        'neurmatic:environment: given "prod"; allowed is staging or production',
        "neurmatic:host.ssh.port: given 70000; allowed is a whole number from 1 to 65535",
        'neurmatic:containers.postgres.max_connections: given "many"; allowed is a whole number from 25 to 5000',
        "neurmatic:containers.backend.cuont: there is no such key; did you mean count?",
        'neurmatic:site.www: given "www.neurmatic.org"; allowed is a name in the zone neurmatic.com',
        'neurmatic:site.admin.addresses[0]: given "0.0.0.0/0"; the admin paths are for known addresses: allowed is'
        " /8 or narrower",
        'neurmatic:storage.backups.name: given "neurmatic-backups"; allowed is a bucket that nothing else uses',
        "neurmatic:storage.backups.delete_after: given 100d; 90d until the archive + 90d that GLACIER charges at least"
        " = 180d, the least allowed",
    ]


def test_a_check_is_silent_about_figures_that_could_not_be_read() -> None:
    data = production()
    data["containers"]["postgres"]["max_connections"] = "4OO"
    data["containers"]["backend"] = {"pool": 60}
    assert [line.split(":")[1] for line in texts(data)] == ["containers.postgres.max_connections"]


def test_what_is_missing_is_named_to_the_last_key() -> None:
    lines = texts({})
    assert any(line.startswith("neurmatic:host.ssh.host_key: not set; the server's public key") for line in lines)
    assert any(line.startswith("neurmatic:environment: not set") for line in lines)
    assert any(line.startswith("neurmatic:containers.postgres.user: not set") for line in lines)
    assert not any(line.startswith(("neurmatic:host:", "neurmatic:credentials")) for line in lines)


@pytest.mark.parametrize(
    ("section", "value"),
    [("host", "text"), ("host", 5), ("host", []), ("host", None), ("containers", {"postgres": []}), ("site", True)],
)
def test_a_section_of_another_shape(section: str, value: Any) -> None:
    data = production()
    data[section] = value
    assert any("allowed is a mapping of settings" in line for line in texts(data))


@pytest.mark.parametrize("text", ["yourdomain.com", "your-app.up.railway.app", "api.example.com"])
def test_placeholders_are_refused_everywhere(text: str) -> None:
    for environment in ("production", "staging"):
        data = {**production(), "environment": environment}
        data["host"]["address"] = text
        assert f'neurmatic:host.address: given "{text}", a placeholder from documentation; set the real value' in texts(
            data
        )


@pytest.mark.parametrize("text", ["changeme", "<your secret>", "xxxx", "${VALUE}", "TODO"])
def test_placeholders_in_free_text(text: str) -> None:
    data = production()
    data["edge"]["mail"] = {"spf": f"v=spf1 {text} -all"}
    assert any("edge.mail.spf" in line and "placeholder" in line for line in texts(data))


def test_what_is_not_known_yet_is_for_rehearsals_only() -> None:
    data = production()
    parse(NeurmaticSettings, data, rehearsal=True)
    keys = {line.split(": ")[0] for line in texts(data, rehearsal=False)}
    assert keys == {
        "neurmatic:host.ipv4",
        "neurmatic:host.ipv6",
        "neurmatic:host.ssh.host_key",
        "neurmatic:host.deploy.keys[0]",
        "neurmatic:edge.zone_id",
        "neurmatic:escrow.recipients",
    }


RESERVED = [
    *("192.0.2.1", "198.51.100.0/25", "203.0.113.255", "2001:db8::", "2001:db8:ffff::/48", "3fff:fff::1"),
    *(
        "a.invalid",
        "a.b.example",
        "https://a.test/path",
        "somebody@a.invalid",
        "0" * 32,
        "0" * 40,
        "sha256:" + "0" * 64,
    ),
]
REAL = [
    *("192.0.3.1", "51.83.45.10", "2001:db9::1", "2001:41d0:701::1", "0.0.0.0/0", "::/0", "test", "invalid"),
    *("a.invalid.com", "contest.com", "a.test-site.com", "00000000000000000000000000000001", "0000", "e" * 40),
]


@pytest.mark.parametrize("text", RESERVED)
def test_values_that_can_never_be_real(text: str) -> None:
    assert is_reserved(text)


@pytest.mark.parametrize("text", REAL)
def test_values_that_can_be_real(text: str) -> None:
    assert not is_reserved(text)


def test_disposable_data_is_for_rehearsals_and_staging_only() -> None:
    data = {**production(), "data": "disposable"}
    assert parse(NeurmaticSettings, data, rehearsal=True).data is DataPolicy.DISPOSABLE
    assert any(line.startswith('neurmatic:data: given "disposable"') for line in texts(data, rehearsal=False))


def test_unknown_keys_are_found_inside_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({"neurmatic:containres": "{}", "aws:region": "x"}))
    with pytest.raises(SettingsError, match="containres: there is no such key; did you mean containers"):
        load(NeurmaticSettings, FakeConfig(production()), rehearsal=True)


def test_a_secret_in_plain_text_is_refused_inside_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "PULUMI_CONFIG", json.dumps({"neurmatic:sentry_dsn": "https://word@sentry", "neurmatic:github_client_id": "x"})
    )
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps(["neurmatic:github_client_id"]))
    with pytest.raises(SettingsError) as caught:
        load(NeurmaticSettings, FakeConfig(production()), rehearsal=True)
    assert [mistake.path for mistake in caught.value.mistakes] == [("sentry_dsn",)]
    assert "pulumi config set --secret neurmatic:sentry_dsn" in str(caught.value)
    assert "word" not in str(caught.value)


def test_missing_secrets_are_named_together_with_their_commands() -> None:
    settings = parse(NeurmaticSettings, production(), rehearsal=True)
    specs = required_secrets(NeurmaticSettings, settings)
    config = FakeConfig({"cloudflare_api_token": "t"})
    with pytest.raises(SettingsError) as caught:
        read_secrets(config, specs, stack="production")
    lines = str(caught.value).splitlines()
    assert len(lines) == len(specs) - 1
    assert lines[-1].endswith("pulumi config set --secret neurmatic:sentry_dsn --stack production")


def test_a_stack_asks_only_for_the_secrets_it_needs() -> None:
    data = production()
    data["containers"]["backend"] = {"oauth": ["github"], "sentry": {"enabled": False}}
    settings = parse(NeurmaticSettings, data, rehearsal=True)
    keys = {spec.key for spec in required_secrets(NeurmaticSettings, settings)}
    assert keys == {"cloudflare_api_token", "github_client_id", "github_client_secret", "sendgrid_api_key"}
    values = read_secrets(FakeConfig(dict.fromkeys(keys, "v")), required_secrets(NeurmaticSettings, settings))
    assert set(values) == keys


SECRETS = [
    "SG.abcdefghijklmnop",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "AKIAIOSFODNN7REALKEY",
    "https://hooks.slack.com/services/T0/B0/abc",
    "postgresql://user:word@host/db",
    "-----BEGIN OPENSSH PRIVATE KEY-----",
    "f3b2c1d4e5f60718293a4b5c6d7e8f90",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_in_the_wrong_place_is_not_repeated(secret: str) -> None:
    data = production()
    data["host"]["address"] = secret.upper() + "!"
    data["containers"]["backend"] = {"sendgrid_api_key": secret, "log_level": secret}
    data["sendgrid"] = secret
    joined = "\n".join(texts(data))
    assert secret not in joined
    assert secret.upper() not in joined
    assert joined.count("not shown") == 2


@pytest.mark.parametrize("key", ["password", "api_key", "client_secret", "registry_token", "private", "dsn"])
def test_a_key_that_names_a_secret_hides_any_value(key: str) -> None:
    assert looks_secret(("containers", key), '"short"')
    assert shown(("containers", key), "short") == "a value that may be a secret and is not shown"


def test_settings_that_sound_like_secrets_are_shown() -> None:
    assert shown(("credentials", "password_age"), "9d") == '"9d"'
    assert shown(("containers", "backend", "oauth", 0), "goggle") == '"goggle"'


def test_a_sentence_stays_on_its_line() -> None:
    data = production()
    data["host"]["address"] = "a\nb\u2028c\x1b[31m"
    data["host"]["new\nline"] = 1
    assert all(line.startswith("neurmatic:host") for line in texts(data))


def test_a_mistake_touches_what_it_rests_on() -> None:
    mistake = Mistake(("containers", "postgres", "max_connections"), "", about=(("containers", "backend", "count"),))
    assert mistake.touches([("containers", "backend", "count")])
    assert mistake.touches([("containers", "backend")])
    assert mistake.touches([("containers", "postgres", "max_connections", 0)])
    assert not mistake.touches([("containers", "redis"), ("host",)])
