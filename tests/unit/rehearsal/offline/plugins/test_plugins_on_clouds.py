"""aws and cloudflare on the emulated clouds: made, found unchanged, changed from outside, imported, removed."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from plugin_driver import ZONE, Driver, authority, stand_in

from rehearsal.clouds.servers import Clouds, start, stop
from rehearsal.inventory import client
from rehearsal.offline.plugins import buckets, identities, zones

Of = Callable[[str], Driver]
S3, CF = "aws:s3/", "cloudflare:index/"
ACCOUNT = "0" * 31 + "1"
ON = {"zoneId": ZONE}
DENY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "x", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::{}/*"}
    ],
}
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]}
RULE = {"id": "old", "status": "Enabled", "filter": {"prefix": "a/"}, "expiration": {"days": 30}}
REDIRECT = {
    "action": "redirect",
    "expression": 'http.host eq "www.neurmatic.example"',
    "description": "to the apex",
    "actionParameters": {"fromValue": {"statusCode": 301, "targetUrl": {"value": "https://neurmatic.example"}}},
}


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clouds]:
    folder = tmp_path_factory.mktemp("clouds")
    yield start(folder)
    stop(folder)


@pytest.fixture
def of(clouds: Clouds, tmp_path: Path) -> Iterator[Of]:
    """A driver for one type, over the clouds of this file."""
    servers = []

    def drive(token: str) -> Driver:
        driver, server = stand_in(token.split(":", maxsplit=1)[0], tmp_path, clouds=clouds.folder)
        servers.append(server)
        driver.configure({"region": "eu-west-1"} if token.startswith("aws") else {})
        driver.token = token
        return driver

    yield drive
    for server in servers:
        server.stop(None)


def put(driver: Driver, inputs: dict[str, Any]) -> dict[str, Any]:
    checked = driver.play({"do": "check", "with": inputs})
    assert "inputs" in checked, checked
    return driver.play({"do": "create"})


def difference(driver: Driver, inputs: dict[str, Any]) -> dict[str, Any]:
    checked = driver.play({"do": "check", "with": inputs})
    assert "inputs" in checked, checked
    return dict(driver.play({"do": "diff"})["paths"])


def bucket(of: Of, name: str, **extra: Any) -> str:
    made = put(of(S3 + "bucket:Bucket"), {"bucket": name, "forceDestroy": True, **extra})
    assert "id" in made, made
    return name


# For each type: what it is made of, and what is changed then. {} is a bucket of its own, or a user.
LIVES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    S3 + "bucket:Bucket": ({"bucket": "{}-own", "tags": {"a": "1"}}, {"tags": {"a": "2"}}),
    S3 + "bucketVersioning:BucketVersioning": (
        {"bucket": "{}", "versioningConfiguration": {"status": "Enabled"}},
        {"versioningConfiguration": {"status": "Suspended"}},
    ),
    S3 + "bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        {"bucket": "{}", "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]},
        {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}]},
    ),
    S3 + "bucketPublicAccessBlock:BucketPublicAccessBlock": (
        {"bucket": "{}", "blockPublicAcls": True, "blockPublicPolicy": True},
        {"blockPublicAcls": False},
    ),
    S3 + "bucketOwnershipControls:BucketOwnershipControls": (
        {"bucket": "{}", "rule": {"objectOwnership": "BucketOwnerEnforced"}},
        {"rule": {"objectOwnership": "ObjectWriter"}},
    ),
    S3 + "bucketPolicy:BucketPolicy": (
        {"bucket": "{}", "policy": json.dumps(DENY)},
        {"policy": json.dumps(DENY).replace("PutObject", "GetObject")},
    ),
    S3 + "bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        {"bucket": "{}", "rules": [RULE]},
        {"rules": [{**RULE, "expiration": {"days": 60}}]},
    ),
    S3 + "bucketCorsConfiguration:BucketCorsConfiguration": (
        {"bucket": "{}", "corsRules": [{"allowedMethods": ["GET", "PUT"], "allowedOrigins": ["https://a"]}]},
        {"corsRules": [{"allowedMethods": ["GET"], "allowedOrigins": ["https://a"]}]},
    ),
    S3 + "bucketObjectLockConfiguration:BucketObjectLockConfiguration": (
        {"bucket": "{}", "rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 1}}},
        {"rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 2}}},
    ),
    S3 + "bucketObjectv2:BucketObjectv2": (
        {"bucket": "{}", "key": "a/b.json", "content": "{}", "contentType": "application/json"},
        {"content": "[]"},
    ),
    "aws:iam/user:User": ({"name": "{}-own", "tags": {"a": "1"}}, {"tags": {"b": "1"}}),
    "aws:iam/userPolicy:UserPolicy": (
        {"user": "{}", "name": "p", "policy": json.dumps(ALLOW)},
        {"policy": json.dumps(ALLOW).replace("ListAll", "Get")},
    ),
    "aws:iam/policy:Policy": (
        {"name": "{}", "policy": json.dumps(ALLOW)},
        {"policy": json.dumps({**ALLOW, "Id": "x"})},
    ),
    "aws:iam/accessKey:AccessKey": ({"user": "{}"}, {"status": "Inactive"}),
    CF + "dnsRecord:DnsRecord": (
        {**ON, "name": "www.neurmatic.example", "type": "A", "content": "203.0.113.1", "ttl": 1, "proxied": True},
        {"content": "203.0.113.2"},
    ),
    CF + "ruleset:Ruleset": (
        {**ON, "name": "r", "kind": "zone", "phase": "http_request_dynamic_redirect", "rules": [REDIRECT]},
        {"rules": [{**REDIRECT, "description": "elsewhere"}]},
    ),
    CF + "zoneSetting:ZoneSetting": ({**ON, "settingId": "ssl", "value": "strict"}, {"value": "full"}),
    CF + "zoneDnssec:ZoneDnssec": ({**ON, "status": "active"}, {"status": "disabled"}),
    CF + "botManagement:BotManagement": ({**ON, "enableJs": True}, {"enableJs": False}),
    CF + "urlNormalizationSettings:UrlNormalizationSettings": (
        {**ON, "scope": "both", "type": "cloudflare"},
        {"scope": "incoming"},
    ),
    CF + "tieredCache:TieredCache": ({**ON, "value": "on"}, {"value": "off"}),
    CF + "argoTieredCaching:ArgoTieredCaching": ({**ON, "value": "on"}, {"value": "off"}),
    CF + "authenticatedOriginPullsSettings:AuthenticatedOriginPullsSettings": (
        {**ON, "enabled": True},
        {"enabled": False},
    ),
    CF + "healthcheck:Healthcheck": (
        {
            **ON,
            "name": "h",
            "address": "neurmatic.example",
            "type": "HTTPS",
            "httpConfig": {"path": "/up", "expectedCodes": ["200"]},
        },
        {"retries": 3},
    ),
    CF + "notificationPolicy:NotificationPolicy": (
        {
            "accountId": ACCOUNT,
            "name": "n",
            "alertType": "universal_ssl_event_type",
            "enabled": True,
            "mechanisms": {"emails": [{"id": "a@neurmatic.example"}]},
        },
        {"enabled": False},
    ),
    CF + "list:List": (
        {"accountId": ACCOUNT, "name": "l", "kind": "ip", "items": [{"ip": "203.0.113.7"}]},
        {"description": "what it is for"},
    ),
}
MADE_ONLY = (
    CF + "zone:Zone",
    S3 + "bucketLogging:BucketLogging",
    S3 + "bucketReplicationConfig:BucketReplicationConfig",
)
MADE_ONLY += (CF + "authenticatedOriginPullsCertificate:AuthenticatedOriginPullsCertificate",)
MADE_ONLY += (CF + "originCaCertificate:OriginCaCertificate", "aws:iam/userPolicyAttachment:UserPolicyAttachment")


def test_every_type_that_acts_is_tried_here() -> None:
    assert {*LIVES, *MADE_ONLY} == {*buckets.ACTORS, *identities.ACTORS, *zones.ACTORS}


@pytest.mark.parametrize("token", sorted(LIVES))
def test_it_lives(of: Of, token: str) -> None:
    """Made and found as it is; changed, and found so; gone for good."""
    own, driver = f"life-{token.rpartition(':')[2].lower()}"[:60], of(token)
    if token.startswith("aws:s3") and "own" not in LIVES[token][0]["bucket"]:
        bucket(of, own, objectLockEnabled="ObjectLock" in token)
    if "user" in LIVES[token][0]:
        put(of("aws:iam/user:User"), {"name": own})
    inputs, change = (
        json.loads(json.dumps(each).replace("{}", own) if "key" not in each else json.dumps(each))
        for each in LIVES[token]
    )
    if inputs.get("bucket") == "{}":
        inputs["bucket"] = own
    made = put(driver, inputs)
    assert "id" in made, made
    unchanged(driver, inputs)
    assert difference(driver, {**inputs, **change}), "the change is not seen"
    updated = driver.play({"do": "update"})
    assert "error" not in updated, updated
    unchanged(driver, {**inputs, **change})
    assert driver.play({"do": "delete"}) == {}
    found = driver.play({"do": "read"})
    assert (found["id"] != "") == stays(token), found


def stays(token: str) -> bool:
    """What a bucket or a zone always has can be set, and not removed."""
    if token in zones.ACTORS:
        return not zones.ACTORS[token].row.create
    return token.endswith((":BucketVersioning", "LockConfiguration", "EncryptionConfiguration"))


def unchanged(driver: Driver, inputs: dict[str, Any]) -> None:
    assert difference(driver, inputs) == {}
    found = driver.play({"do": "refresh"})
    assert found["id"] == driver.identity, found
    assert difference(driver, inputs) == {}, "a refresh shows a change that nobody made"


def test_boto3_sees_what_was_made_and_a_refresh_sees_what_boto3_did(of: Of, clouds: Clouds) -> None:
    name, s3 = bucket(of, "seen-from-outside"), client(clouds, "s3")
    driver = of(S3 + "bucketVersioning:BucketVersioning")
    inputs = {"bucket": name, "versioningConfiguration": {"status": "Enabled"}}
    put(driver, inputs)
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
    driver.play({"do": "refresh"})
    assert list(difference(driver, inputs)) == ["versioningConfiguration.status"]


def test_what_was_removed_from_outside_is_gone(of: Of, clouds: Clouds) -> None:
    driver = of(S3 + "bucket:Bucket")
    put(driver, {"bucket": "soon-gone"})
    client(clouds, "s3").delete_bucket(Bucket="soon-gone")
    assert driver.play({"do": "read"})["id"] == ""
    assert driver.play({"do": "delete"}) == {}


def test_a_bucket_that_exists_is_imported_and_not_made_again(of: Of, clouds: Clouds) -> None:
    where = {"LocationConstraint": "eu-west-1"}
    client(clouds, "s3").create_bucket(Bucket="was-there", CreateBucketConfiguration=where)
    driver = of(S3 + "bucket:Bucket")
    found = driver.play({"do": "read", "import": "was-there"})
    assert (found["id"], found["properties"]["arn"]) == ("was-there", "arn:aws:s3:::was-there")
    refused = put(driver, {"bucket": "was-there"})["error"]
    assert (
        "creating S3 Bucket (was-there): operation error S3: CreateBucket, https response error StatusCode: 409"
        in refused
    )
    assert "BucketAlreadyOwnedByYou" in refused


def test_a_full_bucket_goes_only_when_told_so(of: Of, clouds: Clouds) -> None:
    driver = of(S3 + "bucket:Bucket")
    put(driver, {"bucket": "full"})
    client(clouds, "s3").put_object(Bucket="full", Key="a", Body=b"b")
    assert "BucketNotEmpty" in driver.play({"do": "delete"})["error"]
    driver.state["forceDestroy"] = True
    assert driver.play({"do": "delete"}) == {}


def test_tags_of_the_provider_are_added_there_and_shown_nowhere(clouds: Clouds, tmp_path: Path) -> None:
    driver, server = stand_in("aws", tmp_path, clouds=clouds.folder)
    driver.configure({"region": "eu-west-1", "defaultTags": json.dumps({"tags": {"product": "x"}})})
    driver.token = S3 + "bucket:Bucket"
    inputs = {"bucket": "tagged", "tags": {"own": "1"}}
    made = put(driver, inputs)
    assert made["properties"]["tagsAll"] == {"product": "x", "own": "1"}
    found = client(clouds, "s3").get_bucket_tagging(Bucket="tagged")["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in found} == {"product": "x", "own": "1"}
    unchanged(driver, inputs)
    server.stop(None)


def test_a_user_acts_with_the_key_that_was_made(of: Of, clouds: Clouds) -> None:
    put(of("aws:iam/user:User"), {"name": "reader"})
    put(of("aws:iam/userPolicy:UserPolicy"), {"user": "reader", "name": "p", "policy": json.dumps(ALLOW)})
    key = put(of("aws:iam/accessKey:AccessKey"), {"user": "reader"})
    secret = key["properties"]["secret"]
    assert secret["$"] == "secret"
    import boto3  # noqa: PLC0415

    s3 = boto3.client(
        "s3",
        region_name="eu-west-1",
        endpoint_url=clouds.aws,
        aws_access_key_id=key["id"],
        aws_secret_access_key=secret["value"],
    )
    assert "Buckets" in s3.list_buckets()


@pytest.mark.parametrize("token", [CF + "authenticatedOriginPullsCertificate:AuthenticatedOriginPullsCertificate"])
def test_a_certificate_is_uploaded_read_and_removed(of: Of, token: str) -> None:
    inputs = {**ON, "certificate": authority()["certificate"], "privateKey": authority()["key"]}
    driver = of(token)
    made = put(driver, inputs)
    assert "id" in made, made
    unchanged(driver, inputs)
    assert driver.play({"do": "delete"}) == {}
    assert driver.play({"do": "read"})["id"] == ""


def test_the_api_sees_what_was_made_and_a_refresh_sees_what_a_hand_did(of: Of, clouds: Clouds) -> None:
    driver = of(CF + "dnsRecord:DnsRecord")
    inputs = {
        **ON,
        "name": "hand.neurmatic.example",
        "type": "A",
        "content": "203.0.113.1",
        "ttl": 300,
        "proxied": False,
    }
    put(driver, inputs)
    url = f"{clouds.cloudflare}/zones/{ZONE}/dns_records/{driver.identity}"
    headers = {"Authorization": f"Bearer {clouds.cloudflare_token}", "Content-Type": "application/json"}
    body = json.dumps({"content": "203.0.113.9"}).encode()
    request = urllib.request.Request(url, body, headers, method="PATCH")  # noqa: S310 - to loopback
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        assert json.loads(answer.read())["success"]
    driver.play({"do": "refresh"})
    assert difference(driver, inputs) == {"content": "UPDATE"}
    found = driver.play({"do": "read", "import": f"{ZONE}/{driver.identity}"})
    assert (found["id"], found["properties"]["content"]) == (driver.identity, "203.0.113.9")


def test_a_refusal_carries_the_codes_of_the_api(of: Of) -> None:
    inputs = {**ON, "name": "twice.neurmatic.example", "type": "A", "content": "203.0.113.1", "ttl": 1}
    put(of(CF + "dnsRecord:DnsRecord"), inputs)
    refused = put(of(CF + "dnsRecord:DnsRecord"), inputs)["error"]
    assert 'failed to make http request: POST "' in refused
    assert '"code": 81058' in refused or '"code":81058' in refused


def test_clouds_that_ended_are_started_again(of: Of, clouds: Clouds) -> None:
    driver = of(S3 + "bucket:Bucket")
    put(driver, {"bucket": "before"})
    stop(clouds.folder)
    first = driver.play({"do": "read"})
    second = driver.play({"do": "read"})
    start(clouds.folder)
    assert "before" in (first.get("id"), second.get("id"))
