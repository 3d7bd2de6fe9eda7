"""DNS-01 in a zone of Cloudflare: certbot's two hooks. The token needs the right to edit DNS there, and no other."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MARK = "ACME challenge"
SECONDS = 20

Wanted = Mapping[str, Any]


class RefusedError(Exception):
    """One sentence, for certbot's output."""


def add(wanted: Wanted) -> None:
    """Waits once, after the last name: until all of Cloudflare's name servers know."""
    content = f'"{os.environ["CERTBOT_VALIDATION"]}"'
    record = {"type": "TXT", "name": _name(), "content": content, "ttl": 60, "comment": MARK}
    _call(wanted, "POST", "", record)
    if os.environ.get("CERTBOT_REMAINING_CHALLENGES", "0") == "0":
        time.sleep(wanted["dns_seconds"])


def remove(wanted: Wanted) -> None:
    """Also what a killed run has left behind; records of others stay."""
    query = urllib.parse.urlencode({"type": "TXT", "name": _name()})
    for record in _call(wanted, "GET", f"?{query}"):
        if record.get("comment") == MARK:
            _call(wanted, "DELETE", f"/{record['id']}")


def _name() -> str:
    return f"_acme-challenge.{os.environ['CERTBOT_DOMAIN']}"


def _call(wanted: Wanted, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    address = f"{wanted['cloudflare']}/zones/{wanted['zone_id']}/dns_records{path}"
    request = urllib.request.Request(address, json.dumps(body).encode() if body else None, method=method)  # noqa: S310
    request.add_header("Authorization", f"Bearer {_token(wanted)}")
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - a setting of the program's
            return json.load(answer)["result"]
    except urllib.error.HTTPError as error:
        raise RefusedError(f"Cloudflare refuses to change {_name()} with {error.code}: {_reason(error)}") from None
    except OSError as error:
        raise RefusedError(f"Cloudflare's API cannot be reached: {error}") from None


def _token(wanted: Wanted) -> str:
    try:
        return Path(wanted["token"]).read_text().strip()
    except OSError:
        raise RefusedError(f"The token for the zone's DNS is missing: {wanted['token']}") from None


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return "; ".join(f"{each['message']} ({each['code']})" for each in json.load(error)["errors"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)
