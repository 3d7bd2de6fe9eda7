"""Buckets that exist already are taken into the state with their objects, before anything changes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import click

from components.adoption import VARIABLE, key
from ops.bootstrap import ask
from ops.errors import OperatorError
from ops.session import Session, say

BUCKET = "aws:s3/bucket:Bucket"
# What S3 keeps beside a bucket: the resource's type, how it is asked for, and what shows that it has been set.
SETTINGS = {
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": ("get_bucket_cors", "CORSRules"),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        "get_bucket_lifecycle_configuration",
        "Rules",
    ),
    "aws:s3/bucketLogging:BucketLogging": ("get_bucket_logging", "LoggingEnabled"),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": (
        "get_object_lock_configuration",
        "ObjectLockConfiguration",
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ("get_bucket_ownership_controls", "OwnershipControls"),
    "aws:s3/bucketPolicy:BucketPolicy": ("get_bucket_policy", "Policy"),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": (
        "get_public_access_block",
        "PublicAccessBlockConfiguration",
    ),
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": ("get_bucket_replication", "ReplicationConfiguration"),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "get_bucket_encryption",
        "ServerSideEncryptionConfiguration",
    ),
    "aws:s3/bucketVersioning:BucketVersioning": ("get_bucket_versioning", "Status"),
}


@dataclass(frozen=True)
class Planned:
    """A resource that the next `up` would create."""

    urn: str
    type: str
    parent: str
    bucket: str

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]


@dataclass(frozen=True)
class Found:
    """What an `up` would create, and what of that exists already."""

    planned: Mapping[str, Planned]
    there: Sequence[Planned]


def looked_for(session: Session) -> Found:
    planned, s3 = planned_by(session), client_for(session)
    return Found(planned, [each for each in planned.values() if exists(s3, each)])


def take_over(session: Session, found: Found, yes: bool) -> None:
    """With objects and settings, into the state; then the difference is shown."""
    for line in described(client_for(session), found.there):
        say(line)
    ask("Take these into the state as they are?", yes)
    import_as_they_are(session, found.there, with_components(found.there, found.planned))
    say("Taken over, and changed in nothing. This is what the next `./infra up` would change in them:")
    for line in differences(steps_of(session), {each.bucket for each in found.there}):
        click.echo(line)


def planned_by(session: Session) -> dict[str, Planned]:
    """By URN; components as well, because what they hold can only be imported with them."""
    created = [step["newState"] for step in steps_of(session) if step["op"] == "create"]
    return {each["urn"]: _planned(each) for each in created}


def steps_of(session: Session) -> list[dict[str, Any]]:
    return list(json.loads(unjudged(session).ask("preview", "--json"))["steps"])


def differences(steps: Sequence[Mapping[str, Any]], buckets: Collection[str]) -> Iterator[str]:
    """What is there and what will be, property by property; nothing for what stays."""
    for step in steps:
        new = (step.get("newState") or {}).get("inputs") or {}
        if new.get("bucket") not in buckets or step["op"] == "same":
            continue
        old = (step.get("oldState") or {}).get("inputs") or {}
        yield f"{step['op']} {step['urn'].rpartition('::')[2]}"
        for name in step.get("diffReasons") or sorted({*new} - {"__defaults", "bucket"}):
            yield f"    {name}: {shown(old.get(name))} -> {shown(new.get(name))}"


def shown(value: Any) -> str:
    return "(not set)" if value is None else json.dumps(plain(value), sort_keys=True)


def plain(value: Any) -> Any:
    """Without the engine's own marks."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if not key.startswith("__")}
    return [plain(item) for item in value] if isinstance(value, list) else value


def _planned(state: Mapping[str, Any]) -> Planned:
    bucket = (state.get("inputs") or {}).get("bucket")
    named = bucket if isinstance(bucket, str) else ""
    return Planned(state["urn"], state["type"], state.get("parent", ""), named)


def client_for(session: Session) -> Any:
    if session.target.rehearsal:
        from rehearsal.clouds.servers import start  # noqa: PLC0415
        from rehearsal.inventory import client as emulated  # noqa: PLC0415  real stacks have none
        from rehearsal.inventory import clouds_of  # noqa: PLC0415

        return emulated(start(clouds_of(session.folder.parent)), "s3")
    from ops.aws import client  # noqa: PLC0415  boto3 takes a moment

    return client("s3")


def exists(s3: Any, planned: Planned) -> bool:
    if not planned.bucket:
        return False
    if planned.type == BUCKET:
        return answers(s3.head_bucket, planned.bucket) is not None
    if planned.type not in SETTINGS:
        return False
    operation, shows = SETTINGS[planned.type]
    return shows in (answers(getattr(s3, operation), planned.bucket) or {})


def answers(call: Callable[..., Any], bucket: str) -> dict[str, Any] | None:
    """None if there is no such bucket or setting."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  as above

    try:
        return dict(call(Bucket=bucket))
    except ClientError as error:
        code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 404:
            return None
        refused = f"These credentials may not look at the bucket {bucket} ({code})"
        raise OperatorError(f"{refused}: it belongs to somebody else, or a permission is missing.") from None
    except BotoCoreError as error:
        raise OperatorError(f"AWS could not be asked about the bucket {bucket}: {error}") from None


def described(s3: Any, found: Sequence[Planned]) -> Iterator[str]:
    for bucket in [each for each in found if each.type == BUCKET]:
        objects = s3.list_objects_v2(Bucket=bucket.bucket)
        count = f"{objects['KeyCount']}{' or more' if objects['IsTruncated'] else ''} objects"
        set_there = sorted(
            each.type.rpartition(":Bucket")[2] for each in found if each.bucket == bucket.bucket and each != bucket
        )
        yield f"{bucket.bucket} exists, with {count} and its own {', '.join(set_there) or 'defaults'}"


def with_components(found: Sequence[Planned], planned: Mapping[str, Planned]) -> list[str]:
    """What is taken over, and the components that hold it: the engine makes no child of a parent that it must leave."""
    urns: list[str] = []
    for each in found:
        urn = each.urn
        while urn in planned and urn not in urns:
            urns.append(urn)
            urn = planned[urn].parent
    return urns


def import_as_they_are(session: Session, found: Sequence[Planned], urns: Sequence[str]) -> None:
    named = {key(each.type, each.name): each.bucket for each in found}
    importing = unjudged(session)
    targets = [word for urn in urns for word in ("--target", urn)]
    done = subprocess.run(
        ["pulumi", "--non-interactive", "up", "--yes", "--skip-preview", *targets, "--stack", session.target.stack],
        cwd=session.folder,
        env={**importing.environment, VARIABLE: json.dumps(named)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        told = [line.strip() for line in done.stdout.splitlines() if "error: " in line]
        raise OperatorError("They could not be taken over: " + (told[0] if told else done.stderr.strip()))


def unjudged(session: Session) -> Session:
    """Without the policies: they would judge how others left a bucket, before it can be put right."""
    environment = {name: value for name, value in session.environment.items() if "POLICY_PACK" not in name}
    return replace(session, environment=environment)
