"""Keys as S3 knows them, and every call of S3 and IAM that the SDK can make, with arguments that get through."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from components.storage.policies import Statement, document
from rehearsal.clouds import servers

_numbers = itertools.count(1)
CONFIG = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})

# Calls that the emulator takes for others, or that only directory buckets know. On AWS the key is refused all of
# them by name: none is among the actions that `nothing_but` leaves.
NOT_EMULATED = {
    *("CreateSession", "ListDirectoryBuckets", "RenameObject", "WriteGetObjectResponse"),
    *("GetObjectAnnotation", "ListObjectAnnotations", "PutObjectAnnotation", "DeleteObjectAnnotation"),
    *("GetBucketAbac", "GetBucketMetadataConfiguration", "GetBucketMetadataTableConfiguration"),
    *("GetObjectTorrent", "UpdateObjectEncryption"),
}
# Arguments that cannot be made up from the description.
SPECIAL = {"SessionDuration": 300}


@dataclass(frozen=True)
class Key:
    id: str
    secret: str = field(repr=False)
    user: str


def client(clouds: servers.Clouds, service: str, key: Key | None = None) -> Any:
    """As the account's owner, or with a key."""
    identity = (clouds.aws_key, clouds.aws_secret) if key is None else (key.id, key.secret)
    return boto3.client(
        service,
        region_name=servers.REGION,
        endpoint_url=clouds.aws,
        aws_access_key_id=identity[0],
        aws_secret_access_key=identity[1],
        config=CONFIG,
    )


def new_bucket(clouds: servers.Clouds, **options: Any) -> str:
    name = f"bucket-{next(_numbers)}-of-keys"
    s3 = client(clouds, "s3")
    place = {"LocationConstraint": servers.REGION}
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=place, **options)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def new_key(clouds: servers.Clouds, statements: list[Statement]) -> Key:
    iam, user = client(clouds, "iam"), f"user-{next(_numbers)}"
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="own", PolicyDocument=document(statements))
    made = iam.create_access_key(UserName=user)["AccessKey"]
    return Key(made["AccessKeyId"], made["SecretAccessKey"], user)


def outcome(call: Any, **arguments: Any) -> str:
    """The code of the refusal, or nothing."""
    try:
        answer = call(**arguments)
    except ClientError as error:
        # The answer to HEAD has no body: its status is all there is.
        return str(error.response["Error"]["Code"]).replace("403", "AccessDenied")
    # DeleteObjects answers 200, and for each object whether it went.
    return str(answer["Errors"][0]["Code"]) if answer.get("Errors") else ""


def operations(api: Any) -> Iterator[tuple[str, str]]:
    """Name in the API and method of the client, for all that the SDK knows."""
    named = {api.meta.method_to_api_mapping[method]: method for method in dir(api) if _is_call(api, method)}
    yield from sorted((name, method) for name, method in named.items() if name not in NOT_EMULATED)


def _is_call(api: Any, method: str) -> bool:
    return method in api.meta.method_to_api_mapping


def arguments(api: Any, operation: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """What the call requires, and whatever of what is known it takes, made up from the SDK's own description."""
    shape = api.meta.service_model.operation_model(operation).input_shape
    if shape is None:
        return {}
    members = {
        name: member for name, member in shape.members.items() if name in shape.required_members or name in known
    }
    return {name: {**SPECIAL, **known}.get(name, _example(member)) for name, member in members.items()}


def _example(shape: Any) -> Any:
    if shape.type_name == "structure":
        return {name: _example(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "list":
        return [_example(shape.member)]
    if shape.type_name == "map":
        return {}
    if shape.type_name == "string":
        return shape.enum[0] if getattr(shape, "enum", None) else "x" * max(1, shape.metadata.get("min", 1))
    return {"integer": 1, "long": 1, "boolean": True, "timestamp": "2030-01-01T00:00:00Z", "blob": b"x"}[
        shape.type_name
    ]
