"""The clouds as processes: found again, ended with whom they belong to, and with everything that they had answered."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cloud_clients import Cloudflare, allow, client, new_bucket, new_key, new_zone, refused

from rehearsal import RehearsalError
from rehearsal.clouds import servers


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "clouds"
    servers.stop(tmp_path / "clouds")


def start(folder: Path, **options: Any) -> servers.Clouds:
    return servers.start(folder, owner=os.getpid(), **options)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path(f"/proc/{pid}").exists() else True


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def kill(clouds: servers.Clouds) -> None:
    os.kill(clouds.pid, signal.SIGKILL)
    os.waitpid(clouds.pid, 0)


def test_everything_that_was_answered_is_there_after_a_kill_and_a_start(folder: Path) -> None:
    clouds = start(folder)
    s3, iam = client(clouds, "s3"), client(clouds, "iam")
    bucket = new_bucket(s3, ObjectLockEnabledForBucket=True)
    large = os.urandom(300_000)
    written = s3.put_object(Bucket=bucket, Key="ä/large", Body=large, Metadata={"with_underscore": "1"})
    s3.put_object(Bucket=bucket, Key="cold", Body=b"", StorageClass="GLACIER")
    clouds.retrieve_within(1000)
    s3.restore_object(Bucket=bucket, Key="cold", RestoreRequest={"Days": 1})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"one")["ETag"]
    key = new_key(iam, allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"))
    clouds.skip(500)
    zone = new_zone(clouds, "pro")
    record = {"name": "www", "type": "A", "content": "192.0.2.1", "proxied": True}
    made = Cloudflare(clouds)("POST", f"zones/{zone.id}/dns_records", record).result
    kill(clouds)
    again = start(folder)
    assert (again.pid != clouds.pid, again.aws_secret, again.cloudflare_token) == (
        True,
        clouds.aws_secret,
        clouds.cloudflare_token,
    )
    s3 = client(again, "s3")
    read = client(again, "s3", key).get_object(Bucket=bucket, Key="ä/large")
    assert (read["Body"].read(), read["VersionId"], read["Metadata"]) == (
        large,
        written["VersionId"],
        {"with_underscore": "1"},
    )
    done = {"Parts": [{"ETag": part, "PartNumber": 1}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload=done)
    assert refused(s3.get_object, Bucket=bucket, Key="cold")[1] == "InvalidObjectState"
    again.skip(501)
    assert s3.get_object(Bucket=bucket, Key="cold")["Body"].read() == b""
    assert Cloudflare(again)("GET", f"zones/{zone.id}/dns_records/{made['id']}").result == made


def test_two_rehearsals_do_not_meet_and_one_is_started_once(tmp_path: Path) -> None:
    found: list[servers.Clouds] = []
    threads = [threading.Thread(target=lambda: found.append(start(tmp_path / "one"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one, two = found[0], start(tmp_path / "two")
    try:
        assert found == [one] * 3
        new_bucket(client(one, "s3"))
        assert client(two, "s3").list_buckets()["Buckets"] == []
        crossed = client(two, "s3", (one.aws_key, one.aws_secret))
        assert refused(crossed.list_buckets)[1] == "SignatureDoesNotMatch"
        assert Cloudflare(two, one.cloudflare_token)("GET", "user").status == 403
    finally:
        servers.stop(tmp_path / "one")
        servers.stop(tmp_path / "two")
    assert not alive(one.pid)
    assert not alive(two.pid)
    servers.stop(tmp_path / "two")  # nothing to end, nothing to say


def test_they_end_when_nobody_asks_when_the_folder_goes_and_when_the_owner_does(tmp_path: Path) -> None:
    unused = start(tmp_path / "unused", idle=0.5)
    homeless = start(tmp_path / "homeless")
    (tmp_path / "homeless").rename(tmp_path / "elsewhere")
    program = "import os, sys; from pathlib import Path; from rehearsal.clouds import servers;"
    program += "print(servers.start(Path(sys.argv[1]), owner=os.getpid()).pid)"
    said = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "owned")], capture_output=True, text=True, check=True
    )
    owned = int(said.stdout)
    assert eventually(lambda: not any(alive(pid) for pid in (unused.pid, homeless.pid, owned)))
    assert servers.running(tmp_path / "unused") is None


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of clouds that were killed: one bucket, one zone."""
    folder = tmp_path_factory.mktemp("kept") / "clouds"
    made = start(folder)
    client(made, "s3").create_bucket(
        Bucket="the-bucket", CreateBucketConfiguration={"LocationConstraint": servers.REGION}
    )
    new_zone(made, "free")
    kill(made)
    return folder


