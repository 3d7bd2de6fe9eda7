"""Uploads in Cloudflare R2 instead of S3: what an `up` makes there, and what the application is told.

The emulated Cloudflare has no R2: the stand-in checks inputs against the provider's schema and keeps the state.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from stage import Stage

from components.storage.client import variables
from components.storage.config import StorageSettings
from ops.target import PROJECTS
from rehearsal.workspace import Workspace

pytestmark = pytest.mark.engine

ACCOUNT = "0123456789abcdef0123456789abcdef"
MEDIA = {"r2": {"account_id": ACCOUNT}, "infrequent_after": "60d"}
PROGRAM = """
import pulumi

from components.providers import cloud_providers
from components.settings import load, read_secrets, required_secrets
from components.storage.component import Storage, StorageArgs
from neurmatic.settings import NeurmaticSettings

config = pulumi.Config()
settings = load(NeurmaticSettings, config, rehearsal=True)
secrets = read_secrets(config, required_secrets(NeurmaticSettings, settings), stack="production")
tags = {"product": "neurmatic", "environment": "production"}
clouds = cloud_providers(settings.storage.region, "rehearsal-token", tags)
args = StorageArgs(settings.storage, settings.site.origins, False, tags, secrets=secrets)
storage = Storage("storage", args, pulumi.ResourceOptions(providers=clouds))
pulumi.export("key", storage.uploads.secret)
"""


@pytest.fixture(scope="module")
def made() -> Iterator[dict[str, dict[str, Any]]]:
    stage = Stage(f"test-r2-{os.getpid()}")
    try:
        workspace = Workspace(PROJECTS["neurmatic"], stage.name)
        workspace.folder.mkdir(parents=True)
        workspace.keep({"neurmatic:storage": {"media": MEDIA}})
        session = stage.session("neurmatic", "production")
        alone = replace(session, folder=stage.variant(session, PROGRAM))
        up = stage.pulumi(alone, "up", "--yes", "--skip-preview", "--stack", "production")
        assert up.status == 0, up.text
        again = stage.pulumi(alone, "preview", "--refresh", "--expect-no-changes", "--stack", "production")
        assert again.status == 0, again.text
        state = json.loads(stage.pulumi(alone, "stack", "export", "--stack", "production").text)
        yield {each["urn"].rpartition("::")[2]: each for each in state["deployment"]["resources"]}
    finally:
        stage.remove()


def test_the_bucket_is_kept_tidied_and_open_to_the_sites_own_pages(made: dict[str, dict[str, Any]]) -> None:
    bucket = made["storage-media-bucket"]
    assert bucket["type"] == "cloudflare:index/r2Bucket:R2Bucket"
    assert bucket["protect"]
    assert bucket["retainOnDelete"]
    assert (bucket["inputs"]["name"], bucket["inputs"]["jurisdiction"]) == ("neurmatic-production-media", "eu")
    (rule,) = made["storage-media-lifecycle"]["inputs"]["rules"]
    assert rule["abortMultipartUploadsTransition"]["condition"] == {"maxAge": 7 * 86400, "type": "Age"}
    assert rule["storageClassTransitions"][0]["condition"]["maxAge"] == 60 * 86400
    (cors,) = made["storage-media-cors"]["inputs"]["rules"]
    assert cors["allowed"]["origins"] == ["https://neurmatic.com"]


def test_nothing_of_the_uploads_is_left_in_s3(made: dict[str, dict[str, Any]]) -> None:
    buckets = [each["inputs"]["bucket"] for each in made.values() if each["type"] == "aws:s3/bucket:Bucket"]
    assert buckets == ["neurmatic-backups"]
    users = [each["inputs"]["name"] for each in made.values() if each["type"] == "aws:iam/user:User"]
    assert users == ["neurmatic-backups-server"]


def test_the_application_is_told_where_and_how() -> None:
    names = {"media": {"name": "media-x", **MEDIA}, "backups": {"name": "backups-x"}}
    told = variables(StorageSettings.model_validate(names))
    assert told["AWS_ENDPOINT_URL_S3"] == f"https://{ACCOUNT}.eu.r2.cloudflarestorage.com"
    assert told["AWS_REGION"] == "auto"
    without = StorageSettings.model_validate({**names, "media": {"name": "media-x"}})
    assert variables(without) == {}
