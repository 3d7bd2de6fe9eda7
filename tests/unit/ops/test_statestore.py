"""Against moto, through boto3 as it is: the second run finds everything in place."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from ops.errors import OperatorError
from ops.statestore import CLOSED, ensure_bucket, ensure_key

BACKEND = "s3://neurmatic-pulumi-state?region=eu-west-1&awssdk=v2"
PROVIDER = "awskms://alias/neurmatic-production?region=eu-west-1"


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with mock_aws():
        yield


def test_bucket_is_made_closed_and_versioned() -> None:
    done = list(ensure_bucket(BACKEND))
    assert done == [
        "made the bucket neurmatic-pulumi-state in eu-west-1",
        "closed it to the public",
        "switched versioning on",
        "made it refuse whoever comes without TLS",
        "keeps old versions for a year",
    ]
    s3 = boto3.client("s3", region_name="eu-west-1")
    assert s3.get_bucket_versioning(Bucket="neurmatic-pulumi-state")["Status"] == "Enabled"
    block = s3.get_public_access_block(Bucket="neurmatic-pulumi-state")["PublicAccessBlockConfiguration"]
    assert block == CLOSED
    policy = json.loads(s3.get_bucket_policy(Bucket="neurmatic-pulumi-state")["Policy"])
    assert policy["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_what_others_wrote_into_its_policy_stays() -> None:
    """moto takes a Deny without its condition, so that the policy has to be there before the bucket is prepared."""
    s3 = boto3.client("s3", region_name="eu-west-1")
    s3.create_bucket(Bucket="neurmatic-pulumi-state", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    reader = {
        "Sid": "Auditor",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::neurmatic-pulumi-state", "arn:aws:s3:::neurmatic-pulumi-state/*"],
    }
    s3.put_bucket_policy(Bucket="neurmatic-pulumi-state", Policy=json.dumps({"Statement": [reader]}))
    list(ensure_bucket(BACKEND))
    policy = json.loads(s3.get_bucket_policy(Bucket="neurmatic-pulumi-state")["Policy"])
    assert [each["Sid"] for each in policy["Statement"]] == ["Auditor", "TlsOnly"]


def test_the_first_region_needs_no_name() -> None:
    assert "made the bucket team-state in us-east-1" in list(ensure_bucket("s3://team-state?region=us-east-1"))


def test_second_run_changes_nothing() -> None:
    list(ensure_bucket(BACKEND))
    assert list(ensure_bucket(BACKEND)) == []


def test_existing_bucket_is_adopted_with_its_objects() -> None:
    s3 = boto3.client("s3", region_name="eu-west-1")
    s3.create_bucket(Bucket="neurmatic-pulumi-state", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="neurmatic-pulumi-state", Key=".pulumi/stacks/x.json", Body=b"{}")
    assert "switched versioning on" in list(ensure_bucket(BACKEND))
    # moto takes the policy's Deny without its condition, so that nothing could be read.
    s3.delete_bucket_policy(Bucket="neurmatic-pulumi-state")
    assert s3.get_object(Bucket="neurmatic-pulumi-state", Key=".pulumi/stacks/x.json")["Body"].read() == b"{}"


def test_key_is_made_once_and_rotates() -> None:
    assert list(ensure_key(PROVIDER)) == ["made the key alias/neurmatic-production"]
    assert list(ensure_key(PROVIDER)) == []
    kms = boto3.client("kms", region_name="eu-west-1")
    assert kms.get_key_rotation_status(
        KeyId=kms.describe_key(KeyId="alias/neurmatic-production")["KeyMetadata"]["KeyId"]
    )["KeyRotationEnabled"]


@pytest.mark.parametrize("backend", ["", "file:///tmp/x", "https://api.pulumi.com", "s3://bucket"])
def test_backend_that_is_none_is_a_sentence(backend: str) -> None:
    with pytest.raises(OperatorError):
        list(ensure_bucket(backend))


@pytest.mark.parametrize("provider", ["", "passphrase", "awskms://neurmatic?region=eu-west-1", "awskms://alias/x"])
def test_provider_that_is_none_is_a_sentence(provider: str) -> None:
    with pytest.raises(OperatorError):
        list(ensure_key(provider))
