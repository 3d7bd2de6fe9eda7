"""A private bucket: encrypted, TLS only, no ACLs, no public access, versioned, tidied up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.storage.config import ObjectLock
from components.storage.lifecycle import LifecycleRule
from components.storage.policies import Statement, document, tls_only


@dataclass(frozen=True)
class PrivateBucketArgs:
    bucket: str
    """Its name, unique among all customers of AWS."""
    region: str | None = None
    """Where it is; None: where its provider is."""
    lifecycle: Sequence[LifecycleRule] = ()
    versioned: bool = True
    upload_origins: Sequence[str] = ()
    """Pages that may upload from the browser."""
    object_lock: ObjectLock | None = None
    access_logs: PrivateBucket | None = None
    """The bucket that access logs go to."""
    statements: Sequence[Statement] = ()
    """What its policy says beyond TLS only."""
    disposable: bool = False
    """Its objects may be destroyed with it."""
    tags: Mapping[str, str] = field(default_factory=dict)


class PrivateBucket(pulumi.ComponentResource):
    """`pulumi destroy` refuses it, and forgets rather than deletes it, unless its data was declared disposable."""

    args: PrivateBucketArgs
    bucket: aws.s3.Bucket
    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    versioning: aws.s3.BucketVersioning
    """Replication wants it on before it begins."""
    policy: aws.s3.BucketPolicy
    """Who writes by it has to wait for it."""

    def __init__(self, name: str, args: PrivateBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("infra:storage:PrivateBucket", name, None, opts)
        self._prefix, self.args = name, args
        self.bucket = self._bucket()
        self.name, self.arn = self.bucket.bucket, self.bucket.arn
        self._close()
        self._encrypt()
        self._keep_versions()
        self._tidy_up()
        self._permit_uploads()
        self._lock()
        self._log()
        self.register_outputs({"bucket": self.name, "arn": self.arn})

    def _bucket(self) -> aws.s3.Bucket:
        # The data outlives a deleted line of code: destroy refuses, and a forced removal leaves it in the account.
        kept = not self.args.disposable
        return aws.s3.Bucket(
            f"{self._prefix}-bucket",
            bucket=self.args.bucket,
            region=self.args.region,
            force_destroy=self.args.disposable,
            # Only said where it is wanted: to say no to a bucket that was imported would replace it.
            object_lock_enabled=True if self.args.object_lock else None,
            tags={**self.args.tags, **({"data": "disposable"} if self.args.disposable else {})},
            opts=pulumi.ResourceOptions(parent=self, protect=kept, retain_on_delete=kept),
        )

    def _close(self) -> None:
        aws.s3.BucketOwnershipControls(
            f"{self._prefix}-ownership",
            bucket=self.name,
            region=self.args.region,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=self._child(),
        )
        block = aws.s3.BucketPublicAccessBlock(
            f"{self._prefix}-access-block",
            bucket=self.name,
            region=self.args.region,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._child(),
        )
        # S3 answers 409 when a policy and the access block are written at the same time.
        self.policy = aws.s3.BucketPolicy(
            f"{self._prefix}-policy",
            bucket=self.name,
            region=self.args.region,
            policy=document([*self.args.statements, tls_only(self.args.bucket)]),
            opts=self._child(block),
        )

    def _encrypt(self) -> None:
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{self._prefix}-encryption",
            bucket=self.name,
            region=self.args.region,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=self._child(),
        )

    def _keep_versions(self) -> None:
        self.versioning = aws.s3.BucketVersioning(
            f"{self._prefix}-versioning",
            bucket=self.name,
            region=self.args.region,
            versioning_configuration={"status": "Enabled" if self.args.versioned else "Suspended"},
            opts=self._child(),
        )

    def _tidy_up(self) -> None:
        if self.args.lifecycle:
            aws.s3.BucketLifecycleConfiguration(
                f"{self._prefix}-lifecycle",
                bucket=self.name,
                region=self.args.region,
                rules=[rule_args(rule) for rule in self.args.lifecycle],
                opts=self._child(),
            )

    def _permit_uploads(self) -> None:
        if self.args.upload_origins:
            aws.s3.BucketCorsConfiguration(
                f"{self._prefix}-cors",
                bucket=self.name,
                region=self.args.region,
                cors_rules=[
                    {
                        "allowed_origins": list(self.args.upload_origins),
                        "allowed_methods": ["GET", "PUT", "POST"],
                        "allowed_headers": ["*"],
                        "expose_headers": ["ETag"],
                        "max_age_seconds": 86400,
                    }
                ],
                opts=self._child(),
            )

    def _lock(self) -> None:
        lock = self.args.object_lock
        if lock is not None:
            aws.s3.BucketObjectLockConfiguration(
                f"{self._prefix}-lock",
                bucket=self.name,
                region=self.args.region,
                rule={"default_retention": {"mode": lock.mode.value.upper(), "days": lock.days}},
                opts=self._child(),
            )

    def _log(self) -> None:
        logs = self.args.access_logs
        if logs is not None:
            aws.s3.BucketLogging(
                f"{self._prefix}-logging",
                bucket=self.name,
                region=self.args.region,
                target_bucket=logs.name,
                target_prefix=f"{self.args.bucket}/",
                # S3 looks whether it may write there.
                opts=self._child(logs.policy),
            )

    def _child(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(after))


def rule_args(rule: LifecycleRule) -> aws.s3.BucketLifecycleConfigurationRuleArgsDict:
    """S3 refuses a rule that has no filter and one that has an empty action, so only what is said is sent."""
    args: aws.s3.BucketLifecycleConfigurationRuleArgsDict = {
        "id": rule.id,
        "status": "Enabled",
        "filter": {"prefix": rule.prefix},
    }
    if rule.steps:
        args["transitions"] = [{"days": step.days, "storage_class": step.storage_class} for step in rule.steps]
    if rule.delete_after is not None:
        args["expiration"] = {"days": rule.delete_after}
    elif rule.markers:
        args["expiration"] = {"expired_object_delete_marker": True}
    if rule.old_versions is not None:
        args["noncurrent_version_expiration"] = {"noncurrent_days": rule.old_versions}
    if rule.unfinished_uploads is not None:
        args["abort_incomplete_multipart_upload"] = {"days_after_initiation": rule.unfinished_uploads}
    return args
