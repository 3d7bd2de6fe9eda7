"""URL normalisation of incoming paths (docs: rules/normalization/how-it-works, read November 2026)."""

from __future__ import annotations

import re

_UNRESERVED = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
_KEPT = _UNRESERVED | frozenset(b":/?#[]@!$&'()*+,;=%")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_CLEAN = re.compile(rb"/(?:[A-Za-z0-9_~:@!$&'()*+,;=-][A-Za-z0-9_~:@!$&'()*+,;=.-]*/?)*")


def normalise(path: bytes, kind: str) -> bytes:
    """`path` as the rules see it, for kind `cloudflare` or `rfc3986`."""
    if _CLEAN.fullmatch(path):
        return path
    if kind == "cloudflare":
        path = re.sub(rb"/{2,}", b"/", path.replace(b"\\", b"/"))
    path = _ESCAPE.sub(_decode, path)
    path = b"".join(bytes([c]) if c in _KEPT else b"%%%02X" % c for c in path)
    return _remove_dots(path)


def _decode(match: re.Match[bytes]) -> bytes:
    byte = int(match[1], 16)
    return bytes([byte]) if byte in _UNRESERVED else b"%%%02X" % byte


def _remove_dots(path: bytes) -> bytes:
    """RFC 3986, section 5.2.4, for an absolute path."""
    kept: list[bytes] = []
    segments = path.split(b"/")[1:]
    for segment in segments:
        if segment == b"..":
            if kept:
                kept.pop()
        elif segment != b".":
            kept.append(segment)
    if segments and segments[-1] in (b".", b".."):
        kept.append(b"")
    return b"/" + b"/".join(kept)
