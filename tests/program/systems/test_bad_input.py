"""Mistakes in a stack: each of them, one line each, and never a traceback."""

from __future__ import annotations

import re

import pytest
from stage import Stage

from components.settings import SecretSpec
from neurmatic.settings import NeurmaticSettings

pytestmark = pytest.mark.engine


def test_every_missing_secret_is_named_with_its_command(stage: Stage) -> None:
    session = stage.session()
    file = session.folder / "Pulumi.production.yaml"
    file.write_text(re.sub(r"  neurmatic:\w+:\n    secure: \S+\n", "", file.read_text()))

    preview = stage.pulumi(session, "preview", "--stack", "production")

    assert preview.status != 0
    assert "Traceback" not in preview.text
    for spec in demanded():
        assert f"pulumi config set --secret neurmatic:{spec.key} --stack production" in preview.text


def demanded() -> list[SecretSpec]:
    """All but those that the committed stack does not use."""
    unused = ("registry_token", "slack_webhook_url", "smtp_url", "cloudflare_dns_token", "r2_")
    return [spec for spec in NeurmaticSettings.SECRETS if not spec.key.startswith(unused)]


def test_mistakes_are_reported_together(stage: Stage) -> None:
    session = stage.session()
    file = session.folder / "Pulumi.production.yaml"
    text = (
        file.read_text()
        .replace("    role: owner", "    roel: owner")
        .replace("www: www.neurmatic.com", "www: nonsense")
    )
    file.write_text(text)

    preview = stage.pulumi(session, "preview", "--stack", "production")

    assert preview.status != 0
    assert "Traceback" not in preview.text
    assert "neurmatic:edge.roel" in preview.text
    assert "role" in preview.text
    assert "neurmatic:site.www" in preview.text


def test_addresses_that_are_not_known_yet_are_refused_for_a_real_stack(stage: Stage) -> None:
    session = stage.session()
    del session.environment["INFRA_REHEARSAL"]  # type: ignore[attr-defined]

    preview = stage.pulumi(session, "preview", "--stack", "production")

    assert preview.status != 0
    assert "neurmatic:host.ipv4" in preview.text
