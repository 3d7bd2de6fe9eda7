"""A bucket that others made, with objects and settings of its own, becomes ours without losing anything."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from stage import Stage

from rehearsal.inventory import client

pytestmark = pytest.mark.engine

MEDIA = "neurmatic-production-media"


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage(f"test-adoption-{os.getpid()}")
    yield made
    made.remove()


@pytest.mark.long
def test_a_bucket_with_objects_is_taken_over_and_then_put_right(stage: Stage) -> None:
    session = stage.session()
    s3 = client(stage.workspace("neurmatic").start_clouds(), "s3")
    s3.create_bucket(Bucket=MEDIA, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=MEDIA, Key="avatars/1.png", Body=b"face")
    theirs = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3}}
    s3.put_bucket_lifecycle_configuration(Bucket=MEDIA, LifecycleConfiguration={"Rules": [theirs]})

    adopted = stage.infra("adopt", "--stack", "production", "--yes")

    assert adopted.status == 0, adopted.text
    assert f"{MEDIA} exists, with 1 objects and its own" in adopted.text
    assert "LifecycleConfiguration" in adopted.text
    # The difference is shown before anything is changed.
    assert "update storage-media-lifecycle" in adopted.text or "replace storage-media-lifecycle" in adopted.text
    (line,) = [line for line in adopted.text.splitlines() if "rules:" in line and "theirs" in line]
    assert line.index("theirs") < line.index("->") < line.index("tidy-up")
    assert "create storage-media-versioning" in adopted.text
    (kept,) = s3.get_bucket_lifecycle_configuration(Bucket=MEDIA)["Rules"]
    assert kept["ID"] == "theirs"
    (bucket,) = [each for each in state(stage, session) if each["type"] == "aws:s3/bucket:Bucket"]
    assert (bucket["id"], bucket.get("protect", False)) == (MEDIA, False)

    up = stage.infra("up", "--stack", "production", "--yes", "--skip-preview")
    assert up.status == 0, up.text[-3000:]
    assert s3.get_object(Bucket=MEDIA, Key="avatars/1.png")["Body"].read() == b"face"
    (ours,) = s3.get_bucket_lifecycle_configuration(Bucket=MEDIA)["Rules"]
    assert ours["ID"] == "tidy-up"


def state(stage: Stage, session: object) -> list[dict[str, object]]:
    exported = json.loads(stage.pulumi(session, "stack", "export", "--stack", "production").text)  # type: ignore[arg-type]
    return list(exported["deployment"]["resources"])
