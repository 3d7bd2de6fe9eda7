"""The committed stacks of Neurmatic: the figures of the spec, said only where they differ."""

from pathlib import Path
from typing import Any

import pytest

from components.settings import parse, required_secrets
from components.values import Environment, ZoneRole
from neurmatic.settings import NeurmaticSettings
from ops.stackfile import read

ROOT = Path(__file__).resolve().parents[3]


def stack(name: str) -> dict[str, Any]:
    config = read(ROOT / f"Pulumi.{name}.yaml").data["config"]
    return {key.partition(":")[2]: value for key, value in config.items() if key.startswith("neurmatic:")}


@pytest.fixture(scope="module")
def production() -> NeurmaticSettings:
    return parse(NeurmaticSettings, stack("production"), rehearsal=True)


@pytest.fixture(scope="module")
def staging() -> NeurmaticSettings:
    return parse(NeurmaticSettings, stack("staging"), rehearsal=True)


def test_production(production: NeurmaticSettings) -> None:
    assert production.environment is Environment.PRODUCTION
    assert production.site.names == ("neurmatic.com", "www.neurmatic.com", "api.neurmatic.com")
    assert production.site.origins == ("https://neurmatic.com",)
    assert production.host.address == "vps-1a707765.vps.ovh.net"
    assert production.edge.role is ZoneRole.OWNER
    assert production.storage.media.name == "neurmatic-production-media"
    assert production.storage.backups.name == "neurmatic-backups"
    assert production.containers.postgres.database == "neurmatic_production"
    assert production.containers.postgres.user == "neurmatic_prod"
    assert production.containers.backend.sentry.traces == production.containers.backend.sentry.profiles == 0.1
    assert production.containers.pool == 45


def test_staging_is_smaller_and_a_tenant(staging: NeurmaticSettings) -> None:
    figures = staging.containers.model_dump(mode="json")
    assert figures["postgres"]["max_connections"] == 100
    assert figures["postgres"]["shared_buffers"] == "256MB"
    assert figures["redis"]["maxmemory"] == "512MB"
    assert figures["nginx"]["worker_connections"] == 2048
    assert figures["backend"]["count"] == 2
    assert figures["backend"]["sentry"]["traces"] == figures["backend"]["sentry"]["profiles"] == 0.5
    assert staging.containers.pool == 20
    assert staging.edge.role is ZoneRole.TENANT


def test_staging_shares_nothing_that_belongs_to_production(
    production: NeurmaticSettings, staging: NeurmaticSettings
) -> None:
    for mine, other in (
        (staging.site.names, production.site.names),
        (
            (staging.storage.media.name, staging.storage.backups.name),
            ("neurmatic-production-media", "neurmatic-backups"),
        ),
        ((staging.containers.postgres.database,), (production.containers.postgres.database,)),
        ((staging.host.address,), (production.host.address,)),
    ):
        assert not set(mine) & set(other)


@pytest.mark.parametrize("name", ["staging", "production"])
def test_a_stack_file_does_not_repeat_a_default(name: str) -> None:
    """A setting that says what the default says hides which ones matter."""
    data, allowed = stack(name), {"containers.backend.count"}  # the spec asks for two backends in staging by name
    bare = parse(NeurmaticSettings, data, rehearsal=True).model_dump(mode="json")
    repeated = []
    for path in leaves(data):
        changed = parse_without(data, path)
        if changed is not None and changed == bare:
            repeated.append(".".join(path))
    assert set(repeated) <= allowed


def leaves(data: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(data, dict):
        return [path]
    return [leaf for key, value in data.items() for leaf in leaves(value, (*path, key))]


def parse_without(data: dict[str, Any], path: tuple[str, ...]) -> Any:
    """What the settings would be without one of them; None where it is required."""
    first, *rest = path
    copied = {key: value for key, value in data.items() if key != first}
    if rest:
        copied[first] = cut(data[first], rest)
    try:
        return parse(NeurmaticSettings, copied, rehearsal=True).model_dump(mode="json")
    except Exception:  # required, or a check that another figure rests on
        return None


def cut(data: dict[str, Any], path: list[str]) -> dict[str, Any]:
    if len(path) == 1:
        return {key: value for key, value in data.items() if key != path[0]}
    return {**data, path[0]: cut(data[path[0]], path[1:])}


def test_secrets_of_production(production: NeurmaticSettings) -> None:
    assert {spec.key for spec in required_secrets(NeurmaticSettings, production)} == {
        "cloudflare_api_token",
        *(f"{provider}_client_{part}" for provider in ("google", "linkedin", "github") for part in ("id", "secret")),
        "sendgrid_api_key",
        "sentry_dsn",
    }


def test_a_release_needs_the_registry_and_who_is_told_an_address() -> None:
    data = stack("production")
    digest = "sha256:" + "1f" * 32
    data["containers"]["release"] = {"version": "1.4.2", "backend": digest, "frontend": digest}
    data["backup"] = {"notify": {"slack": True, "emails": ["ops@neurmatic.com"]}}
    settings = parse(NeurmaticSettings, data, rehearsal=True)
    assert {"registry_token", "slack_webhook_url", "smtp_url"} <= {
        spec.key for spec in required_secrets(NeurmaticSettings, settings)
    }


def test_a_rehearsals_release_of_zeros_is_no_real_one() -> None:
    data = stack("production")
    digest = "sha256:" + "0" * 64
    data["containers"]["release"] = {"version": "0.0.0", "backend": digest, "frontend": digest}
    parse(NeurmaticSettings, data, rehearsal=True)
    with pytest.raises(Exception, match=r"containers\.release\.backend: .* not known yet"):
        parse(NeurmaticSettings, data, rehearsal=False)
