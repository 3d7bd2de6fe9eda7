"""Functions on strings. All of them work on bytes: only ASCII letters have a case."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from uuid import UUID

from edgerules.language.regex import capturing_pattern
from edgerules.language.unknown import UNKNOWN, Unknown
from edgerules.language.wildcard import find_stars, split_pattern

_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_PERCENT_UNICODE = re.compile(rb"((?:%u[0-9A-Fa-f]{4})+)|%([0-9A-Fa-f]{2})")
_REFERENCE = re.compile(rb"\$\$|\$\{(\d+)\}")


def starts_with(source: bytes, substring: bytes) -> bool:
    return source.startswith(substring)


def ends_with(source: bytes, substring: bytes) -> bool:
    return source.endswith(substring)


def substring(source: bytes, start: int, end: int | None = None) -> bytes:
    """Byte indexes; negative ones count from the end."""
    return source[start:end]


def remove_bytes(source: bytes, unwanted: bytes) -> bytes:
    return source.translate(None, unwanted)


def to_string(value: int | bool | IPv4Address | IPv6Address) -> bytes:
    if isinstance(value, bool):
        return b"true" if value else b"false"
    return str(value).encode("ascii")


def url_decode(source: bytes, options: bytes = b"") -> bytes:
    """`r` decodes until nothing changes, `u` knows %uXXXX. What is no valid escape stays as it is."""
    decoded = _decode_once(source, unicode=b"u" in options)
    while b"r" in options and decoded != source:
        source, decoded = decoded, _decode_once(decoded, unicode=b"u" in options)
    return decoded


def _decode_once(source: bytes, *, unicode: bool) -> bytes:
    spaced = source.replace(b"+", b" ")
    if b"%" not in spaced:
        return spaced
    if unicode:
        return _PERCENT_UNICODE.sub(_unicode_escape, spaced)
    return _PERCENT.sub(lambda match: bytes([int(match[1], 16)]), spaced)


def _unicode_escape(match: re.Match[bytes]) -> bytes:
    if match[2]:
        return bytes([int(match[2], 16)])
    units = b"".join(int(code, 16).to_bytes(2, "big") for code in match[1].split(b"%u")[1:])
    try:
        return units.decode("utf-16-be").encode("utf-8")
    except UnicodeDecodeError:
        return match[1]


def regex_replace(source: bytes, pattern: bytes, replacement: bytes) -> bytes | Unknown:
    """The first match only; `${1}` is the first group, `$$` a dollar sign."""
    compiled = capturing_pattern(pattern)
    if compiled is None:
        return UNKNOWN
    match = compiled.search(source)
    if match is None:
        return source
    groups = [match[index] or b"" for index in range(1, compiled.groups + 1)]
    return source[: match.start()] + _fill(replacement, groups) + source[match.end() :]


def wildcard_replace(source: bytes, pattern: bytes, replacement: bytes, flags: bytes = b"") -> bytes:
    """The whole source must match; each star takes as little as it can."""
    pieces, text = split_pattern(pattern), source
    if flags != b"s":
        pieces, text = tuple(piece.lower() for piece in pieces), source.lower()
    spans = find_stars(pieces, text)
    if spans is None:
        return source
    return _fill(replacement, [source[start:end] for start, end in spans])


def _fill(replacement: bytes, groups: list[bytes]) -> bytes:
    def reference(match: re.Match[bytes]) -> bytes:
        return b"$" if match[1] is None else groups[int(match[1]) - 1]

    return _REFERENCE.sub(reference, replacement)


def remove_query_args(query: bytes, *names: bytes) -> bytes:
    """The order of what stays is kept."""
    return b"&".join(part for part in query.split(b"&") if part.partition(b"=")[0] not in names)


def uuidv4(seed: bytes) -> bytes | Unknown:
    """The same seed gives the same UUID, so that tests can expect one; Cloudflare's own choice is random."""
    return str(UUID(bytes=seed[:16], version=4)).encode("ascii") if len(seed) >= 16 else UNKNOWN
