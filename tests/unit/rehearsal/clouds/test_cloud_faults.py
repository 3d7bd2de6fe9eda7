"""A cloud's bad days: every kind of fault, at both APIs, exactly where and as often as it was asked for."""

from __future__ import annotations

import http.client
import time
from typing import Any

import botocore.exceptions
import pytest
from cloud_clients import Cloudflare, client, new_bucket, refused

from rehearsal import RehearsalError
from rehearsal.clouds.servers import Clouds, Zone

# kind: what S3, IAM and Cloudflare answer (status, code)
ANSWERS: dict[str, tuple[tuple[int, str], tuple[int, str], tuple[int, int]]] = {
    "429": ((503, "SlowDown"), (400, "Throttling"), (429, 971)),
    "500": ((500, "InternalError"), (500, "InternalError"), (500, 10001)),
    "503": ((503, "SlowDown"), (400, "Throttling"), (503, 10013)),
    "expired": ((400, "ExpiredToken"), (403, "ExpiredToken"), (401, 9109)),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_refusals_come_in_the_words_of_each_api_and_once(clouds: Clouds, cloudflare: Cloudflare, kind: str) -> None:
    s3_says, iam_says, cloudflare_says = ANSWERS[kind]
    calls: list[tuple[Any, tuple[int, str]]] = [
        (client(clouds, "s3").list_buckets, s3_says),
        (client(clouds, "iam").list_users, iam_says),
    ]
    for call, expected in calls:
        clouds.fault(kind, api="aws")
        assert refused(call)[:2] == expected
        call()
    clouds.fault(kind, api="cloudflare")
    assert cloudflare("GET", "user").error[:2] == cloudflare_says
    assert cloudflare("GET", "user").result


@pytest.mark.parametrize("kind", ["429", "503"])
def test_throttling_says_when_to_come_back(clouds: Clouds, cloudflare: Cloudflare, kind: str) -> None:
    clouds.fault(kind, api="cloudflare", seconds=7)
    assert cloudflare("GET", "user").headers["Retry-After"] == "7"


def test_slow_is_slow_and_then_right(clouds: Clouds, cloudflare: Cloudflare) -> None:
    clouds.fault("slow", seconds=0.4)
    began = time.monotonic()
    assert cloudflare("GET", "user").result
    assert time.monotonic() - began >= 0.4
    began = time.monotonic()
    assert cloudflare("GET", "user").result
    assert time.monotonic() - began < 0.4


def test_a_reset_carries_nothing_out_and_a_lost_answer_has(clouds: Clouds, cloudflare: Cloudflare, zone: Zone) -> None:
    path = f"zones/{zone.id}/dns_records"
    record = {"name": "a", "type": "A", "content": "192.0.2.1"}
    for kind, names in (("reset", []), ("lost", [f"a.{zone.name}"])):
        clouds.fault(kind, api="cloudflare", method="POST")
        with pytest.raises(ConnectionResetError):
            cloudflare("POST", path, record)
        assert [found["name"] for found in cloudflare("GET", path).result] == names
    assert cloudflare("POST", path, record).error[1] == 81058


def test_a_cut_answer_breaks_off_in_the_middle(clouds: Clouds, cloudflare: Cloudflare) -> None:
    clouds.fault("cut", api="cloudflare")
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        cloudflare("GET", "user")
    s3 = client(clouds, "s3")
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="dump", Body=b"x" * 500_000)
    clouds.fault("cut", action="s3:GetObject")
    with pytest.raises((botocore.exceptions.ResponseStreamingError, botocore.exceptions.IncompleteReadError)):
        s3.get_object(Bucket=bucket, Key="dump")["Body"].read()
    assert len(s3.get_object(Bucket=bucket, Key="dump")["Body"].read()) == 500_000


def test_faults_hit_what_they_name_as_often_as_they_say(clouds: Clouds, cloudflare: Cloudflare, zone: Zone) -> None:
    s3 = client(clouds, "s3")
    bucket = new_bucket(s3)
    clouds.fault("500", action="s3:PutObject", path=f"/{bucket}/logs/*", times=2)
    s3.put_object(Bucket=bucket, Key="other", Body=b"")
    s3.list_objects_v2(Bucket=bucket)
    for _ in range(2):
        assert refused(s3.put_object, Bucket=bucket, Key="logs/a", Body=b"")[0] == 500
    s3.put_object(Bucket=bucket, Key="logs/a", Body=b"")
    clouds.fault("429", action="dns_records.*", times=None)
    for _ in range(3):
        assert cloudflare("GET", f"zones/{zone.id}/dns_records").status == 429
    assert cloudflare("GET", f"zones/{zone.id}").result
    assert [fault["times"] for fault in clouds.faults()] == [None]
    clouds.clear_faults()
    assert cloudflare("GET", f"zones/{zone.id}/dns_records").result == []


def test_boto3_gets_over_a_slow_down_by_itself(clouds: Clouds) -> None:
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    patient = boto3.client(
        "s3",
        endpoint_url=clouds.aws,
        aws_access_key_id=clouds.aws_key,
        aws_secret_access_key=clouds.aws_secret,
        region_name="eu-west-1",
        config=Config(retries={"mode": "standard", "total_max_attempts": 3}),
    )
    clouds.fault("503", api="aws")
    answer = patient.list_buckets()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "earthquake"}, "there is no fault 'earthquake'"),
        ({"kind": "slow", "seconds": 61}, "from 0 to 60"),
        ({"kind": "slow", "seconds": "long"}, "from 0 to 60"),
        ({"kind": "500", "times": 0}, "times is a number from 1 on"),
        ({"kind": "500", "when": "now"}, "has no when"),
        ({"kind": "500", "number": 3}, "has no number"),
    ],
    ids=["kind", "long", "text", "never", "unknown", "number"],
)
def test_faults_that_cannot_be(clouds: Clouds, fault: dict[str, Any], words: str) -> None:
    with pytest.raises(RehearsalError, match=words):
        clouds.fault(**fault)


def test_faults_are_bounded(clouds: Clouds) -> None:
    for _ in range(100):
        clouds.fault("500", path="/nowhere")
    with pytest.raises(RehearsalError, match="clear them first"):
        clouds.fault("500", path="/nowhere")
