"""What buckets hold is kept: versions, encryption, lifecycles, copies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .frame import LOW, MEDIUM, ON_REQUEST, UNJUDGED, Book, Finding, Resource, known, of
from .kinds import (
    BUCKET,
    BUCKET_ENCRYPTION,
    BUCKET_LIFECYCLE,
    BUCKET_LOCK,
    BUCKET_LOGGING,
    BUCKET_NOTIFICATION,
    BUCKET_REPLICATION,
    BUCKET_VERSIONING,
    OBJECTS,
)
from .relations import covers
from .storage import needs

# The same subject as who may read them, in a file of its own.
book = Book("storage")


@book.rule(
    "versioning",
    [*BUCKET_VERSIONING, *BUCKET],
    "Without versions an overwritten or deleted object is gone.",
    "Set versioningConfiguration.status to Enabled.",
    "CKV_AWS_21",
    "Trivy AWS-0090",
    "AWS FSBP S3.14",
    "KICS 568a4d22",
    "Prowler s3_bucket_object_versioning",
)
def versioning_is_off(resource: Resource) -> Iterator[Finding]:
    if resource.type in BUCKET_VERSIONING:
        status = resource.read("versioningConfiguration.status")
        if known(status) and status != "Enabled":
            yield Finding("versioningConfiguration.status", "overwritten and deleted objects would be gone.")
    elif resource.read("versioning.enabled") is False:
        yield Finding("versioning.enabled", "overwritten and deleted objects would be gone.")


@book.relation(
    "has-versioning",
    "Without versions an overwritten or deleted object is gone; S3's default is off.",
    "Declare a BucketVersioning with status Enabled for it.",
    "CKV_AWS_21",
    "Trivy AWS-0090",
    "AWS FSBP S3.14",
)
def bucket_has_no_versioning(resources: list[Resource]) -> Iterator[Finding]:
    find = covers(resources, BUCKET_VERSIONING)
    for bucket in of(resources, BUCKET):
        if find(bucket):
            continue
        inline = bucket.read("versioning.enabled", default=bucket.read("versionings.0.enabled"))
        if inline is not True:
            yield Finding("versioning", "no BucketVersioning belongs to it.", bucket.urn)


@book.rule(
    "mfa-delete",
    BUCKET_VERSIONING,
    "With MFA delete a stolen key cannot remove versions for good.",
    "Set mfaDelete to Enabled; only the root user can, with a device at hand.",
    "CIS AWS 2.1.2",
    "Trivy AWS-0170",
    "KICS c5b31ab9",
    "AWS FSBP S3.20",
    "Prowler s3_bucket_no_mfa_delete",
    severity=MEDIUM,
    level=ON_REQUEST,
)
def versions_can_be_removed(resource: Resource) -> Iterator[Finding]:
    given = resource.read("versioningConfiguration.mfaDelete")
    if known(given) and given != "Enabled":
        yield Finding("versioningConfiguration.mfaDelete", "a stolen key could remove versions for good.")


@book.rule(
    "encryption",
    BUCKET_ENCRYPTION,
    "Objects at rest are readable by whoever gets the disk, unless they are encrypted with an algorithm that S3 has.",
    "Set sseAlgorithm to AES256, aws:kms or aws:kms:dsse.",
    "CKV_AWS_19",
    "AWS FSBP S3.17",
    "KICS 6726dcc0",
    "Prowler s3_bucket_default_encryption",
)
def encryption_is_weak(resource: Resource) -> Iterator[Finding]:
    for path, _ in resource.items("rules"):
        place = f"{path}.applyServerSideEncryptionByDefault.sseAlgorithm"
        algorithm = resource.read(place)
        if known(algorithm) and algorithm not in ("AES256", "aws:kms", "aws:kms:dsse"):
            yield Finding(place, "objects would not be encrypted by default.")


@book.rule(
    "customer-key",
    BUCKET_ENCRYPTION,
    "With a key of your own, access can be taken away from everyone at once, and every use is logged.",
    "Set sseAlgorithm to aws:kms and kmsMasterKeyId to a key of yours.",
    "CKV_AWS_145",
    "Trivy AWS-0132",
    "AWS FSBP S3.17",
    "Prowler s3_bucket_kms_encryption",
    severity=MEDIUM,
    level=ON_REQUEST,
)
def key_is_not_ones_own(resource: Resource) -> Iterator[Finding]:
    for path, _ in resource.items("rules"):
        place = f"{path}.applyServerSideEncryptionByDefault.kmsMasterKeyId"
        if not resource.read(place):
            yield Finding(place, "objects would be encrypted with a key of AWS.")


@book.rule(
    "bucket-key",
    BUCKET_ENCRYPTION,
    "Without a bucket key every request is a request to KMS as well, which costs and is throttled.",
    "Set bucketKeyEnabled to true.",
    "Pulumi compliance bucket-key",
    severity=LOW,
)
def every_request_asks_kms(resource: Resource) -> Iterator[Finding]:
    for path, _ in resource.items("rules"):
        algorithm = resource.read(f"{path}.applyServerSideEncryptionByDefault.sseAlgorithm")
        if algorithm == "aws:kms" and resource.read(f"{path}.bucketKeyEnabled", default=False) is False:
            yield Finding(f"{path}.bucketKeyEnabled", "every request would ask KMS.")


book.rule(
    "object-key",
    OBJECTS,
    "An object can be encrypted with another key than its bucket's.",
    "Set kmsKeyId to a key of yours.",
    "CKV_AWS_186",
    "CKV_AWS_181",
    severity=LOW,
    level=ON_REQUEST,
)(
    lambda resource: (
        [] if resource.read("kmsKeyId") else [Finding("kmsKeyId", "it would be encrypted with a key of AWS.")]
    )
)

book.relation(
    "lifecycle",
    "Without a lifecycle old versions and broken uploads are kept, and paid for, for ever.",
    "Declare a BucketLifecycleConfiguration for it.",
    "CKV2_AWS_61",
    "AWS FSBP S3.13",
    "Prowler s3_bucket_lifecycle_enabled",
    severity=MEDIUM,
)(needs(BUCKET_LIFECYCLE, "lifecycle", "no BucketLifecycleConfiguration belongs to it."))


@book.rule(
    "lifecycle-enabled",
    BUCKET_LIFECYCLE,
    "A rule that is switched off looks like one that is at work.",
    "Set status to Enabled, or remove the rule.",
    "CKV2_AWS_61",
    severity=LOW,
)
def lifecycle_is_off(resource: Resource) -> Iterator[Finding]:
    for path, _ in resource.items("rules"):
        status = resource.read(f"{path}.status")
        if known(status) and status != "Enabled":
            yield Finding(f"{path}.status", "the rule would do nothing.")


@book.rule(
    "broken-uploads",
    BUCKET_LIFECYCLE,
    "Parts of uploads that never ended are invisible, and paid for.",
    "Add a rule with abortIncompleteMultipartUpload.daysAfterInitiation of at most 7.",
    "CKV_AWS_300",
    severity=LOW,
)
def broken_uploads_stay(resource: Resource) -> Iterator[Finding]:
    days = _of_rules(resource, "abortIncompleteMultipartUpload.daysAfterInitiation")
    if UNJUDGED not in days and not any(isinstance(each, int | float) and 0 < each <= 7 for each in days):
        yield Finding("rules", "parts of broken uploads would stay for ever.")


@book.rule(
    "old-versions",
    BUCKET_LIFECYCLE,
    "A versioned bucket keeps every version ever written unless old ones expire.",
    "Add a rule with noncurrentVersionExpiration.noncurrentDays.",
    "AWS FSBP S3.10",
    severity=LOW,
)
def old_versions_stay(resource: Resource) -> Iterator[Finding]:
    days = _of_rules(resource, "noncurrentVersionExpiration.noncurrentDays")
    if all(each is None for each in days):
        yield Finding("rules", "old versions would stay for ever.")


def _of_rules(resource: Resource, name: str) -> list[Any]:
    if not known(resource.read("rules")):
        return [UNJUDGED]
    on = [path for path, _ in resource.items("rules") if resource.read(f"{path}.status") != "Disabled"]
    return [resource.number(f"{path}.{name}") for path in on]


@book.relation(
    "object-lock",
    "With object lock not even an administrator can delete a backup before its time.",
    "Set objectLockEnabled on the bucket and declare a BucketObjectLockConfiguration.",
    "CKV_AWS_143",
    "AWS FSBP S3.15",
    "Prowler s3_bucket_object_lock",
    severity=MEDIUM,
    level=ON_REQUEST,
)
def bucket_has_no_lock(resources: list[Resource]) -> Iterator[Finding]:
    find = covers(resources, BUCKET_LOCK)
    for bucket in of(resources, BUCKET):
        if bucket.read("objectLockEnabled", default=False) is False and not find(bucket):
            yield Finding("objectLockEnabled", "objects could be deleted before their time.", bucket.urn)


for _name, _types, _reason, _fix, _problem, _frameworks in (
    (
        "access-log",
        BUCKET_LOGGING,
        "Without an access log nobody can tell afterwards who read what.",
        "Declare a BucketLogging into a bucket that is for logs.",
        "no BucketLogging belongs to it.",
        (
            "CKV_AWS_18",
            "Trivy AWS-0089",
            "AWS FSBP S3.9",
            "KICS f861041c",
            "Prowler s3_bucket_server_access_logging_enabled",
        ),
    ),
    (
        "replication",
        (BUCKET_REPLICATION,),
        "A copy in another region survives the loss of this one.",
        "Declare a BucketReplicationConfig.",
        "no BucketReplicationConfig belongs to it.",
        ("CKV_AWS_144", "AWS FSBP S3.7", "Prowler s3_bucket_cross_region_replication"),
    ),
    (
        "events",
        (BUCKET_NOTIFICATION,),
        "Without events nobody is told when objects appear or vanish.",
        "Declare a BucketNotification.",
        "no BucketNotification belongs to it.",
        ("CKV2_AWS_62", "AWS FSBP S3.11", "Prowler s3_bucket_event_notifications_enabled"),
    ),
):
    book.relation(_name, _reason, _fix, *_frameworks, severity=LOW, level=ON_REQUEST)(needs(_types, "bucket", _problem))


RULES = book.rules
