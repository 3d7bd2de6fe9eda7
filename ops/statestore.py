"""Where real stacks live: a versioned, private bucket for their state and a KMS key for their secrets.

Each `ensure_` leaves alone what is right, puts right what is not, and yields a line for each thing that it did.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.exceptions import ClientError

from components.storage.policies import document, tls_only
from ops.aws import asking_aws, client
from ops.errors import OperatorError

KEY_TAG = {"TagKey": "made-by", "TagValue": "infra-bootstrap"}


def ensure_bucket(backend: str) -> Iterator[str]:
    """The backend's bucket: versioned (a damaged state can be taken back), encrypted, private, TLS only."""
    address = urlsplit(backend)
    if address.scheme != "s3":
        raise OperatorError(f"The backend {backend or '(none)'} of Pulumi.yaml is no s3:// address: nothing was made.")
    bucket, region = address.netloc, _region(address.query, backend)
    s3 = client("s3", region)
    with asking_aws(f"prepare the bucket {bucket}"):
        if not _exists(s3, bucket):
            # us-east-1 is where S3 makes a bucket that names no place, and it refuses to be named.
            where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
            s3.create_bucket(Bucket=bucket, **where)
            yield f"made the bucket {bucket} in {region}"
        yield from _close(s3, bucket)
        yield from _version(s3, bucket)
        yield from _insist_on_tls(s3, bucket)
        yield from _tidy_up(s3, bucket)


def ensure_key(provider: str) -> Iterator[str]:
    """The key of the secrets provider; rotated by AWS every year, and deleted by nobody in passing."""
    address = urlsplit(provider)
    alias = f"{address.netloc}{address.path}"
    if address.scheme != "awskms" or not alias.startswith("alias/"):
        raise OperatorError(f"The secretsprovider {provider or '(none)'} is not of the form awskms://alias/NAME.")
    kms = client("kms", _region(address.query, provider))
    with asking_aws(f"prepare the key {alias}"):
        if any(each["AliasName"] == alias for page in _pages(kms) for each in page["Aliases"]):
            return
        key = kms.create_key(Description=f"Secrets of the stacks under {alias}", Tags=[KEY_TAG])["KeyMetadata"]["KeyId"]
        kms.enable_key_rotation(KeyId=key)
        kms.create_alias(AliasName=alias, TargetKeyId=key)
    yield f"made the key {alias}"


def _region(query: str, address: str) -> str:
    found = parse_qs(query).get("region")
    if not found:
        raise OperatorError(f"{address} names no region: add ?region=eu-west-1.")
    return found[0]


def _pages(kms: Any) -> Any:
    return kms.get_paginator("list_aliases").paginate()


def _exists(s3: Any, bucket: str) -> bool:
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] == "404":
            return False
        if error.response["Error"]["Code"] == "403":
            raise OperatorError(
                f"The bucket {bucket} belongs to somebody else, or these credentials may not see it."
            ) from None
        raise
    return True


CLOSED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)


def _close(s3: Any, bucket: str) -> Iterator[str]:
    try:
        known = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    except ClientError:
        known = {}
    if known != CLOSED:
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=CLOSED)
        yield "closed it to the public"


def _version(s3: Any, bucket: str) -> Iterator[str]:
    if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        yield "switched versioning on"


def _insist_on_tls(s3: Any, bucket: str) -> Iterator[str]:
    """Beside what the bucket's policy says already: somebody may have let another role in."""
    try:
        known = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    except ClientError:
        known = []
    wanted = tls_only(bucket)
    if wanted not in known:
        others = [each for each in known if each.get("Sid") != wanted["Sid"]]
        s3.put_bucket_policy(Bucket=bucket, Policy=document([*others, wanted]))
        yield "made it refuse whoever comes without TLS"


# Every version of a state for a year: a damaged one is noticed by the next `up`, a wrong one perhaps not.
LIFECYCLE = {
    "ID": "old-versions",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "NoncurrentVersionExpiration": {"NoncurrentDays": 365},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}


def _tidy_up(s3: Any, bucket: str) -> Iterator[str]:
    """Only where nobody has decided otherwise."""
    try:
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchLifecycleConfiguration":
            raise
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [LIFECYCLE]})
        yield "keeps old versions for a year"
