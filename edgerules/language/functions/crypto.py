"""Hashes, Base64 and timed HMAC tokens."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re

from edgerules.language.functions.text import url_decode

_TOKEN = re.compile(rb"(.+)([0-9]{10})-(.{43,})", re.DOTALL)


def decode_base64(source: bytes) -> bytes | None:
    """With or without padding; missing when the source is no Base64."""
    try:
        return base64.b64decode(source + b"=" * (-len(source) % 4), validate=True)
    except binascii.Error:
        return None


def encode_base64(source: bytes, flags: bytes = b"") -> bytes:
    """`u`: the alphabet for URLs; `p`: with padding."""
    encoded = base64.urlsafe_b64encode(source) if b"u" in flags else base64.b64encode(source)
    return encoded if b"p" in flags else encoded.rstrip(b"=")


def sha256(source: bytes) -> bytes:
    return hashlib.sha256(source).digest()


def is_timed_hmac_valid_v0(  # noqa: PLR0913, PLR0917  # the language has six arguments
    key: bytes, message_mac: bytes, ttl: int, now: int, separator: int = 0, flags: bytes = b""
) -> bool:
    """The token is message, separator, ten digits of issue time, "-", MAC; the MAC covers message and time."""
    token = _TOKEN.fullmatch(message_mac)
    if token is None or separator >= len(token[1]):
        return False
    message, issued, mac = token[1][: len(token[1]) - separator], token[2], token[3]
    if now >= int(issued) + ttl:
        return False
    expected = hmac.new(key, message + issued, hashlib.sha256).digest()
    return hmac.compare_digest(_mac(mac, flags) or b"", expected)


def _mac(text: bytes, flags: bytes) -> bytes | None:
    """URL-safe Base64 without padding under the flag `s`, else URL-encoded Base64."""
    if flags == b"s":
        return None if b"+" in text or b"/" in text else decode_base64(text.translate(bytes.maketrans(b"-_", b"+/")))
    return decode_base64(url_decode(text.replace(b"+", b"%2B")))
