"""Who may do what on S3, asked from outside: bucket policies, IAM's policies, conditions, signatures."""

from __future__ import annotations

import datetime
import http.client
from typing import Any

import pytest
from cloud_clients import allow, client, deny, new_bucket, new_key, policy, refused

from components.storage.policies import document, readable_by, tls_only
from rehearsal.clouds.servers import Clouds


@pytest.fixture(scope="module")
def s3(clouds: Clouds) -> Any:
    return client(clouds, "s3")


@pytest.fixture(scope="module")
def iam(clouds: Clouds) -> Any:
    return client(clouds, "iam")


def arn(bucket: str, key: str | None = None) -> str:
    return f"arn:aws:s3:::{bucket}" + (f"/{key}" if key is not None else "")


def everyone(statement: dict[str, Any]) -> dict[str, Any]:
    return {**statement, "Principal": "*"}


def test_a_new_key_may_nothing_until_a_policy_says_so_and_then_at_once(clouds: Clouds, s3: Any, iam: Any) -> None:
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="dump", Body=b"1")
    key = new_key(iam)
    user_s3 = client(clouds, "s3", key)
    user = client(clouds, "sts", key).get_caller_identity()["Arn"].rpartition("/")[2]
    status, code, message = refused(user_s3.get_object, Bucket=bucket, Key="dump")
    assert (status, code) == (403, "AccessDenied")
    assert message.endswith(
        f'is not authorized to perform: s3:GetObject on resource: "{arn(bucket, "dump")}" '
        "because no identity-based policy allows the s3:GetObject action"
    )
    iam.put_user_policy(
        UserName=user, PolicyName="read", PolicyDocument=policy(allow("s3:GetObject", arn(bucket, "*")))
    )
    assert user_s3.get_object(Bucket=bucket, Key="dump")["Body"].read() == b"1"
    iam.delete_user_policy(UserName=user, PolicyName="read")
    assert refused(user_s3.get_object, Bucket=bucket, Key="dump")[0] == 403


def test_managed_and_group_policies_count_as_well(clouds: Clouds, s3: Any, iam: Any) -> None:
    bucket = new_bucket(s3)
    key = new_key(iam)
    user = client(clouds, "sts", key).get_caller_identity()["Arn"].rpartition("/")[2]
    writer = iam.create_policy(
        PolicyName=f"write-{user}", PolicyDocument=policy(allow("s3:PutObject", arn(bucket, "*")))
    )["Policy"]["Arn"]
    iam.attach_user_policy(UserName=user, PolicyArn=writer)
    client(clouds, "s3", key).put_object(Bucket=bucket, Key="a", Body=b"1")
    iam.detach_user_policy(UserName=user, PolicyArn=writer)
    assert refused(client(clouds, "s3", key).put_object, Bucket=bucket, Key="a", Body=b"1")[1] == "AccessDenied"
    iam.create_group(GroupName=f"group-{user}")
    iam.attach_group_policy(GroupName=f"group-{user}", PolicyArn=writer)
    iam.add_user_to_group(GroupName=f"group-{user}", UserName=user)
    client(clouds, "s3", key).put_object(Bucket=bucket, Key="a", Body=b"1")


def test_tls_only_is_believed_and_loopback_counts_as_tls(clouds: Clouds, s3: Any) -> None:
    bucket = new_bucket(s3)
    s3.put_bucket_policy(Bucket=bucket, Policy=document([tls_only(bucket)]))
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    plain = client(clouds, "s3", endpoint=clouds.aws_without_tls)
    status, code, message = refused(plain.put_object, Bucket=bucket, Key="a", Body=b"1")
    assert (status, code) == (403, "AccessDenied")
    assert message.endswith("with an explicit deny in a resource-based policy")
    assert plain.get_bucket_policy(Bucket=bucket)["Policy"]  # the root can always mend it
    assert refused(plain.head_object, Bucket=bucket, Key="a")[0] == 403


