"""The script as it runs on the server, against servers that keep what they get."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from components.notify.items import SCRIPT
from rehearsal.sinks.smtp import REFUSE, SmtpSink, start_smtp
from rehearsal.sinks.tls import Authority
from rehearsal.sinks.webhook import WebhookSink, start_webhook

WORD = "s3cret-of-the-webhook"


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[WebhookSink]:
    sink = start_webhook(tmp_path / "slack")
    yield sink
    sink.stop()


@pytest.fixture
def mails(tmp_path: Path) -> Iterator[SmtpSink]:
    sink = start_smtp(tmp_path / "mail")
    yield sink
    sink.stop()


class Notify:
    """notify with settings of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings: dict[str, Any] = {
            "stack": "neurmatic production",
            "slack": None,
            "smtp": None,
            "sender": "noreply@example.com",
            "to": [],
            "remind_after": 3600,
            "hourly": 20,
            "state": str(folder / "state" / "notify.json"),
        }

    def slack(self, url: str) -> Notify:
        self.settings["slack"] = self._secret("slack_webhook_url", url)
        return self

    def mail(self, url: str, *to: str) -> Notify:
        self.settings |= {"smtp": self._secret("smtp_url", url), "to": list(to)}
        return self

    def _secret(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(f"{text}\n")
        return str(path)

    def __call__(self, *arguments: str, body: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        path = self.folder / "notify.json"
        path.write_text(json.dumps(self.settings))
        command = [sys.executable, "-I", str(SCRIPT), "--settings", str(path), *arguments]
        return subprocess.run(
            command,
            input=body,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def later(self, seconds: float) -> None:
        """As if so much time had passed since everything that was said."""
        path = Path(self.settings["state"])
        path.write_text(json.dumps(aged(json.loads(path.read_text()), seconds)))


def aged(value: Any, seconds: float) -> Any:
    if isinstance(value, dict):
        return {key: aged(inner, seconds) for key, inner in value.items()}
    if isinstance(value, list):
        return [aged(inner, seconds) for inner in value]
    return value - seconds if isinstance(value, float) and value > 1e9 else value


@pytest.fixture
def notify(tmp_path: Path) -> Notify:
    return Notify(tmp_path)


def test_both_channels_hear_the_same(notify: Notify, slack: WebhookSink, mails: SmtpSink) -> None:
    notify.slack(f"{slack.url}/services/{WORD}").mail(
        f"smtp://127.0.0.1:{mails.port}", "a@example.com", "b@example.com"
    )
    done = notify("--severity", "critical", "Backup failed", body="pg_dump: <no> connection ```\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = slack.calls()[0].json["text"]
    assert text.startswith("*CRITICAL* neurmatic production on ")
    assert "Backup failed\n```pg_dump: &lt;no&gt; connection '''```" in text
    [mail] = mails.mails()
    assert mail.recipients == ("a@example.com", "b@example.com")
    assert mail.message["Subject"] == "[critical] neurmatic production: Backup failed"
    assert "pg_dump: <no> connection" in mail.message.get_content()


def test_nobody_to_tell_is_no_failure(notify: Notify) -> None:
    assert notify("--severity", "critical", "x").returncode == 0


def test_the_same_is_said_once_then_again_later_then_that_it_is_over(notify: Notify, slack: WebhookSink) -> None:
    notify.slack(slack.url)
    alert = ("--severity", "warning", "--key", "health", "Redis is full")
    assert [notify(*alert).returncode for _ in range(3)] == [0, 0, 0]
    assert len(slack.calls()) == 1
    notify.later(3700)
    notify(*alert)
    assert "and still" in slack.calls()[1].json["text"]
    over = ("--key", "health", "--resolved", "All is well")
    assert [notify(*over).returncode for _ in range(2)] == [0, 0]
    assert [call.json["text"].split("*")[1] for call in slack.calls()] == ["WARNING", "WARNING", "RESOLVED"]
    notify(*alert)
    assert len(slack.calls()) == 4


def test_over_is_not_said_of_what_nobody_heard_of(notify: Notify, slack: WebhookSink) -> None:
    notify.slack(slack.url)
    assert notify("--key", "health", "--resolved", "All is well").returncode == 0
    assert slack.calls() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("--severity", "critical"), 2),
        (("--severity", "warning", "--state", "other"), 2),
        (("--severity", "info"), 2),
        (("--severity", "warning"), 1),
    ],
    ids=["worse", "other", "info", "same"],
)
def test_what_changes_is_said_at_once(notify: Notify, slack: WebhookSink, change: tuple[str, ...], said: int) -> None:
    notify.slack(slack.url)
    notify("--severity", "warning", "--key", "k", "first")
    notify(*change, "--key", "k", "second")
    assert len(slack.calls()) == said


def test_one_channel_that_fails_hides_no_other_and_hears_of_it_later(
    notify: Notify, slack: WebhookSink, mails: SmtpSink
) -> None:
    notify.slack(slack.failing_url(404)).mail(f"smtp://127.0.0.1:{mails.port}", "a@example.com")
    done = notify("--severity", "critical", "Database down")
    assert done.returncode == 1
    assert done.stderr == "Slack: the webhook answered 404.\n"
    assert len(mails.mails()) == 1
    notify.slack(slack.url)
    assert notify("--severity", "critical", "Database down").returncode == 0
    assert len(mails.mails()) == 1
    assert [call.path for call in slack.calls()] == ["/status/404", "/"]


def test_a_server_in_trouble_is_asked_three_times(notify: Notify, slack: WebhookSink) -> None:
    notify.slack(slack.failing_url(503))
    done = notify("x")
    assert (done.returncode, done.stderr) == (1, "Slack: the webhook answered 503.\n")
    assert len(slack.calls()) == 3


def test_a_mailbox_that_does_not_exist_takes_nobody_elses_mail(notify: Notify, mails: SmtpSink) -> None:
    notify.mail(f"smtp://127.0.0.1:{mails.port}", "a@example.com", f"{REFUSE}@example.com")
    done = notify("--severity", "critical", "x")
    assert (done.returncode, done.stderr) == (
        1,
        f"mail: the mail server refuses {REFUSE}@example.com; the others were told.\n",
    )
    assert notify("--severity", "critical", "x").returncode == 0
    assert [mail.recipients for mail in mails.mails()] == [("a@example.com",)]


def test_no_message_names_a_secret(notify: Notify) -> None:
    for url in (
        f"ftp://{WORD}",
        f"https://127.0.0.1:1/{WORD}",
        f"http://127.0.0.1:1/\x01{WORD}",
        f"http://h.test/{WORD}",
    ):
        done = notify.slack(url)(f"about {len(url)}")
        assert done.returncode == 1
        assert WORD not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    for url in (f"smtps://u:{WORD}@127.0.0.1:1", f"smtp://u:{WORD}@mail.test", f"smtps://u:{WORD}@[::1"):
        notify.settings["slack"] = None
        done = notify.mail(url, "a@example.com")(f"about {len(url)}")
        assert done.returncode == 1
        assert WORD not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_too_many_messages_are_held_back_and_counted(notify: Notify, slack: WebhookSink) -> None:
    notify.slack(slack.url).settings["hourly"] = 3
    for number in range(5):
        assert notify("--severity", "warning", f"number {number}").returncode == 0
    assert len(slack.calls()) == 3
    notify("--severity", "critical", "Database down")
    assert "2 messages were held back" in slack.calls()[3].json["text"]


def test_a_subject_cannot_add_headers(notify: Notify, mails: SmtpSink) -> None:
    notify.mail(f"smtp://127.0.0.1:{mails.port}", "a@example.com")
    assert notify("hello\r\nBcc: other@example.com").returncode == 0
    [mail] = mails.mails()
    assert mail.message["Bcc"] is None
    assert mail.recipients == ("a@example.com",)


def test_a_broken_memory_is_an_empty_one(notify: Notify, slack: WebhookSink) -> None:
    notify.slack(slack.url)
    notify("--severity", "warning", "x")
    Path(notify.settings["state"]).write_text("{")
    assert notify("--severity", "warning", "x").returncode == 0
    assert len(slack.calls()) == 2


def test_a_missing_secret_is_a_sentence(notify: Notify, slack: WebhookSink) -> None:
    Path(str(notify.slack(slack.url).settings["slack"])).unlink()
    done = notify("x")
    assert done.returncode == 1
    assert "slack_webhook_url cannot be read (No such file or directory)" in done.stderr


class Kept:
    def __init__(self) -> None:
        self.subjects: list[bytes] = []

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.subjects.append(envelope.content)
        return "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def login(server: SMTP, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
    good = isinstance(given, LoginPassword) and given.password == b"p@ss/word"
    return AuthResult(success=good, handled=False)


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_mail_goes_encrypted_to_a_server_that_is_who_it_says(notify: Notify, tmp_path: Path, scheme: str) -> None:
    authority = Authority()
    pair = authority.issue(["127.0.0.1"])
    for name, content in (("chain.pem", pair.certificate), ("key.pem", pair.key), ("root.pem", authority.certificate)):
        (tmp_path / name).write_bytes(content)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")
    tls: dict[str, Any] = (
        {"ssl_context": context} if scheme == "smtps" else {"tls_context": context, "require_starttls": True}
    )
    keeper = Kept()
    auth: dict[str, Any] = {"authenticator": login, "auth_required": True, "auth_require_tls": scheme != "smtps"}
    server = Controller(keeper, hostname="127.0.0.1", port=(port := free_port()), **tls, **auth)
    server.start()
    try:
        notify.mail(f"{scheme}://user:p%40ss%2Fword@127.0.0.1:{port}", "a@example.com")
        untrusted = notify("--severity", "critical", "x")
        assert "its certificate is not valid" in untrusted.stderr
        trusted = notify("--severity", "critical", "x", SSL_CERT_FILE=str(tmp_path / "root.pem"))
        assert (trusted.returncode, trusted.stderr) == (0, "")
        assert len(keeper.subjects) == 1
        notify.mail(f"{scheme}://user:wrong@127.0.0.1:{port}", "a@example.com")
        refused = notify("--severity", "critical", "y", SSL_CERT_FILE=str(tmp_path / "root.pem"))
        assert (refused.returncode, refused.stderr) == (
            1,
            "mail: the mail server refuses the login of smtp_url (535).\n",
        )
    finally:
        server.stop()


def test_a_server_that_says_nothing_costs_a_bounded_time(notify: Notify, slack: WebhookSink) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        notify.slack(slack.url).mail(f"smtp://127.0.0.1:{silent.getsockname()[1]}", "a@example.com")
        began = time.monotonic()
        done = notify("x")
    assert done.returncode == 1
    assert done.stderr == "mail: the mail server cannot be reached (it does not answer).\n"
    assert len(slack.calls()) == 1
    assert time.monotonic() - began < 20
