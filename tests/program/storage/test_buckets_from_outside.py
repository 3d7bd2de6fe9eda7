"""What an `up` has made, asked of S3 with AWS's own SDK: both stacks as committed, and production with every option."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from stage import Stage

from ops.session import Session
from ops.target import PROJECTS
from rehearsal.inventory import client
from rehearsal.workspace import Workspace

pytestmark = pytest.mark.engine

BUCKETS = {
    "production": ("neurmatic-production-media", "neurmatic-backups"),
    "staging": ("neurmatic-staging-media", "neurmatic-staging-backups"),
}
# www redirects to it, so no page of www ever uploads.
ORIGINS = {"production": ["https://neurmatic.com"], "staging": ["https://staging.neurmatic.com"]}
LOGS, REGION, FAR_MEDIA, FAR_BACKUPS = "neurmatic-logs", "eu-central-1", "neurmatic-far-media", "neurmatic-far-backups"
EVERYTHING = {
    "neurmatic:storage": {
        "access_logs": {"bucket": LOGS, "kept": "30d"},
        "replica": {"region": REGION, "media": FAR_MEDIA, "backups": FAR_BACKUPS},
        "media": {"infrequent_after": "60d", "upload_origins": ["https://app.neurmatic.com"]},
        "backups": {
            "object_lock": {"mode": "governance", "days": "14d"},
            "deep_archive_after": "180d",
            "delete_after": "400d",
        },
    }
}


# The storage of the real program, from the real settings, without the server and the edge beside it.
PROGRAM = """
import pulumi

from components.providers import cloud_providers
from components.settings import load
from components.storage.component import Storage, StorageArgs
from components.values import DataPolicy
from neurmatic.settings import NeurmaticSettings

settings = load(NeurmaticSettings, pulumi.Config(), rehearsal=True)
tags = {"product": "neurmatic", "environment": settings.environment.value}
clouds = cloud_providers(settings.storage.region, "rehearsal-token", tags)
disposable = settings.data is DataPolicy.DISPOSABLE
args = StorageArgs(settings.storage, settings.site.origins, disposable, tags)
Storage("storage", args, pulumi.ResourceOptions(providers=clouds))
"""


class Outside:
    """The account's owner looks at a bucket."""

    def __init__(self, stage: Stage, state: Sequence[dict[str, Any]] = ()) -> None:
        self.state = state
        self.clouds = stage.workspace("neurmatic").start_clouds()
        self.s3 = client(self.clouds, "s3")

    def ask(self, bucket: str, operation: str) -> dict[str, Any]:
        answer = dict(getattr(self.s3, operation)(Bucket=bucket))
        del answer["ResponseMetadata"]
        return answer

    def rules(self, bucket: str) -> dict[str, dict[str, Any]]:
        return {rule.pop("ID"): rule for rule in self.ask(bucket, "get_bucket_lifecycle_configuration")["Rules"]}

    def statements(self, bucket: str) -> dict[str, dict[str, Any]]:
        policy = json.loads(self.ask(bucket, "get_bucket_policy")["Policy"])
        return {statement["Sid"]: statement for statement in policy["Statement"]}

    def tags(self, bucket: str) -> dict[str, str]:
        return {each["Key"]: each["Value"] for each in self.ask(bucket, "get_bucket_tagging")["TagSet"]}


