"""The plain part of a stack's outputs, where other teams can fetch it without any key of the stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.outputs import Outputs
from components.publish.config import OBJECT, PublishSettings
from components.storage.bucket import PrivateBucket, PrivateBucketArgs
from components.storage.lifecycle import LifecycleRule
from components.storage.policies import readable_by


@dataclass(frozen=True)
class PublishedContractArgs:
    settings: PublishSettings
    outputs: pulumi.Input[Outputs]
    disposable: bool
    tags: Mapping[str, str]


class PublishedContract(pulumi.ComponentResource):
    """Every `up` that changes the outputs writes a new version; the earlier ones stay readable for a year."""

    def __init__(self, name: str, args: PublishedContractArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("infra:publish:PublishedContract", name, None, opts)
        readers = args.settings.readers
        bucket = PrivateBucket(
            f"{name}-outputs",
            PrivateBucketArgs(
                bucket=args.settings.bucket,
                lifecycle=[LifecycleRule("tidy-up", old_versions=365, unfinished_uploads=7)],
                statements=[readable_by(args.settings.bucket, readers)] if readers else [],
                disposable=args.disposable,
                tags={**args.tags, "holds": "outputs"},
            ),
            pulumi.ResourceOptions(parent=self),
        )
        aws.s3.BucketObjectv2(
            f"{name}-contract",
            bucket=bucket.name,
            key=OBJECT,
            content=pulumi.Output.from_input(args.outputs).apply(lambda outputs: outputs.model_dump_json(indent=2)),
            content_type="application/json",
            opts=pulumi.ResourceOptions(parent=self, depends_on=[bucket]),
        )
        self.register_outputs({"bucket": bucket.name, "key": OBJECT})
