"""What other teams get: by reference with the stack's key, from the published contract without any."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws
from stage import Stage

from components.outputs import VERSION
from ops.outputs import variables
from ops.session import Session
from ops.target import Target
from rehearsal.workspace import ROOT

pytestmark = pytest.mark.engine

CONSUMER = """
name: {name}
main: {root}/examples/consumer
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: {root}/.venv
"""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """One for all: nobody changes what the producer has published."""
    made = Stage(f"test-outputs-{os.getpid()}")
    yield made
    made.remove()


@pytest.fixture(scope="module")
def producer(stage: Stage) -> Session:
    session = stage.session()
    up = stage.pulumi(session, "up", "--yes", "--skip-preview", "--stack", "production")
    assert up.status == 0, up.text
    return session


def consumer(stage: Stage, producer: Session, reference: str) -> Session:
    name = f"consumer-of-{reference.rpartition('/')[2]}"
    folder = producer.folder.parent / name
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(CONSUMER.format(name=name, root=ROOT))
    session = Session(Target("neurmatic", "test", stage.name), folder, producer.environment)
    assert stage.pulumi(session, "stack", "init", "test").status == 0
    assert stage.pulumi(session, "config", "set", "neurmatic", reference, "--stack", "test").status == 0
    return session


def test_another_teams_program_reads_the_contract(stage: Stage, producer: Session) -> None:
    theirs = consumer(stage, producer, "organization/neurmatic/production")

    up = stage.pulumi(theirs, "up", "--yes", "--skip-preview", "--stack", "test")

    assert up.status == 0, up.text
    outputs = json.loads(stage.pulumi(theirs, "stack", "output", "--json", "--stack", "test").text)
    assert outputs == {"api": "https://api.neurmatic.com", "uploads": "neurmatic-production-media"}


def test_a_stack_that_is_not_there_is_a_sentence(stage: Stage, producer: Session) -> None:
    theirs = consumer(stage, producer, "organization/neurmatic/nowhere")

    preview = stage.pulumi(theirs, "preview", "--stack", "test")

    assert preview.status != 0
    assert "nowhere" in preview.text


def test_the_frontend_team_needs_no_key(stage: Stage, producer: Session) -> None:
    ran = stage.infra("outputs", "--stack", "production", "--team", "frontend", "--format", "env")
    assert ran.text == "VITE_API_URL=https://api.neurmatic.com\nVITE_WS_URL=wss://api.neurmatic.com\n"


def test_the_published_object_is_what_a_real_bucket_serves(stage: Stage, producer: Session) -> None:
    """The object that the program declares, in an S3 of its own, read by the real stack's code path."""
    published = next(each for each in stage.state(producer) if each["type"] == "aws:s3/bucketObjectv2:BucketObjectv2")
    with mock_aws():
        s3 = boto3.client("s3", region_name="eu-west-1")
        bucket = published["inputs"]["bucket"]
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_object(Bucket=bucket, Key=published["inputs"]["key"], Body=published["inputs"]["content"].encode())
        given = variables(Target("neurmatic", "production"), "frontend")
    assert given == {"VITE_API_URL": "https://api.neurmatic.com", "VITE_WS_URL": "wss://api.neurmatic.com"}
    assert json.loads(published["inputs"]["content"])["version"] == VERSION
