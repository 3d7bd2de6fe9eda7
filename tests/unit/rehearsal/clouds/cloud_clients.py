"""How the tests call the clouds: boto3 for AWS, plain HTTP for Cloudflare."""

from __future__ import annotations

import functools
import http.client
import itertools
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from rehearsal.clouds import servers

CONFIG = Config(retries={"total_max_attempts": 1}, read_timeout=20, signature_version="s3v4")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def result(self) -> Any:
        assert self.body["success"], self.body
        return self.body["result"]

    @property
    def error(self) -> tuple[int, int, str]:
        """Status, code and message of a refusal."""
        assert not self.body["success"], self.body
        return self.status, self.body["errors"][0]["code"], self.body["errors"][0]["message"]


class Cloudflare:
    def __init__(self, clouds: servers.Clouds, token: str | None = None) -> None:
        self._host, _, self._base = clouds.cloudflare.removeprefix("http://").partition("/")
        self.headers = {"Authorization": f"Bearer {clouds.cloudflare_token if token is None else token}"}

    def __call__(self, method: str, path: str, data: Any = None) -> Answer:
        connection = http.client.HTTPConnection(self._host, timeout=20)
        try:
            body = None if data is None else json.dumps(data)
            connection.request(method, f"/{self._base}/{path}", body, self.headers)
            response = connection.getresponse()
            return Answer(response.status, json.loads(response.read() or b"null"), dict(response.getheaders()))
        finally:
            connection.close()


def new_zone(clouds: servers.Clouds, plan: str, account: str | None = None) -> servers.Zone:
    name = f"zone{next(_numbers)}-{secrets.token_hex(2)}.example"
    zone = servers.Zone(secrets.token_hex(16), name, plan, account or secrets.token_hex(16))
    clouds.adopt(zone)
    return zone


@functools.cache
def _session() -> Any:
    return boto3.session.Session()


def client(clouds: servers.Clouds, service: str, key: tuple[str, str] | None = None, endpoint: str = "") -> Any:
    """As the account's root, or with a key that IAM made."""
    key_id, secret = key or (clouds.aws_key, clouds.aws_secret)
    return _session().client(
        service,
        endpoint_url=endpoint or clouds.aws,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        region_name=servers.REGION,
        config=CONFIG,
    )


def new_bucket(s3: Any, **options: Any) -> str:
    name = f"bucket-{next(_numbers)}-{secrets.token_hex(4)}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": servers.REGION}, **options)
    return name


def new_key(iam: Any, *statements: dict[str, Any]) -> tuple[str, str]:
    """The key of a new user who may do what the statements say."""
    name = f"user-{next(_numbers)}-{secrets.token_hex(4)}"
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=policy(*statements))
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return made["AccessKeyId"], made["SecretAccessKey"]


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any, **rest: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **rest}


def deny(action: Any, resource: Any, **rest: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **rest}


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[int, str, str]:
    """Status, code and message with which AWS refuses the call."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return (
        response["ResponseMetadata"]["HTTPStatusCode"],
        response["Error"]["Code"],
        response["Error"].get("Message", ""),
    )
