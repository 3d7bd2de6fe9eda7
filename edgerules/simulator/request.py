"""One request as a case states it. What a case leaves out stays unknown, except where a default is written here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Any

Headers = Mapping[str, tuple[str, ...]]
"""Header names in lower case; a request's headers are complete: what is not here was not sent."""


@dataclass(frozen=True)
class Origin:
    """What the origin answers when the request reaches it. Its headers are complete as well."""

    status: int = 200
    headers: Headers = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    method: str = "GET"
    scheme: str = "https"
    host: str = "example.com"
    port: int | None = None
    path: str = "/"
    query: str = ""
    headers: Headers = field(default_factory=dict)
    ip: IPv4Address | IPv6Address | None = None
    country: str | None = None
    body: bytes | None = None
    tls: str | None = None  # "1.0" to "1.3"; None: the best that the zone speaks
    http_version: str = "HTTP/2"
    colo: str = "one"  # the data centre; every one has counters and a cache of its own
    fields: Mapping[str, Any] = field(default_factory=dict)  # any other field, in the evaluator's types
    origin: Origin | None = None
    managed_pass: bool = False  # the case takes for granted that managed rules let it through
    bots_pass: bool = False  # ... and that bot detection does

    @property
    def target(self) -> str:
        return self.path + ("?" + self.query if self.query else "")

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"

    @property
    def authority(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host

    def __str__(self) -> str:
        return f"{self.method} {self.url}"