# name, condition of an Allow on the user, the calls that it lets pass, those that it does not
CONDITIONS: list[tuple[str, str, dict[str, Any], list[Any], list[Any]]] = [
    (
        "prefix",
        "s3:ListBucket",
        {"StringLike": {"s3:prefix": "home/*"}},
        [("list_objects_v2", {"Prefix": "home/x"})],
        [("list_objects_v2", {"Prefix": "etc/"}), ("list_objects_v2", {})],
    ),
    (
        "storage class",
        "s3:PutObject",
        {"StringEquals": {"s3:x-amz-storage-class": "STANDARD_IA"}},
        [("put_object", {"Key": "a", "Body": b"", "StorageClass": "STANDARD_IA"})],
        [("put_object", {"Key": "a", "Body": b""}),
         ("put_object", {"Key": "a", "Body": b"", "StorageClass": "GLACIER"})],
    ),
    (
        "only new",
        "s3:PutObject",
        {"Null": {"s3:if-none-match": "false"}},
        [("put_object", {"Key": "fresh", "Body": b"", "IfNoneMatch": "*"})],
        [("put_object", {"Key": "fresh2", "Body": b""})],
    ),
    (
        "encryption",
        "s3:PutObject",
        {"StringEqualsIfExists": {"s3:x-amz-server-side-encryption": "AES256"}},
        [("put_object", {"Key": "a", "Body": b""}),
         ("put_object", {"Key": "a", "Body": b"", "ServerSideEncryption": "AES256"})],
        [("put_object", {"Key": "a", "Body": b"", "ServerSideEncryption": "aws:kms"})],
    ),
    (
        "max keys",
        "s3:ListBucket",
        {"NumericLessThanEquals": {"s3:max-keys": "10"}},
        [("list_objects_v2", {"MaxKeys": 10})],
        [("list_objects_v2", {"MaxKeys": 11}), ("list_objects_v2", {})],
    ),
    (
        "address",
        "s3:PutObject",
        {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}},
        [("put_object", {"Key": "a", "Body": b""})],
        [],
    ),
    (
        "other address",
        "s3:PutObject",
        {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        [],
        [("put_object", {"Key": "a", "Body": b""})],
    ),
    (
        "time",
        "s3:PutObject",
        {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
        [],
        [("put_object", {"Key": "a", "Body": b""})],
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CONDITIONS, ids=[case[0] for case in CONDITIONS])
def test_conditions_on_what_a_user_may(clouds: Clouds, s3: Any, iam: Any, case: Any) -> None:
    _, action, condition, passing, failing = case
    bucket = new_bucket(s3)
    resource = arn(bucket) if action == "s3:ListBucket" else arn(bucket, "*")
    user = client(clouds, "s3", new_key(iam, allow(action, resource, Condition=condition)))
    for name, arguments in passing:
        getattr(user, name)(Bucket=bucket, **arguments)
    for name, arguments in failing:
        assert refused(getattr(user, name), Bucket=bucket, **arguments)[:2] == (403, "AccessDenied"), arguments


def test_a_bucket_policy_alone_can_let_a_user_in_but_not_who_is_denied(clouds: Clouds, s3: Any, iam: Any) -> None:
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    key, other = new_key(iam), new_key(iam, deny("s3:*", "*"))
    names = [client(clouds, "sts", one).get_caller_identity()["Arn"] for one in (key, other)]
    statement = {**allow("s3:GetObject", arn(bucket, "*")), "Principal": {"AWS": names}}
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(statement))
    assert client(clouds, "s3", key).get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"
    assert (
        "explicit deny in an identity-based policy"
        in refused(client(clouds, "s3", other).get_object, Bucket=bucket, Key="a")[2]
    )


def test_published_contracts_can_be_read_by_whom_they_name_and_changed_by_nobody_else(
    clouds: Clouds, s3: Any, iam: Any
) -> None:
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="contract.json", Body=b"{}")
    reader, stranger = new_key(iam), new_key(iam)
    name = client(clouds, "sts", reader).get_caller_identity()["Arn"]
    foreign = "arn:aws:iam::210987654321:role/analytics"
    s3.put_bucket_policy(Bucket=bucket, Policy=document([tls_only(bucket), readable_by(bucket, [name, foreign])]))
    place = {"Bucket": bucket, "Key": "contract.json"}
    assert client(clouds, "s3", reader).get_object(**place)["Body"].read() == b"{}"
    assert refused(client(clouds, "s3", reader).put_object, **place, Body=b"x")[:2] == (403, "AccessDenied")
    assert refused(client(clouds, "s3", stranger).get_object, **place)[:2] == (403, "AccessDenied")
    insecure = client(clouds, "s3", reader, clouds.aws_without_tls)
    assert refused(insecure.get_object, **place)[:2] == (403, "AccessDenied")


def test_nobody_gets_in_unless_the_bucket_is_opened_on_both_sides(clouds: Clouds, s3: Any) -> None:
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="a", Body=b"public")
    url = f"{clouds.aws}/{bucket}/a"
    opened = policy(everyone(allow("s3:GetObject", arn(bucket, "*"))))
    assert fetched(url) == (403, b"AccessDenied")
    assert refused(s3.put_bucket_policy, Bucket=bucket, Policy=opened)[1] == "AccessDenied"  # BlockPublicPolicy
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=opened)
    assert fetched(url) == (200, b"public")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    assert fetched(url) == (403, b"AccessDenied")


def fetched(url: str) -> tuple[int, bytes]:
    """Status, and the body or the error's code."""
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request("GET", f"/{path}")
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body if response.status < 300 else body.partition(b"<Code>")[2].partition(b"</Code>")[0]


