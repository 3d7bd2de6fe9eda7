from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from ops.errors import OperatorError
from ops.locks import locks

FOLDER = ".pulumi/locks/organization/neurmatic/production"


def text(**changes: object) -> str:
    known = {
        "pid": os.getpid(),
        "username": "ada",
        "hostname": socket.gethostname(),
        "timestamp": "2026-11-21T10:00:00Z",
    }
    return json.dumps({**known, **changes})


@pytest.fixture
def ended() -> int:
    """The id of a process that is over."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def backend(folder: Path, content: str) -> str:
    place = folder / FOLDER
    place.mkdir(parents=True)
    (place / "1.json").write_text(content)
    return f"file://{folder}"


def test_no_lock(tmp_path: Path) -> None:
    assert locks(f"file://{tmp_path}", "neurmatic", "production") == []


def test_of_a_living_process(tmp_path: Path) -> None:
    (found,) = locks(backend(tmp_path, text()), "neurmatic", "production")
    assert not found.is_dead
    assert "ada@" in str(found)


def test_of_an_ended_process(tmp_path: Path, ended: int) -> None:
    (found,) = locks(backend(tmp_path, text(pid=ended)), "neurmatic", "production")
    assert found.is_dead


def test_of_another_machine_is_never_taken_for_dead(tmp_path: Path, ended: int) -> None:
    (found,) = locks(backend(tmp_path, text(pid=ended, hostname="elsewhere")), "neurmatic", "production")
    assert not found.is_dead


def test_of_another_stack_does_not_count(tmp_path: Path) -> None:
    assert locks(backend(tmp_path, text()), "neurmatic", "staging") == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}'])
def test_damaged_lock_is_a_sentence(tmp_path: Path, content: str) -> None:
    with pytest.raises(OperatorError, match="pulumi cancel"):
        locks(backend(tmp_path, content), "neurmatic", "production")


def test_in_a_bucket(ended: int) -> None:
    with mock_aws():
        s3 = boto3.client("s3", region_name="eu-west-1")
        s3.create_bucket(Bucket="state", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_object(Bucket="state", Key=f"{FOLDER}/1.json", Body=text(pid=ended).encode())
        (found,) = locks("s3://state?region=eu-west-1&awssdk=v2", "neurmatic", "production")
    assert found.is_dead
