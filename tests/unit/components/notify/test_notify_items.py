"""What the server is told about whom to tell, and the secrets that go with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.backup.config import Notify
from components.host.items import File
from components.notify.items import items, write_secrets

ROOT = "/opt/neurmatic"


class Host:
    """What is asked of a VpsHost."""

    def __init__(self) -> None:
        self.written: dict[str, str] = {}

    def secret(self, name: str, path: str, text: str) -> None:
        self.written[path] = text


def settings(notify: Notify) -> dict[str, Any]:
    found = items(notify, "neurmatic production", ROOT, "noreply@neurmatic.com", 3600)
    [text] = [item.content for item in found if isinstance(item, File) and item.path.endswith("notify.json")]
    data: dict[str, Any] = json.loads(str(text))
    return data


@pytest.mark.parametrize("slack", [True, False])
@pytest.mark.parametrize("emails", [("a@example.com", "b@example.com"), ()], ids=["mail", "no-mail"])
def test_the_script_reads_the_files_that_the_program_writes(slack: bool, emails: tuple[str, ...]) -> None:
    notify, host = Notify(slack=slack, emails=emails), Host()
    known = {"slack_webhook_url": "https://hooks.example.com/x", "smtp_url": "smtps://u:p@example.com", "other": "x"}
    write_secrets(host, notify, ROOT, known)  # type: ignore[arg-type]
    told = settings(notify)
    expected = {
        **({told["slack"]: known["slack_webhook_url"]} if slack else {}),
        **({told["smtp"]: known["smtp_url"]} if emails else {}),
    }
    assert host.written == expected
    assert (told["slack"] is not None, told["to"]) == (slack, list(emails))


def test_no_secret_is_in_the_settings() -> None:
    text = json.dumps(settings(Notify(slack=True, emails=("a@example.com",))))
    assert "smtps://" not in text
    assert "https://" not in text