def test_a_key_that_is_not_there_is_hidden_from_who_may_not_list(clouds: Clouds, s3: Any, iam: Any) -> None:
    bucket = new_bucket(s3)
    blind = client(clouds, "s3", new_key(iam, allow("s3:GetObject", arn(bucket, "*"))))
    seeing = client(
        clouds, "s3", new_key(iam, allow("s3:GetObject", arn(bucket, "*")), allow("s3:ListBucket", arn(bucket)))
    )
    assert refused(blind.get_object, Bucket=bucket, Key="no")[:2] == (403, "AccessDenied")
    assert refused(seeing.get_object, Bucket=bucket, Key="no")[:2] == (404, "NoSuchKey")
    assert refused(blind.head_object, Bucket=bucket, Key="no")[0] == 403


def test_calls_need_every_permission_that_their_parts_need(clouds: Clouds, s3: Any, iam: Any) -> None:
    bucket, secret = new_bucket(s3), new_bucket(s3)
    s3.put_object(Bucket=secret, Key="k", Body=b"1")
    writer = client(clouds, "s3", new_key(iam, allow("s3:PutObject", arn(bucket, "*"))))
    source = {"Bucket": secret, "Key": "k"}
    assert "s3:GetObject" in refused(writer.copy_object, Bucket=bucket, Key="a", CopySource=source)[2]
    assert "PutObjectTagging" in refused(writer.put_object, Bucket=bucket, Key="a", Body=b"", Tagging="a=b")[2]
    upload = writer.create_multipart_upload(Bucket=bucket, Key="big")["UploadId"]
    part = writer.upload_part(Bucket=bucket, Key="big", UploadId=upload, PartNumber=1, Body=b"x")
    assert (
        "AbortMultipartUpload" in refused(writer.abort_multipart_upload, Bucket=bucket, Key="big", UploadId=upload)[2]
    )
    writer.complete_multipart_upload(
        Bucket=bucket,
        Key="big",
        UploadId=upload,
        MultipartUpload={"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]},
    )
    assert s3.get_object(Bucket=bucket, Key="big")["Body"].read() == b"x"


def test_deleting_many_decides_for_each_key(clouds: Clouds, s3: Any, iam: Any) -> None:
    bucket = new_bucket(s3)
    for name in ("tmp/a", "tmp/b", "keep/c"):
        s3.put_object(Bucket=bucket, Key=name, Body=b"")
    cleaner = client(clouds, "s3", new_key(iam, allow("s3:DeleteObject", arn(bucket, "tmp/*"))))
    wanted = [{"Key": name} for name in ("tmp/a", "keep/c", "tmp/b")]
    answer = cleaner.delete_objects(Bucket=bucket, Delete={"Objects": wanted})
    assert [item["Key"] for item in answer["Deleted"]] == ["tmp/a", "tmp/b"]
    assert [(item["Key"], item["Code"]) for item in answer["Errors"]] == [("keep/c", "AccessDenied")]
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["keep/c"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Resource": "arn:aws:s3:::another/*"}, "MalformedPolicy"),
        ({"Principal": None}, "MalformedPolicy"),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:user/nobody-there"}}, "MalformedPolicy"),
        ({"Action": "iam:CreateUser"}, "MalformedPolicy"),
        ({"Resource": "BUCKET"}, "MalformedPolicy"),
        ({"Condition": {"StringIs": {"aws:username": "x"}}}, "MalformedPolicy"),
    ],
)
def test_bucket_policies_that_s3_calls_malformed(s3: Any, change: dict[str, Any], code: str) -> None:
    bucket = new_bucket(s3)
    statement = {**everyone(allow("s3:GetObject", arn(bucket, "*"))), **change}
    statement = {name: value for name, value in statement.items() if value is not None}
    statement["Resource"] = arn(bucket) if statement["Resource"] == "BUCKET" else statement["Resource"]
    assert refused(s3.put_bucket_policy, Bucket=bucket, Policy=policy(statement))[:2] == (400, code)
    assert refused(s3.get_bucket_policy, Bucket=bucket)[1] == "NoSuchBucketPolicy"


def test_wrong_keys_and_changed_requests_are_refused(clouds: Clouds, s3: Any, iam: Any) -> None:
    bucket = new_bucket(s3)
    wrong = client(clouds, "s3", (clouds.aws_key, "not the secret"))
    assert refused(wrong.list_buckets)[:2] == (403, "SignatureDoesNotMatch")
    assert refused(client(clouds, "s3", ("AKIAIOSFODNN7EXAMPLE", "x")).list_buckets)[:2] == (403, "InvalidAccessKeyId")
    unknown = client(clouds, "iam", ("AKIAIOSFODNN7EXAMPLE", "x"))
    assert refused(unknown.list_users)[:2] == (403, "InvalidClientTokenId")
    key = new_key(iam, allow("s3:*", "*"))
    iam.update_access_key(
        UserName=client(clouds, "sts", key).get_caller_identity()["Arn"].rpartition("/")[2],
        AccessKeyId=key[0],
        Status="Inactive",
    )
    assert refused(client(clouds, "s3", key).list_buckets)[:2] == (403, "InvalidAccessKeyId")
    assert refused(s3.head_bucket, Bucket=bucket + "-not")[0] == 404


def test_a_presigned_address_works_until_it_ends_and_only_unchanged(clouds: Clouds, s3: Any) -> None:
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="ä b/c+d", Body=b"signed")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "ä b/c+d"}, ExpiresIn=60)
    assert fetched(url) == (200, b"signed")
    assert fetched(url + "0") == (403, b"SignatureDoesNotMatch")
    assert fetched(url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"))[1] == b"SignatureDoesNotMatch"
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "up"}, ExpiresIn=60)
    host, _, path = put.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request("PUT", f"/{path}", b"uploaded")
    assert connection.getresponse().status == 200
    connection.close()
    assert s3.get_object(Bucket=bucket, Key="up")["Body"].read() == b"uploaded"


def test_an_old_presigned_address_has_expired(clouds: Clouds, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import botocore.auth  # noqa: PLC0415

    bucket = new_bucket(s3)
    past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=10)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: past.replace(tzinfo=None), raising=True)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a"}, ExpiresIn=60)
    assert fetched(url) == (403, b"AccessDenied")


def test_users_do_on_iam_what_they_may(clouds: Clouds, iam: Any) -> None:
    key = new_key(iam, allow(["iam:GetUser", "iam:CreateAccessKey"], "arn:aws:iam::123456789012:user/${aws:username}"))
    own = client(clouds, "iam", key)
    name = own.get_user()["User"]["UserName"]
    assert own.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"].startswith("AKIA")
    assert refused(iam.create_access_key, UserName=name)[1] == "LimitExceeded"
    status, code, message = refused(own.create_user, UserName="another")
    assert (status, code) == (403, "AccessDenied")
    assert "is not authorized to perform: iam:CreateUser on resource: arn:aws:iam::123456789012:user/another" in message
    assert (
        refused(iam.put_user_policy, UserName=name, PolicyName="x", PolicyDocument="{")[1] == "MalformedPolicyDocument"
    )


def test_what_is_not_emulated_says_so(clouds: Clouds) -> None:
    status, code, message = refused(client(clouds, "kms").list_keys)
    assert (status, code) == (501, "NotImplemented")
    assert "no kms" in message


def test_a_new_bucket_is_as_s3_makes_it_today(s3: Any) -> None:
    bucket = new_bucket(s3)
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    owner = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert owner == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    no_acls = (400, "AccessControlListNotSupported", "The bucket does not allow ACLs")
    assert refused(s3.put_bucket_acl, Bucket=bucket, ACL="public-read") == no_acls
    assert refused(s3.put_object, Bucket=bucket, Key="a", Body=b"", ACL="public-read") == no_acls
    s3.put_object(Bucket=bucket, Key="a", Body=b"", ACL="bucket-owner-full-control")
    assert s3.head_object(Bucket=bucket, Key="a")["ServerSideEncryption"] == "AES256"
    s3.delete_bucket_encryption(Bucket=bucket)
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert refused(s3.delete_bucket, Bucket=bucket)[1] == "BucketNotEmpty"


@pytest.mark.parametrize("name", ["Bad_Name", "two..dots", "192.168.0.1", "xn--bucket", "-start", "end-"])
def test_names_that_no_bucket_has(s3: Any, name: str) -> None:
    where = {"LocationConstraint": "eu-west-1"}
    assert refused(s3.create_bucket, Bucket=name, CreateBucketConfiguration=where)[:2] == (400, "InvalidBucketName")


def test_a_user_goes_only_without_keys_and_policies(iam: Any) -> None:
    iam.create_user(UserName="leaver")
    assert refused(iam.create_user, UserName="leaver")[1] == "EntityAlreadyExists"
    key = iam.create_access_key(UserName="leaver")["AccessKey"]["AccessKeyId"]
    iam.put_user_policy(UserName="leaver", PolicyName="p", PolicyDocument=policy(allow("s3:GetObject", "*")))
    words = (
        "Cannot delete entity, must delete access keys first.",
        "Cannot delete entity, must delete policies first.",
    )
    assert refused(iam.delete_user, UserName="leaver") == (409, "DeleteConflict", words[0])
    iam.delete_access_key(UserName="leaver", AccessKeyId=key)
    assert refused(iam.delete_user, UserName="leaver") == (409, "DeleteConflict", words[1])
    iam.delete_user_policy(UserName="leaver", PolicyName="p")
    iam.delete_user(UserName="leaver")
    assert refused(iam.get_user, UserName="leaver")[:2] == (404, "NoSuchEntity")
