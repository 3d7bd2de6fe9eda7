"""The forms that a secret takes on its way through programs, and the search for them."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

SHORTEST = 8
"""What is shorter stands anywhere by chance."""
GO = {ord(sign): f"\\u{ord(sign):04x}" for sign in "&<>"}
"""Docker's and Pulumi's JSON is safe to stand in a page."""


@dataclass(frozen=True)
class Leak:
    """`form` says how it was written; the secret itself is in no report."""

    secret: str
    form: str
    place: str

    def __str__(self) -> str:
        return f"{self.secret} ({self.form}) in {self.place}"


def forms(secret: str) -> dict[str, bytes]:
    """Only those that differ from a simpler one; of base64, the part that no neighbour can change."""
    raw = secret.encode()
    wanted = {
        "plain": raw,
        "URL-encoded": quote(secret, safe="").encode(),
        "form-encoded": quote_plus(secret).encode(),
        "shell-quoted": shlex.quote(secret).strip("'").encode(),
        "JSON": json.dumps(secret)[1:-1].encode(),
        "JSON in UTF-8": json.dumps(secret, ensure_ascii=False)[1:-1].encode(),
        "JSON as Go writes it": json.dumps(secret, ensure_ascii=False)[1:-1].translate(GO).encode(),
        "JSON in JSON": json.dumps(json.dumps(secret)[1:-1])[1:-1].encode(),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        **{f"base64 at {at}": shifted(raw, at) for at in range(3)},
        **{f"base64url at {at}": shifted(raw, at).translate(bytes.maketrans(b"+/", b"-_")) for at in range(3)},
    }
    found: dict[str, bytes] = {}
    for form, written in wanted.items():
        if written not in found.values():
            found[form] = written
    return found


def shifted(raw: bytes, at: int) -> bytes:
    """base64 of a text in which the secret begins so many bytes after a multiple of three."""
    whole = base64.b64encode(b"\0" * at + raw + b"\0" * (-(at + len(raw)) % 3))
    first = -(-at * 8 // 6)
    return whole[first : (at + len(raw)) * 8 // 6]


class Search:
    """For all secrets at once. Parts of a secret of several lines, such as a key, are looked for line by line."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self.needles = [
            (name, form, written)
            for name, secret in secrets.items()
            for part in lines_of(secret)
            for form, written in forms(part).items()
        ]

    def find(self, text: bytes, place: str) -> Iterator[Leak]:
        for name, form, written in self.needles:
            if written in text:
                yield Leak(name, form, place)


def lines_of(secret: str) -> Iterable[str]:
    return {line for line in secret.splitlines() if len(line) >= SHORTEST and not line.startswith("-----")}
