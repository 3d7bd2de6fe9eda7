"""Lifecycle configurations that the real S3 refuses, and those that it takes."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from cloud_clients import client, new_bucket, refused
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.storage.bucket import rule_args
from components.storage.config import BackupBucket, MediaBucket
from components.storage.lifecycle import backup_rules, media_rules
from rehearsal.clouds.aws.errors import AwsError
from rehearsal.clouds.aws.lifecycle import INFREQUENT, LADDER, check
from rehearsal.clouds.servers import Clouds

Rule = dict[str, Any]
PREFIX = {"Filter": {"Prefix": "a/"}}
ENABLED = {"Status": "Enabled", **PREFIX}


def moves(*steps: tuple[int, str], **rest: Any) -> Rule:
    return {**ENABLED, "Transitions": [{"Days": days, "StorageClass": name} for days, name in steps], **rest}


def old(*steps: tuple[int, str], **rest: Any) -> Rule:
    steps_ = [{"NoncurrentDays": days, "StorageClass": name} for days, name in steps]
    return {**ENABLED, "NoncurrentVersionTransitions": steps_, **rest}


# what is wrong with it, the rules, the code and words of S3's sentence
REFUSED: list[tuple[str, list[Rule], str, str]] = [
    ("IA before 30 days", [moves((29, "STANDARD_IA"))], "InvalidArgument",
     "'Days' in Transition action must be greater than or equal to 30 for storageClass 'STANDARD_IA'"),
    ("one zone before 30 days", [moves((1, "ONEZONE_IA"))], "InvalidArgument", "storageClass 'ONEZONE_IA'"),
    ("archive too soon after IA", [moves((30, "STANDARD_IA"), (59, "GLACIER"))], "InvalidArgument", "30 days more"),
    ("up the ladder", [moves((90, "GLACIER"), (120, "STANDARD_IA"))], "InvalidArgument", "30 days more"),
    ("deep before flexible", [moves((90, "DEEP_ARCHIVE"), (120, "GLACIER"))], "InvalidArgument", "be greater than"),
    ("same day", [moves((90, "GLACIER"), (90, "DEEP_ARCHIVE"))], "InvalidArgument", "must be greater than"),
    ("class twice", [moves((90, "GLACIER"), (120, "GLACIER"))], "InvalidRequest", "'StorageClass' must be different"),
    ("expires before the move", [moves((90, "GLACIER"), Expiration={"Days": 90})], "InvalidArgument",
     "'Days' in the Expiration action for filter '(prefix=a/)' must be greater than 'Days' in the Transition action"),
    ("no action", [ENABLED], "InvalidRequest", "At least one action"),
    ("expiration of 0", [{**ENABLED, "Expiration": {"Days": 0}}], "InvalidArgument", "'Days' for Expiration action"),
    ("same id", [{"ID": "x", **moves((1, "GLACIER"))}, {"ID": "x", **moves((1, "GLACIER"))}], "InvalidArgument",
     "Rule ID must be unique. Found same ID for more than one rule"),
    ("long id", [{"ID": "x" * 256, **moves((1, "GLACIER"))}], "InvalidArgument", "255"),
    ("status", [{**moves((1, "GLACIER")), "Status": "On"}], "MalformedXML", ""),
    ("no filter", [{"Status": "Enabled", "Expiration": {"Days": 1}}], "MalformedXML", ""),
    ("filter and prefix", [{**ENABLED, "Prefix": "a", "Expiration": {"Days": 1}}], "MalformedXML", ""),
    ("two filters", [{"Status": "Enabled", "Filter": {"Prefix": "a", "ObjectSizeGreaterThan": 1},
                      "Expiration": {"Days": 1}}], "MalformedXML", ""),
    ("sizes", [{"Status": "Enabled", "Expiration": {"Days": 1},
                "Filter": {"And": {"ObjectSizeGreaterThan": 9, "ObjectSizeLessThan": 9}}}],
     "InvalidRequest", "greater"),
    ("old versions in IA", [old((29, "STANDARD_IA"))], "InvalidArgument", "NoncurrentVersionTransition"),
    ("old versions go first", [old((60, "GLACIER"), NoncurrentVersionExpiration={"NoncurrentDays": 60})],
     "InvalidArgument", "'NoncurrentDays' in the NoncurrentVersionExpiration action"),
    ("old versions of 0 days", [{**ENABLED, "NoncurrentVersionExpiration": {"NoncurrentDays": 0}}],
     "InvalidArgument", "positive"),
    ("uploads of 0 days", [{**ENABLED, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 0}}],
     "InvalidArgument", "positive"),
    ("uploads by tag", [{"Status": "Enabled", "Filter": {"Tag": {"Key": "a", "Value": "b"}},
                         "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}], "InvalidRequest", "Tags"),
    ("date and days", [moves((90, "GLACIER"), Expiration={"Date": "2030-01-01T00:00:00Z"})], "InvalidRequest", "mixed"),
    ("noon", [{**ENABLED, "Expiration": {"Date": "2030-01-01T12:00:00Z"}}], "InvalidArgument", "midnight"),
    ("unknown class", [moves((90, "ICE"))], "MalformedXML", ""),
    ("no rules", [], "MalformedXML", ""),
]  # fmt: skip

TAKEN: list[tuple[str, list[Rule]]] = [
    ("IA at 30 days", [moves((30, "STANDARD_IA"))]),
    ("archive at once", [moves((0, "GLACIER"))]),
    ("the whole ladder", [moves((30, "STANDARD_IA"), (60, "GLACIER_IR"), (90, "GLACIER"), (180, "DEEP_ARCHIVE"),
                                Expiration={"Days": 181})]),
    ("whole bucket", [{"Status": "Disabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]),
    ("old form", [{"Status": "Enabled", "Prefix": "a/", "Expiration": {"Days": 1}}]),
    ("old versions", [old((30, "STANDARD_IA"), (60, "GLACIER"), NoncurrentVersionExpiration={"NoncurrentDays": 61})]),
    ("markers", [{**ENABLED, "Expiration": {"ExpiredObjectDeleteMarker": True}}]),
]  # fmt: skip


@pytest.fixture(scope="module")
def s3(clouds: Clouds) -> Any:
    return client(clouds, "s3")


@pytest.fixture(scope="module")
def bucket(s3: Any) -> str:
    return new_bucket(s3)


@pytest.mark.parametrize("case", REFUSED, ids=[case[0] for case in REFUSED])
def test_what_s3_refuses(s3: Any, bucket: str, case: Any) -> None:
    _, rules, code, words = case
    status, given, message = refused(
        s3.put_bucket_lifecycle_configuration, Bucket=bucket, LifecycleConfiguration={"Rules": rules}
    )
    assert (status, given) == (400, code)
    assert words in message


@pytest.mark.parametrize("case", TAKEN, ids=[case[0] for case in TAKEN])
def test_what_s3_takes(s3: Any, bucket: str, case: Any) -> None:
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": case[1]})
    kept = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert [rule.get("Status") for rule in kept] == [rule["Status"] for rule in case[1]]


def test_the_components_own_rules_are_taken(s3: Any, bucket: str) -> None:
    for rules in (media_rules(MediaBucket(name="media-x")), backup_rules(BackupBucket(name="backups-x"))):
        s3.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": [as_api(rule_args(rule)) for rule in rules]}
        )


def as_api(rule: Any) -> Rule:
    """The provider's spelling as the API's."""
    api: Rule = {"ID": rule["id"], "Status": rule["status"], "Filter": {"Prefix": rule["filter"]["prefix"]}}
    if "transitions" in rule:
        api["Transitions"] = [
            {"Days": one["days"], "StorageClass": one["storage_class"]} for one in rule["transitions"]
        ]
    if "expiration" in rule:
        given = rule["expiration"]
        api["Expiration"] = {"Days": given["days"]} if "days" in given else {"ExpiredObjectDeleteMarker": True}
    if "noncurrent_version_expiration" in rule:
        days = rule["noncurrent_version_expiration"]["noncurrent_days"]
        api["NoncurrentVersionExpiration"] = {"NoncurrentDays": days}
    if "abort_incomplete_multipart_upload" in rule:
        days = rule["abort_incomplete_multipart_upload"]["days_after_initiation"]
        api["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": days}
    return api


STEPS = st.lists(
    st.tuples(st.integers(0, 200), st.sampled_from(LADDER[1:])), min_size=1, max_size=3, unique_by=lambda step: step[1]
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.one_of(st.none(), st.integers(1, 250)))
def test_a_ladder_is_taken_exactly_when_every_step_goes_down_in_time(
    steps: list[tuple[int, str]], expires: int | None
) -> None:
    down = sorted(steps, key=lambda step: LADDER.index(step[1]))
    fits = all(days >= 30 for days, name in steps if name in INFREQUENT)
    for (days, name), (later, _) in itertools.pairwise(down):
        fits &= later >= days + 30 if name in INFREQUENT else later > days
    fits &= expires is None or all(expires > days for days, _ in steps)
    parts = "".join(f"<Transition><Days>{d}</Days><StorageClass>{n}</StorageClass></Transition>" for d, n in steps)
    parts += f"<Expiration><Days>{expires}</Days></Expiration>" if expires is not None else ""
    rule = f"<Rule><Status>Enabled</Status><Filter><Prefix/></Filter>{parts}</Rule>"
    assert taken(f"<LifecycleConfiguration>{rule}</LifecycleConfiguration>") is fits


def taken(document: str) -> bool:
    try:
        check(document.encode())
    except AwsError:
        return False
    return True
