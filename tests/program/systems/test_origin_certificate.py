"""Cloudflare's certificate for the origin, made anew by the engine once a year."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from stage import Stage

from ops.session import Session

pytestmark = pytest.mark.engine

# The certificate of the real program alone. A clock that is due a year early is due at once.
PROGRAM = """
import pulumi

from components.edge import origin
from components.providers import cloud_providers
from components.settings import load
from neurmatic.settings import NeurmaticSettings

settings = load(NeurmaticSettings, pulumi.Config(), rehearsal=True)
origin.RENEW_BEFORE = {due}
token = pulumi.Config().require_secret("cloudflare_api_token")
opts = pulumi.ResourceOptions(providers=cloud_providers("eu-west-1", token, {{}}))
pulumi.export("pair", origin.OriginCertificate("edge-origin", settings.site.names, opts).pair.certificate)
"""


def test_any_up_near_the_end_of_a_year_gets_another_one(stage: Stage) -> None:
    session = stage.session()
    fresh = replace(session, folder=stage.variant(session, PROGRAM.format(due="origin.RENEW_BEFORE")))
    first = up(stage, fresh)
    again = stage.pulumi(fresh, "preview", "--refresh", "--expect-no-changes", "--stack", "production")
    assert again.status == 0, again.text
    (fresh.folder / "__main__.py").write_text(PROGRAM.format(due="origin.HOURS_A_YEAR"))
    second = up(stage, fresh)
    assert first["OriginCaCertificate"] != second["OriginCaCertificate"]
    assert first["PrivateKey"] == second["PrivateKey"]


def up(stage: Stage, session: Session) -> dict[str, str]:
    """The ids of what there is then, by type."""
    done = stage.pulumi(session, "up", "--yes", "--skip-preview", "--stack", "production")
    assert done.status == 0, done.text
    exported = json.loads(stage.pulumi(session, "stack", "export", "--stack", "production").text)
    return {each["type"].rpartition(":")[2]: each.get("id", "") for each in exported["deployment"]["resources"]}
