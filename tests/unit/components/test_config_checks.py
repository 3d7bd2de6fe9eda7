"""What must be true between sections: each check on sound settings, and on one broken setting."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.clashes import clashes
from components.containers.config import BackendSettings, ContainersSettings
from components.containers.fit import connections_fit, memory_fits, memory_parts
from components.containers.postgres import PostgresSettings
from components.host.config import Capacity, HostSettings
from components.settings import SettingsError, StackSettings, notes, parse
from neurmatic.settings import NeurmaticSettings
from neuropilot.settings import NeuropilotSettings
from ops.stackfile import read

ROOT = Path(__file__).resolve().parents[3]
FILES = {NeurmaticSettings: ROOT, NeuropilotSettings: ROOT / "neuropilot"}


def stack(model: type[StackSettings], name: str = "production", **changes: Any) -> dict[str, Any]:
    """A committed stack file with some settings changed: `host__ssh__port=22`."""
    config = read(FILES[model] / f"Pulumi.{name}.yaml").data["config"]
    data = {key.partition(":")[2]: value for key, value in config.items() if key.startswith(model.PROJECT)}
    for path, value in changes.items():
        *outer, last = path.split("__")
        place = data
        for part in outer:
            place = place.setdefault(part, {})
        place[last] = value
    return data


def wrong(model: type[StackSettings] = NeurmaticSettings, name: str = "production", **changes: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        parse(model, stack(model, name, **changes), rehearsal=True)
    return str(caught.value)


def fine(model: type[StackSettings] = NeurmaticSettings, name: str = "production", **changes: Any) -> StackSettings:
    return parse(model, stack(model, name, **changes), rehearsal=True)


BROKEN = [
    ({"site__api": "api.neurmatic.org"}, 'site.api: given "api.neurmatic.org"; allowed is a name in the zone'),
    ({"site__api": "api.eu.neurmatic.com"}, "site.api: given"),
    ({"site__www": "neurmatic.com"}, "site.apex: apex, www and api have to be three different names"),
    ({"site__admin__addresses": ["0.0.0.0/0"]}, "site.admin.addresses[0]"),
    ({"site__admin__addresses": ["51.83.45.10", "::/0"]}, "site.admin.addresses[1]"),
    ({"site__admin__addresses": ["0.0.0.0/1"]}, "site.admin.addresses[0]"),
    ({"edge__on_misfit": "refuse"}, "edge.on_misfit: 3 rate limits, but the pro plan has 2 rate limiting rules"),
    ({"site__caching__assets": "5m"}, "site.caching.assets: 300s; the pro plan keeps files for at least 3600s"),
    ({"edge__records": [{"name": "@", "type": "MX", "content": "mx.neurmatic.com"}]}, "needs a priority"),
    ({"edge__records": [{"name": "x", "type": "A", "content": "mx"}]}, "has to be an IPv4 address"),
    ({"edge__records": [{"name": "x", "type": "AAAA", "content": "51.83.45.10"}]}, "has to be an IPv6 address"),
    ({"edge__records": [{"name": "x", "type": "AAAA", "content": "fe80::1%eth0"}]}, "has to be an IPv6 address"),
    ({"edge__records": [{"name": "x", "type": "CAA", "content": "letsencrypt.org"}]}, "flags, tag and value"),
    ({"edge__mail__sendgrid_subdomain": "em1234"}, "edge.mail: sendgrid_subdomain and sendgrid_account"),
    ({"edge__notifications__emails": ["admin@neurmatic.com"]}, "edge.account_id: not set"),
    ({"host__data": "/opt/neurmatic/data"}, 'host.data: given "/opt/neurmatic/data"'),
    ({"containers__backend__count": 1}, "containers.backend.count: given 1; allowed in production"),
    ({"containers__nginx__image": "nginx:latest"}, 'containers.nginx.image: given "nginx:latest"'),
    ({"containers__backend__image": "ghcr.io/a/b:production-latest"}, "containers.backend.image: given"),
    ({"storage__access_logs": {"bucket": "neurmatic-backups"}}, "storage.access_logs.bucket: given"),
    ({"publish__bucket": "neurmatic-production-media"}, "publish.bucket: given"),
    ({"storage__backups__archive_after": "7d"}, "storage.backups.archive_after: given 7d; STANDARD_IA charges 30 days"),
    ({"storage__backups__archive_after": "300d"}, "300d until the archive + 90d that GLACIER charges at least = 390d"),
    ({"storage__backups__archive_class": "DEEP_ARCHIVE", "storage__backups__delete_after": "200d"}, "= 270d"),
    ({"storage__media__infrequent_after": "29d"}, "to STANDARD_IA after 29d; S3 allows 30d or later"),
    ({"storage__backups__deep_archive_after": "90d"}, "to DEEP_ARCHIVE after 90d; allowed after GLACIER is 91d"),
    ({"storage__backups__deep_archive_after": "365d"}, "deleted after 365d; allowed is after the last move"),
    (
        {"storage__replica": {"region": "eu-west-1", "media": "neurmatic-m2", "backups": "neurmatic-b2"}},
        "storage.replica.region: given eu-west-1",
    ),
    (
        {"storage__replica": {"region": "eu-central-1", "media": "neurmatic-backups", "backups": "neurmatic-b2"}},
        "storage.replica.media: given",
    ),
    ({"storage__backups__object_lock": {"days": "400d"}}, "object_lock.days: given 400d; allowed is up to"),
    ({"alerts__disk": {"warning": 0.95, "critical": 0.85}}, "alerts.disk.warning: given 0.95; allowed is less than"),
    ({"backup__max_age": "24h"}, "backup.max_age: allowed is more than 24h"),
    ({"containers__postgres__cpus": 5}, "containers.postgres.cpus: given 5, but the host has 4"),
    ({"containers__postgres__shared_buffers": "3GB"}, "containers.postgres.shared_buffers: given 3GB"),
    ({"containers__postgres__max_parallel_workers": 9}, "containers.postgres.max_parallel_workers: given 9"),
    ({"containers__redis__memory": "2GB"}, "containers.redis.memory: given 2GB; allowed is more than maxmemory"),
    ({"containers__redis__maxmemory": "3GB"}, "host.capacity.memory: 8GB backends (2 x 2 x 2GB) + 4GB postgres"),
    (
        {"containers__backend__pool": 50},
        "containers.backend.pool: 2 x 2 backends x 50 + 20 reserved = 220 connections, but max_connections is 200;"
        " a pool of at most 45 fit",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), BROKEN)
def test_one_wrong_setting_is_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in wrong(**changes)


def test_names_deeper_than_the_certificate_need_the_advanced_one() -> None:
    fine(site__api="api.eu.neurmatic.com", edge__advanced_certificate=True)


def test_a_private_address_is_for_rehearsals() -> None:
    data = stack(NeurmaticSettings, host__ipv4="10.0.0.5")
    parse(NeurmaticSettings, data, rehearsal=True)
    with pytest.raises(SettingsError, match=r'host\.ipv4: given "10\.0\.0\.5"; allowed is a public address'):
        parse(NeurmaticSettings, data, rehearsal=False)


def test_a_moving_tag_with_the_releases_digest_is_fixed() -> None:
    digest = "sha256:" + "ab" * 32
    release = {"version": "1.4.2", "backend": digest, "frontend": digest}
    fine(containers__backend__image="ghcr.io/a/b:production-latest", containers__release=release)


def test_staging_may_run_one_backend() -> None:
    fine(name="staging", containers__backend__count=1)


@given(count=st.integers(1, 8), most=st.integers(25, 5000), reserved=st.integers(3, 20), cap=st.integers(1, 200))
def test_the_derived_pool_is_the_largest_that_fits(count: int, most: int, reserved: int, cap: int) -> None:
    postgres = PostgresSettings(database="a", user="b", max_connections=most, reserved_connections=reserved)
    containers = ContainersSettings(postgres=postgres, backend=BackendSettings(count=count, pool_cap=cap))
    pool = containers.pool
    if pool:
        assert 2 * count * pool + reserved <= most
        assert not list(connections_fit(containers))
    assert pool <= cap
    assert pool == cap or 2 * count * (pool + 1) + reserved > most


@pytest.mark.parametrize(("most", "count", "pool"), [(200, 2, 45), (100, 2, 20), (400, 2, 50), (400, 8, 23)])
def test_pools_of_the_specs(most: int, count: int, pool: int) -> None:
    postgres = PostgresSettings(database="a", user="b", max_connections=most)
    assert ContainersSettings(postgres=postgres, backend=BackendSettings(count=count)).pool == pool


def test_when_not_even_one_connection_fits() -> None:
    text = wrong(containers__postgres__max_connections=25, containers__backend__count=8)
    assert "2 x 8 backends x 1 + 20 reserved = 36 connections, but max_connections is 25; a pool of not even 1" in text


def test_production_as_specified_fits_the_smallest_server_and_not_less() -> None:
    settings = fine()
    assert isinstance(settings, NeurmaticSettings)
    # 2 x 2 backends of 2 GB, PostgreSQL 4 GB, Redis 2 GB and a quarter, 2 frontends, nginx, the system.
    needed = sum(memory_parts(settings.containers).values())
    assert needed == 8192 + 4096 + 2560 + 2 * 128 + 256 + 768 <= 16 * 1024
    smaller = HostSettings.model_construct(capacity=Capacity(memory=needed - 1))
    same = HostSettings.model_construct(capacity=Capacity(memory=needed))
    assert list(memory_fits(smaller, settings.containers))
    assert not list(memory_fits(same, settings.containers))


def test_notes_say_what_is_allowed_and_worth_saying() -> None:
    joined = "\n".join(notes(fine()))
    assert "No release yet" in joined
    assert "add up to 10.5 on a host with 4" in joined


def test_a_limit_that_a_plan_cannot_say_is_refused_on_request() -> None:
    text = wrong(NeuropilotSettings, edge__on_misfit="refuse")
    assert "neuropilot:site.limits.auth: 10/15min; the pro plan counts over 10, 60 s only" in text
    assert "neuropilot:site.limits.general: 300/10min" in text
    text = wrong(NeuropilotSettings, edge__on_misfit="refuse", edge__plan="business")
    assert "site.limits.general" not in text
    fine(NeuropilotSettings, edge__on_misfit="refuse", edge__plan="enterprise", site__limits__auth="10/10min")


def test_a_value_that_is_not_known_yet_hides_no_other_check() -> None:
    with pytest.raises(SettingsError, match="3 rate limits, but the pro plan has 2"):
        parse(NeurmaticSettings, stack(NeurmaticSettings, edge__on_misfit="refuse"), rehearsal=False)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"edge__role": "owner"}, 'edge.role|given "owner", but production owns the zone neurmatic.com'),
        ({"storage__media__name": "neurmatic-backups"}, 'storage.media.name|given "neurmatic-backups"'),
        ({"publish__bucket": "neurmatic-backups"}, 'publish.bucket|given "neurmatic-backups"'),
        ({"site__api": "api.neurmatic.com"}, 'site.api|given "api.neurmatic.com", which belongs to production'),
        ({"host__address": "vps-1a707765.vps.ovh.net"}, 'host.root|given "/opt/neurmatic", which production uses'),
        ({"host__address": "vps-1a707765.vps.ovh.net"}, 'host.data|given "/mnt/data", which production uses'),
    ],
)
def test_stacks_do_not_share(changes: dict[str, Any], sentence: str) -> None:
    production, staging = fine(), fine(name="staging")
    assert clashes(staging, production, "production") == []
    found = clashes(fine(name="staging", **changes), production, "production")
    lines = [f"{'.'.join(map(str, each.path))}|{each.text}" for each in found]
    assert any(line.startswith(sentence) for line in lines)
