"""Requests as people write them: a line like curl's arguments, or a mapping."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import Field, ValidationError

from edgerules.cases.values import WrongValueError, field_values
from edgerules.simulator import Origin, Request
from edgerules.zone import InputError, Model

HeaderText = str | list[str]


class OriginSpec(Model):
    status: int = 200
    headers: dict[str, HeaderText] = Field(default={})


class Assume(Model):
    """What a case takes for granted, because nobody can compute it offline. The only word is `pass`."""

    managed: str | None = None
    bots: str | None = None


class RequestSpec(Model):
    method: str | None = None
    url: str | None = None
    scheme: str | None = None
    host: str | None = None
    path: str | None = None
    query: str | None = None
    headers: dict[str, HeaderText] = Field(default={})
    ip: str | None = None
    country: str | None = None
    asn: int | None = None
    body: str | None = None
    tls: str | float | None = None
    http: str | float | None = None
    colo: str | None = None
    fields: dict[str, Any] = Field(default={})
    origin: OriginSpec | None = None
    assume: Assume | None = None


_OPTIONS = {
    "-X": "method",
    "--request": "method",
    "-d": "body",
    "--data": "body",
    "--ip": "ip",
    "--country": "country",
    "--asn": "asn",
    "--tls": "tls",
    "--http": "http",
    "--colo": "colo",
}
_HEADERS = {"-A": "user-agent", "-b": "cookie", "-e": "referer", "--user-agent": "user-agent", "--cookie": "cookie"}
_SYNTAX = "a request is METHOD URL, then -H 'Name: value', --ip ADDRESS, --country CODE, --field NAME=VALUE"


def from_line(line: str) -> dict[str, Any]:
    """`GET https://example.com/a -H 'Cookie: a=b' --country DE` as a mapping; ValueError with the reason."""
    text = line.strip()
    start = re.search(r"\s-{1,2}[A-Za-z]", text)
    head, options = (text[: start.start()], text[start.start() :]) if start else (text, "")
    try:
        words = shlex.split(options)
    except ValueError:
        raise WrongValueError("a quotation mark is not closed") from None
    return from_words([*_head(head), *words])


def _head(text: str) -> list[str]:
    """Method and URL; the URL may hold spaces and quotes, as an attack does."""
    method = re.match(r"([A-Z]+)\s+", text)
    url = text[method.end() :] if method else text
    if len(url) > 1 and url[0] == url[-1] and url[0] in "'\"":
        url = url[1:-1]
    return [method[1], url] if method else [url]


def from_words(words: list[str]) -> dict[str, Any]:
    """The words of a command line as a mapping."""
    found: dict[str, Any] = {}
    plain: list[str] = []
    rest = iter(words)
    for word in rest:
        if word.startswith("-") and len(word) > 1:
            _option(found, word, next(rest, None))
        else:
            plain.append(word)
    if plain and re.fullmatch(r"[A-Z]+", plain[0]):
        found["method"] = plain.pop(0)
    if len(plain) != 1 or not plain[0]:
        raise WrongValueError(_SYNTAX)
    found["path" if plain[0].startswith("/") else "url"] = plain[0]
    return found


def _option(found: dict[str, Any], word: str, value: str | None) -> None:
    if value is None:
        raise WrongValueError(f"{word} needs a value")
    if word in ("-H", "--header"):
        name, colon, text = value.partition(":")
        if not colon or not name.strip():
            raise WrongValueError(f"the header {value!r} has no colon")
        _add_header(found, name.strip(), text.strip())
    elif word in _HEADERS:
        _add_header(found, _HEADERS[word], value)
    elif word in ("--managed", "--bots"):
        found.setdefault("assume", {})[word[2:]] = value
    elif word == "--status":
        found["origin"] = {"status": _number(word, value)}
    elif word == "--field":
        name, _, text = value.partition("=")
        found.setdefault("fields", {})[name] = _guess(text)
    elif word in _OPTIONS:
        found[_OPTIONS[word]] = _number(word, value) if word == "--asn" else value
    else:
        raise WrongValueError(f"{word} is not an option of a request; {_SYNTAX}")


def _add_header(found: dict[str, Any], name: str, text: str) -> None:
    headers = found.setdefault("headers", {})
    headers[name] = [*headers[name], text] if name in headers else [text]


def _number(word: str, value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,15}", value):
        raise WrongValueError(f"{word} needs a number, not {value!r}")
    return int(value)


def _guess(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else text


def merge(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """`own` over `defaults`; headers, fields and assumptions one by one."""
    merged = {**defaults, **{key: value for key, value in own.items() if value is not None}}
    if "url" in own:
        for part in ("scheme", "host", "path", "query"):
            merged.pop(part, None)
    for key in ("headers", "fields", "assume"):
        both = [part[key] for part in (defaults, own) if isinstance(part.get(key), Mapping)]
        if len(both) == 2:
            merged[key] = {**_lower(both[0], key), **_lower(both[1], key)}
    return merged


def _lower(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {str(name).lower() if key == "headers" else name: value for name, value in values.items()}


def build(value: str | Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> Request:
    """The request that a line or a mapping describes; ValueError with the reason."""
    own = from_line(value) if isinstance(value, str) else dict(value)
    try:
        spec = RequestSpec.model_validate(merge(defaults or {}, own))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise WrongValueError(f"{place}: {_message(first, place)}") from None
    return _request(spec)


def _message(error: Any, place: str) -> str:
    if error["type"] == "extra_forbidden":
        return f"a request has no {place}; it has {', '.join(RequestSpec.model_fields)}"
    message = str(error["msg"])
    return message[0].lower() + message[1:]


def _request(spec: RequestSpec) -> Request:
    scheme, host, port, path, query = _address(spec)
    fields = field_values(spec.fields)
    if spec.asn is not None:
        fields["ip.src.asnum"] = fields["ip.geoip.asnum"] = spec.asn
    assume = spec.assume or Assume()
    return Request(
        method=(spec.method or ("POST" if spec.body is not None else "GET")),
        scheme=scheme,
        host=host,
        port=port,
        path=path,
        query=query,
        headers=_headers(spec.headers),
        ip=_ip(spec.ip),
        country=_country(spec.country),
        body=None if spec.body is None else spec.body.encode("utf-8", "surrogateescape"),
        tls=_one_of("tls", spec.tls, ("1.0", "1.1", "1.2", "1.3")),
        http_version="HTTP/" + (_one_of("http", spec.http, ("1.0", "1.1", "2", "3")) or "2"),
        colo=spec.colo or "one",
        fields=fields,
        origin=None if spec.origin is None else Origin(_status(spec.origin), _headers(spec.origin.headers)),
        managed_pass=_passes("managed", assume.managed),
        bots_pass=_passes("bots", assume.bots),
    )


def _address(spec: RequestSpec) -> tuple[str, str, int | None, str, str]:
    if spec.url is not None:
        text = spec.url if "://" in spec.url else "https://" + spec.url
    elif spec.host:
        text = f"{spec.scheme or 'https'}://{spec.host}"
    else:
        raise WrongValueError("the request names no host: give url, or host here or under defaults")
    scheme, _, rest = text.partition("://")
    if scheme not in ("http", "https"):
        raise WrongValueError(f"the scheme {scheme!r} is neither http nor https")
    authority, slash, target = _split(rest)
    path, mark, query = (slash + target).partition("?")
    if spec.path is not None:
        path, own_mark, own_query = spec.path.partition("?")
        query, mark = (own_query, own_mark) if own_mark else (query, mark)
    host, port = _authority(authority)
    return scheme, host, port, _escaped(path or "/"), _escaped(query if spec.query is None else spec.query)


def _split(rest: str) -> tuple[str, str, str]:
    cut = re.search(r"[/?]", rest.partition("#")[0])
    text = rest.partition("#")[0]
    return (text, "", "") if cut is None else (text[: cut.start()], "", text[cut.start() :])


def _authority(text: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit("//" + text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise WrongValueError(f"{text!r} is not a host") from None
    if not host or re.search(r"[^\w.:-]", host):
        raise WrongValueError(f"{text!r} is not a host")
    return host, port


def _escaped(text: str) -> str:
    """As a browser sends it: spaces, control and non-ASCII characters in percent form, all else as it is."""
    return quote(text, safe="".join(map(chr, range(0x21, 0x7F))), errors="surrogateescape")


def _headers(given: Mapping[str, HeaderText]) -> dict[str, tuple[str, ...]]:
    headers: dict[str, tuple[str, ...]] = {}
    for name, value in given.items():
        values = (value,) if isinstance(value, str) else tuple(value)
        headers[name.lower()] = headers.get(name.lower(), ()) + values
    return headers


def _ip(text: str | None) -> Any:
    try:
        return None if text is None else ip_address(text)
    except ValueError:
        raise WrongValueError(f"ip: {text!r} is not an address") from None


def _country(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"[A-Z][A-Z0-9]", text):
        raise WrongValueError(f"country: {text!r} is not a code of two capital letters, such as DE")
    return text


def _status(origin: OriginSpec) -> int:
    if not 100 <= origin.status <= 999:
        raise WrongValueError(f"origin.status: {origin.status} is not an HTTP status")
    return origin.status


def _one_of(key: str, value: str | float | None, allowed: tuple[str, ...]) -> str | None:
    if value is None or str(value) in allowed:
        return None if value is None else str(value)
    raise WrongValueError(f"{key}: {value!r} is none of {', '.join(allowed)}")


def _passes(key: str, value: str | None) -> bool:
    if value not in (None, "pass", "unknown"):
        raise WrongValueError(f"assume.{key}: {value!r} is neither pass nor unknown")
    return value == "pass"


def at_place(where: str, error: Exception) -> InputError:
    return InputError(f"{where}: {str(error).rstrip('.')}.")
