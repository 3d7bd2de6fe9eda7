"""Every form that a secret may have taken is found, and nothing else is."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Callable
from urllib.parse import quote

import pytest

from rehearsal.leaks.forms import Search, forms
from rehearsal.leaks.secrets import SECRET, SIGNATURE, secrets_of

AWKWARD = "it's/a+secret=\"with\\all&of it%"
Way = Callable[[str], bytes]
KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAAo\n-----END KEY-----\n"


def after(length: int) -> Way:
    return lambda text: base64.b64encode(b"x" * length + text.encode() + b"yz")


WAYS: dict[str, Way] = {
    "plain": lambda text: f"password={text};".encode(),
    "URL": lambda text: f"postgres://u:{quote(text, safe='')}@host".encode(),
    "shell": lambda text: f"PASSWORD={shlex.quote(text)}\n".encode(),
    "JSON": lambda text: json.dumps({"password": text}).encode(),
    "JSON twice": lambda text: json.dumps(json.dumps({"password": text})).encode(),
    "hex": lambda text: text.encode().hex().encode(),
    "URL-safe base64": lambda text: base64.urlsafe_b64encode(text.encode()),
    **{f"base64 after {length}": after(length) for length in range(4)},
}


@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize("secret", [AWKWARD, "A" * 3 + "b7" * 31, "short-token-1"])
def test_a_secret_is_found_whatever_was_done_to_it(way: str, secret: str) -> None:
    search = Search({"token": secret})
    text = b"before " + WAYS[way](secret) + b" after"
    found = list(search.find(text, "a log"))
    assert {leak.secret for leak in found} == {"token"}
    assert not list(search.find(b"before " + WAYS[way]("another-secret-altogether") + b" after", "a log"))
    assert secret not in str(found)


def test_each_line_of_a_key_is_a_secret() -> None:
    found = list(Search({"key": KEY}).find(b"... BAQEFAASCBKcwggSjAgEAAo ...", "a file"))
    assert [(leak.secret, leak.form) for leak in found] == [("key", "plain")]
    assert not list(Search({"key": KEY}).find(b"-----BEGIN KEY-----", "a file"))


def test_no_form_is_short_enough_to_stand_anywhere_by_chance() -> None:
    assert min(len(written) for written in forms("12345678").values()) >= 8


def test_what_the_state_and_the_configuration_keep_is_known() -> None:
    hidden = {SIGNATURE: SECRET, "plaintext": json.dumps("generated-by-the-stack")}
    urn = "urn:pulumi:production::neurmatic::random:index/randomPassword:RandomPassword::credentials-jwt"
    resource = {
        "urn": urn,
        "type": "random:index/randomPassword:RandomPassword",
        "outputs": {"result": hidden, "length": 64},
    }
    config = {"neurmatic:sentry_dsn": {"value": "https://key@sentry", "secret": True}, "a": {"value": "public-value"}}
    assert secrets_of({"deployment": {"resources": [resource]}}, config) == {
        "credentials-jwt.result": "generated-by-the-stack",
        "neurmatic:sentry_dsn": "https://key@sentry",
    }
