"""The sinks as processes on loopback: what is sent to them can be asked for, and they end when told or orphaned."""

from __future__ import annotations

import os
import signal
import smtplib
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path

import boto3
import pytest

from rehearsal import RehearsalError
from rehearsal.sinks.place import LOOPBACK
from rehearsal.sinks.process import launch, records
from rehearsal.sinks.s3 import REGION, S3, start_s3
from rehearsal.sinks.smtp import SmtpSink, start_smtp
from rehearsal.sinks.webhook import WebhookSink, start_webhook

pytestmark = pytest.mark.slow


@pytest.fixture
def smtp(tmp_path: Path) -> Iterator[SmtpSink]:
    sink = start_smtp(tmp_path)
    yield sink
    sink.stop()


@pytest.fixture
def webhook(tmp_path: Path) -> Iterator[WebhookSink]:
    sink = start_webhook(tmp_path)
    yield sink
    sink.stop()


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    server = start_s3(tmp_path_factory.mktemp("s3"))
    yield server
    server.stop()


def letter(to: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "noreply@neurmatic.com", to, "Grüße"
    message.set_content("Zwölf\n.\nTeile")
    return message


def test_mail_is_kept_word_for_word(smtp: SmtpSink) -> None:
    assert smtp.mails() == []
    with smtplib.SMTP(smtp.address, smtp.port, timeout=10) as client:
        client.send_message(letter("a@example.org"))
        client.send_message(letter("b@example.org"), to_addrs=["b@example.org", "c@example.org"])
    first, second = smtp.mails()
    assert (first.sender, first.recipients) == ("noreply@neurmatic.com", ("a@example.org",))
    assert second.recipients == ("b@example.org", "c@example.org")
    assert first.message["Subject"] == "Grüße"
    assert first.message.get_content() == "Zwölf\r\n.\r\nTeile\r\n"  # as it went over the wire


def test_a_refused_recipient_leaves_no_mail(smtp: SmtpSink) -> None:
    with smtplib.SMTP(smtp.address, smtp.port, timeout=10) as client, pytest.raises(smtplib.SMTPRecipientsRefused):
        client.send_message(letter("refuse@example.org"))
    assert smtp.mails() == []


def post(url: str, body: str) -> int:
    request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json"})  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_calls_are_kept_also_those_that_fail(webhook: WebhookSink) -> None:
    assert post(f"{webhook.url}/services/T/B", '{"text": "déployé"}') == 200
    assert post(webhook.failing_url(503), "{}") == 503
    first, second = webhook.calls()
    assert (first.method, first.path, first.json) == ("POST", "/services/T/B", {"text": "déployé"})
    assert first.headers["Content-Type"] == "application/json"
    assert second.path == "/status/503"


def test_many_calls_at_once_are_all_kept_whole(webhook: WebhookSink) -> None:
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda n: post(f"{webhook.url}/{n}", f'"{"x" * 5000}{n}"'), range(100))) == {200}
    assert sorted(int(call.path[1:]) for call in webhook.calls()) == list(range(100))
    assert all(call.json.endswith(call.path[1:]) for call in webhook.calls())


def test_s3_keeps_objects_with_their_class_and_metadata(s3: S3) -> None:
    words = s3.environment()
    client = boto3.client(
        "s3",
        endpoint_url=words["AWS_ENDPOINT_URL"],
        region_name=REGION,
        aws_access_key_id=words["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=words["AWS_SECRET_ACCESS_KEY"],
    )
    client.create_bucket(Bucket="backups", CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_object(
        Bucket="backups", Key="database/a.gz", Body=b"dump", StorageClass="STANDARD_IA", Metadata={"size": "4"}
    )
    found = client.get_object(Bucket="backups", Key="database/a.gz")
    assert (found["Body"].read(), found["StorageClass"], found["Metadata"]) == (b"dump", "STANDARD_IA", {"size": "4"})


def test_two_of_a_kind_do_not_get_in_each_others_way(tmp_path: Path) -> None:
    first, second = start_webhook(tmp_path / "1"), start_webhook(tmp_path / "2")
    try:
        post(f"{first.url}/a", "{}")
        assert ([call.path for call in first.calls()], second.calls()) == (["/a"], [])
    finally:
        first.stop()
        second.stop()


def test_stopping_ends_the_process_and_frees_the_port(tmp_path: Path) -> None:
    sink = start_webhook(tmp_path)
    sink.stop()
    assert not sink.server.running
    with pytest.raises(urllib.error.URLError, match="refused"):
        post(sink.url, "{}")
    sink.stop()  # twice does no harm


def test_a_sink_ends_with_a_test_that_was_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from rehearsal.sinks.webhook import start_webhook\n"
        "print(start_webhook(Path(sys.argv[1])).server.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.send_signal(signal.SIGKILL)
    assert _gone(pid)


def _gone(pid: int) -> bool:
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_what_does_not_start_says_why_in_one_sentence(tmp_path: Path) -> None:
    server = launch("broken", [sys.executable, "-c", "raise SystemExit('no such port')"], LOOPBACK, tmp_path)
    with pytest.raises(RehearsalError, match=r"^broken did not start: no such port \(log: .*\)\.$"):
        server.wait_until(lambda: False)


def test_what_does_not_listen_to_sigterm_is_killed(tmp_path: Path) -> None:
    script = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    server = launch("deaf", [sys.executable, "-c", script], LOOPBACK, tmp_path)
    server.wait_until(lambda: "up" in server.log.read_text())
    begin = time.monotonic()
    server.stop()
    assert time.monotonic() - begin < 20
    assert not server.running


def test_half_a_line_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    assert records(path) == []
    path.write_text('{"n": 1}\n{"n": 2')
    assert records(path) == [{"n": 1}]