DAMAGES: list[tuple[str, str, Callable[[bytes], bytes], str]] = [
    ("a line that is none", "aws/aws.jsonl", lambda old: b"{oops}\n" + old, "line 1 cannot be read"),
    ("half a line", "aws/aws.jsonl", lambda old: old[:-9] + b"\n", "line 1 cannot be read"),
    ("a line that lacks something", "aws/aws.jsonl", lambda old: old.replace(b'"seed"', b'"need"'), "lacks 'seed'"),
    ("another body", "aws/aws.jsonl", lambda old: old.replace(b'"inline"', b'"file"'), "cannot be read"),
    ("another answer", "aws/aws.jsonl", lambda old: old.replace(b'"status": 200', b'"status": 204'), "with 204 and"),
    ("half a document", "cloudflare/cloudflare.json", lambda old: old[:-5], "is not the state"),
    ("another document", "cloudflare/cloudflare.json", lambda old: b"[]", "holds no state"),
    ("no keys", "keys.json", lambda old: b"{}", "holds no keys"),
]


@pytest.mark.parametrize("case", DAMAGES, ids=[case[0] for case in DAMAGES])
def test_a_damaged_state_gets_one_sentence_and_is_left_as_it_is(kept: Path, folder: Path, case: Any) -> None:
    _, file, damage, words = case
    shutil.copytree(kept, folder)
    (folder / file).write_bytes(damage((folder / file).read_bytes()))
    before = (folder / file).read_bytes()
    with pytest.raises(RehearsalError) as caught:
        start(folder)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert str(folder / file) in sentence
    assert words in sentence
    assert "remove" in sentence
    assert (folder / file).read_bytes() == before


def test_a_line_that_was_never_finished_was_never_answered(kept: Path, folder: Path) -> None:
    shutil.copytree(kept, folder)
    journal = folder / "aws" / "aws.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + whole[: len(whole) // 2])
    assert [b["Name"] for b in client(start(folder), "s3").list_buckets()["Buckets"]] == ["the-bucket"]
    assert journal.read_bytes() == whole


def test_the_command_line_starts_tells_and_stops(folder: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "rehearsal.clouds", words[0], str(folder), *words[1:]]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    asked_too_early = run("status")
    assert asked_too_early.returncode == 1
    assert "python -m rehearsal.clouds start" in asked_too_early.stderr
    exported = dict(line.removeprefix("export ").split("=", 1) for line in run("start").stdout.splitlines())
    clouds = servers.running(folder)
    assert clouds is not None
    assert exported == clouds.environment()
    assert run("fault", "500", "--api", "aws", "--times", "0").returncode == 0
    assert "kind=500" in run("status").stdout
    assert refused(client(clouds, "s3").list_buckets)[0] == 500
    assert run("fault", "clear").returncode == 0
    wrong = run("fault", "earthquake")
    assert wrong.returncode == 1
    assert "there is no fault 'earthquake'" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    assert run("zone", "1" * 32, "example.org", "--plan", "pro").returncode == 0
    assert "no plan" in run("zone", "1" * 32, "example.org", "--plan", "gold").stderr
    assert run("skip", "1").returncode == 0
    assert run("stop").returncode == 0
    assert not alive(clouds.pid)


def test_only_who_knows_the_folder_gets_in_by_the_side_door(clouds: servers.Clouds) -> None:
    connection = http.client.HTTPConnection(clouds.aws.removeprefix("http://"), timeout=5)
    connection.request("POST", "/_clouds/stop", headers={"X-Rehearsal-Token": "guess"})
    assert connection.getresponse().status == 403
    connection.close()
    assert alive(clouds.pid)
    for name in ("keys.json", "running.json"):
        assert (clouds.folder / name).stat().st_mode & 0o077 == 0, name
    assert clouds.aws_secret not in repr(clouds)
    assert json.loads((clouds.folder / "keys.json").read_text())["value"]["aws_secret"] == clouds.aws_secret


def test_many_at_once_are_served_and_nothing_is_lost(clouds: servers.Clouds) -> None:
    s3 = client(clouds, "s3")
    bucket, zone, cloudflare = new_bucket(s3), new_zone(clouds, "pro"), Cloudflare(clouds)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})

    def work(number: int) -> None:
        for step in range(5):
            s3.put_object(Bucket=bucket, Key=f"{number}/{step}", Body=b"x")
            s3.put_object(Bucket=bucket, Key="shared", Body=f"{number}/{step}".encode())
            record = {"name": f"n{number}-{step}", "type": "A", "content": "192.0.2.1"}
            assert cloudflare("POST", f"zones/{zone.id}/dns_records", record).status == 200

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    listed = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert len([one for one in listed if one["Key"] == "shared"]) == 40
    assert len({one["VersionId"] for one in listed}) == 80
    assert len(cloudflare("GET", f"zones/{zone.id}/dns_records").result) == 40
