"""The page about what a change does is fresh, and it is about every setting."""

from __future__ import annotations

import pytest

from ops.changes import effects, page, settings_with, variants
from ops.target import ROOT


def test_the_page_is_what_the_models_and_builders_say() -> None:
    assert (ROOT / "docs" / "changes.md").read_text() == page(), "run `make generated`"


def test_every_setting_has_another_value() -> None:
    found = list(variants())
    assert len(found) > 80
    assert all(settings_with(key, value) not in (None, settings_with()) for key, value in found)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("postgres.max_connections", 300, "**PostgreSQL restarts**"),
        ("postgres.work_mem", "8MB", "PostgreSQL reloads"),
        ("redis.maxmemory", "1GB", "Redis takes it over while it runs"),
        ("redis.snapshots", [], "Redis takes it over while it runs"),
        ("nginx.image", "nginx:1.29", "**nginx is replaced**"),
        ("nginx.keepalive", 8, "nginx reloads"),
        ("backend.log_level", "debug", "backends roll"),
        ("backend.memory", "1GB", "the memory of backends changes in place"),
        ("rolling.soak", "9s", "nothing to what runs"),
    ],
)
def test_what_each_kind_of_change_does(key: str, value: object, said: str) -> None:
    assert any(each.startswith(said) for each in effects(key, value)), effects(key, value)
