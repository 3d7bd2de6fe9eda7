"""The committed stacks of NeuroPilot."""

from pathlib import Path
from typing import Any

import pytest

from components.settings import SettingsError, parse, required_secrets
from components.values import CloudflarePlan, Rate, ZoneRole
from neuropilot.settings import NeuropilotSettings
from ops.stackfile import read

FOLDER = Path(__file__).resolve().parents[3] / "neuropilot"


def stack(name: str) -> dict[str, Any]:
    config = read(FOLDER / f"Pulumi.{name}.yaml").data["config"]
    return {key.partition(":")[2]: value for key, value in config.items() if key.startswith("neuropilot:")}


def test_production() -> None:
    settings = parse(NeuropilotSettings, stack("production"), rehearsal=True)
    assert settings.edge.role is ZoneRole.OWNER
    assert settings.edge.plan is CloudflarePlan.PRO
    assert settings.edge.www_target == "cname.vercel-dns.com"
    assert settings.edge.body_limit == 512
    assert (settings.site.limits.auth, settings.site.limits.general) == (Rate(10, 900), Rate(300, 600))
    assert settings.site.origins == (f"https://{settings.site.www}",)
    assert settings.backup.database.name == "neuropilot_inventory"
    assert settings.backup.database.region == "us-east-2"
    assert settings.application.port == 8080
    assert not settings.edge.origin_pulls


def test_staging_is_the_rehearsal_of_a_restore() -> None:
    settings = parse(NeuropilotSettings, stack("staging"), rehearsal=True)
    assert settings.backup.database.name == "neuropilot_staging"
    assert settings.edge.role is ZoneRole.TENANT


def test_zone_and_targets_are_required() -> None:
    for section, key in (("edge", "zone"), ("edge", "zone_id"), ("edge", "api_target"), ("backup", "encrypt_to")):
        data = stack("production")
        del data[section][key]
        with pytest.raises(SettingsError, match=rf"neuropilot:{section}\.{key}: not set"):
            parse(NeuropilotSettings, data, rehearsal=True)


def test_every_value_that_is_not_known_is_named_for_a_real_stack() -> None:
    with pytest.raises(SettingsError) as caught:
        parse(NeuropilotSettings, stack("production"), rehearsal=False)
    assert {".".join(map(str, each.path)) for each in caught.value.mistakes} >= {
        "site.apex",
        "site.www",
        "site.api",
        "edge.zone",
        "edge.zone_id",
        "edge.api_target",
        "backup.database.host",
        "backup.encrypt_to",
    }


def test_secrets_follow_the_settings() -> None:
    data = stack("production")
    plain = parse(NeuropilotSettings, data, rehearsal=True)
    always = {"cloudflare_api_token", "neon_owner_url", "rclone_config"}
    assert {spec.key for spec in required_secrets(NeuropilotSettings, plain)} == always
    data["application"] = {"google_login": True}
    data["backup"]["notify"] = {"slack": True, "emails": ["operator@neurmatic.com"]}
    full = parse(NeuropilotSettings, data, rehearsal=True)
    more = {"google_client_id", "google_client_secret", "slack_webhook_url", "smtp_url"}
    assert {spec.key for spec in required_secrets(NeuropilotSettings, full)} == always | more


def test_the_database_is_reached_encrypted_and_directly() -> None:
    data = stack("production")
    data["backup"]["database"]["ssl_mode"] = "prefer"
    with pytest.raises(SettingsError, match="allowed is require, verify-ca or verify-full"):
        parse(NeuropilotSettings, data, rehearsal=True)
    data = stack("production")
    data["backup"]["database"]["host"] = "ep-cool-name-pooler.us-east-2.aws.neon.tech"
    with pytest.raises(SettingsError, match="dumps need a direct connection"):
        parse(NeuropilotSettings, data, rehearsal=True)
