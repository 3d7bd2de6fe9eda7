"""What the embedded clouds hold: asked of the clouds themselves, or of the files that stand for what is not there."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from rehearsal.clouds.servers import Clouds, start

OBJECTS = "home/clouds"
# How a state file marks a secret, whose value it keeps encrypted.
SECRET_MARK = "4dabf18193072939515e22adb298388d"  # noqa: S105

Held = tuple[str, str]


def find_in_rehearsal(workspace: Path, operation: Mapping[str, Any], taken: frozenset[str]) -> str | None:
    """The id of what was made from these inputs and is nobody else's; what is secret cannot be compared."""
    wanted = operation.get("inputs", {})
    readable = {key: value for key, value in wanted.items() if not key.startswith("__") and not is_secret(value)}
    if operation["type"].startswith(("aws:", "cloudflare:")):
        from rehearsal.offline.plugins.acting import find  # noqa: PLC0415  (the folder may have been deleted)

        return find(workspace / "home", operation["type"], readable, taken)
    for kept in kept_in(workspace):
        if kept["type"] != operation["type"] or kept["id"] in taken:
            continue
        if all(kept["inputs"].get(key) == value for key, value in readable.items()):
            return str(kept["id"])
    return None


def is_secret(value: Any) -> bool:
    return isinstance(value, Mapping) and SECRET_MARK in value


def kept_in(workspace: Path) -> list[dict[str, Any]]:
    """What is only written down, because nothing of the rehearsal stands behind it."""
    return [json.loads(file.read_text()) for file in sorted((workspace / OBJECTS).rglob("*.json"))]


def published(workspace: Path, bucket: str, key: str) -> str | None:
    """The content of one object in one of the rehearsal's buckets."""
    s3 = client(start(clouds_of(workspace)), "s3")
    try:
        return str(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())
    except (s3.exceptions.NoSuchKey, s3.exceptions.NoSuchBucket):
        return None


def clouds_of(workspace: Path) -> Path:
    """Shared by the projects of one rehearsal."""
    return workspace.parent / "clouds"


def client(clouds: Clouds, service: str) -> Any:
    """AWS's own SDK on the emulated account."""
    import boto3  # noqa: PLC0415  it takes a moment

    keys = {"aws_access_key_id": clouds.aws_key, "aws_secret_access_key": clouds.aws_secret}
    return boto3.client(service, region_name="eu-west-1", endpoint_url=clouds.aws, **keys)


def held(workspace: Path) -> Iterator[Held]:
    """Type and id of everything that is made, and not only set, in the account and in the rehearsal's zones."""
    clouds = start(clouds_of(workspace))
    yield from _in_s3(client(clouds, "s3"))
    yield from _in_iam(client(clouds, "iam"))
    for zone in json.loads((workspace / "home" / "rehearsal.json").read_text())["zones"]:
        yield from _in_zone(clouds, zone)
    yield from ((kept["type"], kept["id"]) for kept in kept_in(workspace))


def _in_s3(s3: Any) -> Iterator[Held]:
    for bucket in s3.list_buckets()["Buckets"]:
        yield "aws:s3/bucket:Bucket", bucket["Name"]
        for found in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ()):
            yield "aws:s3/bucketObjectv2:BucketObjectv2", f"{bucket['Name']}/{found['Key']}"


def _in_iam(iam: Any) -> Iterator[Held]:
    for user in iam.list_users()["Users"]:
        name = user["UserName"]
        yield "aws:iam/user:User", name
        for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
            yield "aws:iam/userPolicy:UserPolicy", f"{name}:{policy}"
        for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            yield "aws:iam/accessKey:AccessKey", key["AccessKeyId"]


IN_A_ZONE = {
    "dns_records": "cloudflare:index/dnsRecord:DnsRecord",
    "rulesets": "cloudflare:index/ruleset:Ruleset",
    "healthchecks": "cloudflare:index/healthcheck:Healthcheck",
}


def _in_zone(clouds: Clouds, zone: str) -> Iterator[Held]:
    for part, kind in IN_A_ZONE.items():
        url = f"{clouds.cloudflare}/zones/{zone}/{part}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {clouds.cloudflare_token}"})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  on loopback
                yield from ((kind, found["id"]) for found in json.loads(answer.read())["result"])
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.NOT_FOUND:  # nothing has run yet
                raise
