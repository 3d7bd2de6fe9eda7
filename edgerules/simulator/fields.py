"""The fields of a request, computed when a rule first asks for them.

A field that follows from the request is known; one that only Cloudflare could tell (a bot score, a country
nobody stated) is UNKNOWN unless the case gives it under `fields`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from edgerules.language import UNKNOWN
from edgerules.simulator.normalise import normalise
from edgerules.simulator.request import Request

_URL = (
    "http.request.uri",
    "http.request.full_uri",
    "http.request.uri.path.extension",
    "http.request.uri.args",
    "http.request.uri.args.names",
    "http.request.uri.args.values",
)
_FROM_HEADERS = (
    "http.request.headers.names",
    "http.request.headers.values",
    "http.request.cookies",
    "http.request.accepted_languages",
    "http.cookie",
    "http.referer",
    "http.user_agent",
    "http.x_forwarded_for",
)


class Fields(dict[str, Any]):
    """Field name -> value for the evaluator. Missing keys are computed once."""

    __slots__ = ("normalisation", "request")

    def __init__(self, request: Request, normalisation: str | None = None) -> None:
        super().__init__(request.fields)
        self.request = request
        self.normalisation = normalisation

    def __missing__(self, name: str) -> Any:
        make = _MAKERS.get(name)
        value = UNKNOWN if make is None else make(self)
        self[name] = value
        return value

    def get(self, name: str, default: Any = None) -> Any:  # the evaluator may ask either way
        return self[name]

    def rewrite(self, part: str, value: Any) -> None:
        """A rewrite changed `path` or `query`; everything derived from it changes too."""
        self["http.request.uri." + part] = value
        for name in _URL:
            self.pop(name, None)

    def set_headers(self, headers: dict[bytes, list[bytes]] | Any) -> None:
        self["http.request.headers"] = headers
        for name in _FROM_HEADERS:
            self.pop(name, None)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _path(fields: Fields) -> Any:
    raw = fields["raw.http.request.uri.path"]
    return normalise(raw, fields.normalisation) if fields.normalisation else raw


def _uri(prefix: str) -> Callable[[Fields], Any]:
    def make(fields: Fields) -> Any:
        path, query = fields[prefix + ".path"], fields[prefix + ".query"]
        if path is UNKNOWN or query is UNKNOWN:
            return UNKNOWN
        return path + b"?" + query if query else path

    return make


def _full_uri(prefix: str) -> Callable[[Fields], Any]:
    def make(fields: Fields) -> Any:
        uri = fields[prefix + ".uri"]
        if uri is UNKNOWN:
            return UNKNOWN
        return _bytes(f"{fields.request.scheme}://{fields.request.authority}") + uri

    return make


def _extension(prefix: str) -> Callable[[Fields], Any]:
    def make(fields: Fields) -> Any:
        path = fields[prefix + ".path"]
        if path is UNKNOWN:
            return UNKNOWN
        last = path.rpartition(b"/")[2]
        return last.rpartition(b".")[2].lower() if b"." in last else b""

    return make


def _args(prefix: str) -> Callable[[Fields], Any]:
    def make(fields: Fields) -> Any:
        query = fields[prefix + ".query"]
        return UNKNOWN if query is UNKNOWN else pairs(query)

    return make


def pairs(query: bytes) -> dict[bytes, list[bytes]]:
    """`a=1&b=2&a=3` -> {a: [1, 3], b: [2]}, nothing decoded."""
    found: dict[bytes, list[bytes]] = {}
    for part in query.split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            found.setdefault(name, []).append(value)
    return found


def _names(of: str) -> Callable[[Fields], Any]:
    def make(fields: Fields) -> Any:
        values = fields[of]
        return UNKNOWN if values is UNKNOWN else [name for name, items in values.items() for _ in items]

    return make


def _values(of: str) -> Callable[[Fields], Any]:
    def make(fields: Fields) -> Any:
        values = fields[of]
        return UNKNOWN if values is UNKNOWN else [item for items in values.values() for item in items]

    return make


def _headers(fields: Fields) -> Any:
    return {_bytes(name): [_bytes(value) for value in values] for name, values in fields.request.headers.items()}


def _header(name: bytes, joint: bytes = b", ") -> Callable[[Fields], Any]:
    def make(fields: Fields) -> Any:
        headers = fields["http.request.headers"]
        if headers is UNKNOWN:
            return UNKNOWN
        values = headers.get(name)
        if values is None:
            return b""
        return UNKNOWN if values is UNKNOWN else joint.join(values)

    return make


def _cookies(fields: Fields) -> Any:
    header = fields["http.cookie"]
    if header is UNKNOWN:
        return UNKNOWN
    found: dict[bytes, list[bytes]] = {}
    for part in header.split(b";"):
        name, equals, value = part.strip().partition(b"=")
        if equals:
            found.setdefault(unquote_to_bytes(name), []).append(value)
    return found


def _languages(fields: Fields) -> Any:
    header = _header(b"accept-language")(fields)
    if header is UNKNOWN:
        return UNKNOWN
    ranked = []
    for part in header.split(b","):
        tag, _, quality = part.strip().partition(b";q=")
        if tag:
            ranked.append((-_quality(quality), tag))
    return [tag for _, tag in sorted(ranked, key=lambda pair: pair[0])]


def _quality(text: bytes) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


def _body_size(fields: Fields) -> Any:
    request = fields.request
    if request.body is not None:
        return len(request.body)
    length = request.headers.get("content-length", ("",))[0]
    if length.isascii() and length.isdigit() and len(length) < 18:
        return int(length)
    return 0 if request.method in ("GET", "HEAD", "OPTIONS") else UNKNOWN


def _body(fields: Fields) -> Any:
    body = fields.request.body
    if body is not None:
        return body
    return b"" if fields["http.request.body.size"] == 0 else UNKNOWN


def _form(fields: Fields) -> Any:
    body = fields["http.request.body.raw"]
    kind = fields.request.headers.get("content-type", ("",))[0]
    if not kind.startswith("application/x-www-form-urlencoded"):
        return {}
    return UNKNOWN if body is UNKNOWN else pairs(body)


def _country(fields: Fields) -> Any:
    country = fields.request.country
    return UNKNOWN if country is None else _bytes(country)


def _ip(fields: Fields) -> Any:
    return UNKNOWN if fields.request.ip is None else fields.request.ip


def _port(fields: Fields) -> int:
    return fields.request.port or (443 if fields.request.scheme == "https" else 80)


def _tls(fields: Fields) -> Any:
    request = fields.request
    if request.scheme != "https":
        return b"none"
    return _bytes("TLSv" + request.tls) if request.tls else UNKNOWN


_MAKERS: dict[str, Callable[[Fields], Any]] = {
    "http.host": lambda fields: _bytes(fields.request.host),
    "http.request.method": lambda fields: _bytes(fields.request.method),
    "http.request.version": lambda fields: _bytes(fields.request.http_version),
    "raw.http.request.uri.path": lambda fields: _bytes(fields.request.path),
    "raw.http.request.uri.query": lambda fields: _bytes(fields.request.query),
    "http.request.uri.path": _path,
    "http.request.uri.query": lambda fields: _bytes(fields.request.query),
    "http.request.headers": _headers,
    "http.request.headers.names": _names("http.request.headers"),
    "http.request.headers.values": _values("http.request.headers"),
    "http.request.headers.truncated": lambda fields: False,
    "http.request.cookies": _cookies,
    "http.request.accepted_languages": _languages,
    "http.request.body.size": _body_size,
    "http.request.body.raw": _body,
    "http.request.body.form": _form,
    "http.request.body.form.names": _names("http.request.body.form"),
    "http.request.body.form.values": _values("http.request.body.form"),
    "http.request.body.truncated": lambda fields: UNKNOWN,
    "http.user_agent": _header(b"user-agent"),
    "http.referer": _header(b"referer"),
    "http.cookie": _header(b"cookie", b"; "),
    "http.x_forwarded_for": _header(b"x-forwarded-for"),
    "ssl": lambda fields: fields.request.scheme == "https",
    "ip.src": _ip,
    "ip.src.country": _country,
    "ip.geoip.country": _country,
    "cf.edge.server_port": _port,
    "cf.tls_version": _tls,
}
for _prefix in ("http.request", "raw.http.request"):
    _MAKERS[_prefix + ".uri"] = _uri(_prefix + ".uri")
    _MAKERS[_prefix + ".full_uri"] = _full_uri(_prefix)
    _MAKERS[_prefix + ".uri.path.extension"] = _extension(_prefix + ".uri")
    _MAKERS[_prefix + ".uri.args"] = _args(_prefix + ".uri")
    _MAKERS[_prefix + ".uri.args.names"] = _names(_prefix + ".uri.args")
    _MAKERS[_prefix + ".uri.args.values"] = _values(_prefix + ".uri.args")
