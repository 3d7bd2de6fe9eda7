"""Cloudflare R2 as the store for uploads, with what it has of S3's settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.sdk import enter_lightly
from components.storage.config import R2, MediaBucket

enter_lightly("pulumi_cloudflare")

from pulumi_cloudflare._inputs import R2BucketLifecycleRuleArgsDict  # noqa: E402
from pulumi_cloudflare.r2_bucket import R2Bucket  # noqa: E402
from pulumi_cloudflare.r2_bucket_cors import R2BucketCors  # noqa: E402
from pulumi_cloudflare.r2_bucket_lifecycle import R2BucketLifecycle  # noqa: E402

DAY = 86400


@dataclass(frozen=True)
class R2MediaArgs:
    media: MediaBucket
    r2: R2
    upload_origins: Sequence[str]
    disposable: bool


class R2Media(pulumi.ComponentResource):
    """Private and encrypted by itself. It keeps no old versions: what is deleted there is gone."""

    name: pulumi.Output[str]

    def __init__(self, name: str, args: R2MediaArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("infra:storage:R2Media", name, None, opts)
        kept = not args.disposable
        account, within = args.r2.account_id, args.r2.jurisdiction.value
        bucket = R2Bucket(
            f"{name}-bucket",
            account_id=account,
            name=args.media.name,
            jurisdiction=within,
            opts=pulumi.ResourceOptions(parent=self, protect=kept, retain_on_delete=kept),
        )
        self.name = bucket.name
        ours = pulumi.ResourceOptions(parent=self)
        R2BucketLifecycle(
            f"{name}-lifecycle",
            account_id=account,
            bucket_name=bucket.name,
            jurisdiction=within,
            rules=rules(args.media),
            opts=ours,
        )
        R2BucketCors(
            f"{name}-cors",
            account_id=account,
            bucket_name=bucket.name,
            jurisdiction=within,
            rules=[
                {
                    "allowed": {
                        "origins": list(args.upload_origins),
                        "methods": ["GET", "PUT", "POST"],
                        "headers": ["*"],
                    },
                    "expose_headers": ["ETag"],
                    "max_age_seconds": DAY,
                }
            ],
            opts=ours,
        )
        self.register_outputs({"bucket": self.name})


def rules(media: MediaBucket) -> list[R2BucketLifecycleRuleArgsDict]:
    unfinished: R2BucketLifecycleRuleArgsDict = {
        "id": "tidy-up",
        "enabled": True,
        "conditions": {"prefix": ""},
        "abort_multipart_uploads_transition": {
            "condition": {"type": "Age", "max_age": media.unfinished_uploads * DAY},
        },
    }
    if media.infrequent_after is not None:
        unfinished["storage_class_transitions"] = [
            {
                "condition": {"type": "Age", "max_age": media.infrequent_after * DAY},
                "storage_class": "InfrequentAccess",
            }
        ]
    return [unfinished]