def assert_private(outside: Outside, bucket: str) -> None:
    assert outside.ask(bucket, "get_bucket_versioning") == {"Status": "Enabled"}
    encryption = outside.ask(bucket, "get_bucket_encryption")["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert encryption["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    closed = outside.ask(bucket, "get_public_access_block")["PublicAccessBlockConfiguration"]
    assert set(closed.values()) == {True}
    assert len(closed) == 4
    owned = outside.ask(bucket, "get_bucket_ownership_controls")["OwnershipControls"]["Rules"]
    assert owned == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    tls = outside.statements(bucket)["TlsOnly"]
    assert (tls["Effect"], tls["Principal"], tls["Action"]) == ("Deny", "*", "s3:*")
    plain = client_without_tls(outside)
    with pytest.raises(plain.exceptions.ClientError, match="AccessDenied"):
        plain.list_objects_v2(Bucket=bucket)


def client_without_tls(outside: Outside) -> Any:
    import boto3  # noqa: PLC0415  as the rehearsal's own client

    clouds = outside.clouds
    return boto3.client(
        "s3",
        region_name="eu-west-1",
        endpoint_url=clouds.aws_without_tls,
        aws_access_key_id=clouds.aws_key,
        aws_secret_access_key=clouds.aws_secret,
    )


@contextmanager
def staged(name: str) -> Iterator[Stage]:
    stage = Stage(name)
    try:
        yield stage
    finally:
        stage.remove()


@pytest.fixture(scope="module", params=["production", "staging"])
def committed(request: pytest.FixtureRequest) -> Iterator[tuple[str, Outside]]:
    with staged(f"test-buckets-{request.param}-{os.getpid()}") as stage:
        made(stage, request.param)
        yield request.param, Outside(stage)


@pytest.fixture(scope="module")
def everything() -> Iterator[Outside]:
    with staged(f"test-buckets-all-{os.getpid()}") as stage:
        workspace = Workspace(PROJECTS["neurmatic"], stage.name)
        workspace.folder.mkdir(parents=True)
        workspace.keep(EVERYTHING)
        session = made(stage, "production")
        settled = stage.pulumi(session, "preview", "--expect-no-changes", "--stack", "production")
        assert settled.status == 0, settled.text
        state = json.loads(stage.pulumi(session, "stack", "export", "--stack", "production").text)
        yield Outside(stage, state["deployment"]["resources"])


def made(stage: Stage, stack: str) -> Session:
    session = stage.session("neurmatic", stack)
    alone = replace(session, folder=stage.variant(session, PROGRAM))
    up = stage.pulumi(alone, "up", "--yes", "--skip-preview", "--stack", stack)
    assert up.status == 0, up.text
    return alone


def test_both_buckets_are_private_encrypted_and_versioned(committed: tuple[str, Outside]) -> None:
    stack, outside = committed
    for bucket, holds in zip(BUCKETS[stack], ("uploads", "backups"), strict=True):
        assert_private(outside, bucket)
        expected = {"data": "disposable", "environment": stack, "holds": holds, "product": "neurmatic"}
        assert outside.tags(bucket) == expected
        assert outside.ask(bucket, "get_bucket_location")["LocationConstraint"] == "eu-west-1"
        assert "LoggingEnabled" not in outside.ask(bucket, "get_bucket_logging")


def test_the_lifecycles_are_the_specifications(committed: tuple[str, Outside]) -> None:
    stack, outside = committed
    media, backups = BUCKETS[stack]
    assert outside.rules(media) == {
        "tidy-up": {
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "Expiration": {"ExpiredObjectDeleteMarker": True},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        }
    }
    assert outside.rules(backups) == {
        "dumps": {
            "Status": "Enabled",
            "Filter": {"Prefix": "database/"},
            "Transitions": [{"Days": 90, "StorageClass": "GLACIER"}],
            "Expiration": {"Days": 365},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
        },
        "tidy-up": {
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
    }


def test_only_the_site_may_upload(committed: tuple[str, Outside]) -> None:
    stack, outside = committed
    media, backups = BUCKETS[stack]
    (rule,) = outside.ask(media, "get_bucket_cors")["CORSRules"]
    assert rule["AllowedOrigins"] == ORIGINS[stack]
    with pytest.raises(outside.s3.exceptions.ClientError, match="NoSuchCORSConfiguration"):
        outside.s3.get_bucket_cors(Bucket=backups)


def test_every_option_is_set_where_it_is_wanted(everything: Outside) -> None:
    media, backups = BUCKETS["production"]
    for bucket in (media, backups, LOGS, FAR_MEDIA, FAR_BACKUPS):
        assert_private(everything, bucket)
    (rule,) = everything.ask(media, "get_bucket_cors")["CORSRules"]
    assert rule["AllowedOrigins"] == ["https://app.neurmatic.com"]
    assert everything.rules(media)["tidy-up"]["Transitions"] == [{"Days": 60, "StorageClass": "STANDARD_IA"}]
    assert everything.rules(backups)["dumps"]["Transitions"] == [
        {"Days": 90, "StorageClass": "GLACIER"},
        {"Days": 180, "StorageClass": "DEEP_ARCHIVE"},
    ]


def test_a_locked_dump_cannot_be_deleted_even_by_the_owner(everything: Outside) -> None:
    backups = BUCKETS["production"][1]
    lock = everything.ask(backups, "get_object_lock_configuration")["ObjectLockConfiguration"]
    retention = lock["Rule"]["DefaultRetention"]
    assert (retention["Mode"], retention["Days"]) == ("GOVERNANCE", 14)
    made = everything.s3.put_object(Bucket=backups, Key="database/locked", Body=b"1", ChecksumAlgorithm="SHA256")
    with pytest.raises(everything.s3.exceptions.ClientError, match="AccessDenied"):
        everything.s3.delete_object(Bucket=backups, Key="database/locked", VersionId=made["VersionId"])


def test_logs_go_to_a_bucket_that_is_not_logged_itself(everything: Outside) -> None:
    for bucket in BUCKETS["production"]:
        logging = everything.ask(bucket, "get_bucket_logging")["LoggingEnabled"]
        assert (logging["TargetBucket"], logging["TargetPrefix"]) == (LOGS, f"{bucket}/")
    assert "LoggingEnabled" not in everything.ask(LOGS, "get_bucket_logging")
    delivery = everything.statements(LOGS)["AccessLogs"]
    assert delivery["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    sources = delivery["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert sources == sorted(f"arn:aws:s3:::{bucket}" for bucket in BUCKETS["production"])
    assert everything.rules(LOGS)["logs"]["Expiration"] == {"Days": 30}


def test_both_buckets_are_copied_to_the_second_region(everything: Outside) -> None:
    media, backups = BUCKETS["production"]
    declared = {each["inputs"]["bucket"]: each["inputs"]["rules"][0] for each in of_type(everything, "Replication")}
    for source, target, deletions in ((media, FAR_MEDIA, "Enabled"), (backups, FAR_BACKUPS, "Disabled")):
        assert everything.ask(target, "get_bucket_location")["LocationConstraint"] == REGION
        (rule,) = everything.ask(source, "get_bucket_replication")["ReplicationConfiguration"]["Rules"]
        assert (rule["Status"], rule["Destination"]["Bucket"]) == ("Enabled", f"arn:aws:s3:::{target}")
        # moto forgets this one and answers Disabled for every rule.
        assert declared[source]["deleteMarkerReplication"]["status"] == deletions


def of_type(outside: Outside, words: str) -> list[dict[str, Any]]:
    return [each for each in outside.state if each["type"].startswith("aws:s3/bucket" + words)]


def test_dumps_age_as_they_should(everything: Outside) -> None:
    """At hand, archived, archived deeply, gone. The last test, for the clouds' clock is everybody's."""
    bucket = BUCKETS["production"][1]
    everything.s3.put_object(Bucket=bucket, Key="database/old", Body=b"1", StorageClass="STANDARD_IA")
    seen = []
    for days in (89, 2, 90, 220):
        everything.clouds.skip(days * 86400)
        listed = everything.s3.list_objects_v2(Bucket=bucket, Prefix="database/old").get("Contents", [])
        seen.append([each["StorageClass"] for each in listed])
    assert seen == [["STANDARD_IA"], ["GLACIER"], ["DEEP_ARCHIVE"], []]
