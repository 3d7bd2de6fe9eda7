"""Find a request that tells two zones apart: the case to write when a mutant goes unnoticed.

The candidates come from what the rules themselves compare with; a few hundred combinations are sent through
both zones. Finding none proves nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import islice, product
from typing import Any

from edgerules.cases.requests import build
from edgerules.language import Expr, walk
from edgerules.language.syntax import (
    AddressLiteral,
    AddressRange,
    Call,
    Compare,
    Each,
    Field,
    Index,
    InList,
    InSet,
    IntRange,
    Number,
    Text,
)
from edgerules.simulator import Edge, Outcome, Request
from edgerules.zone import Zone

_MOST = 600
_PATH, _QUERY, _EXTENSION = "http.request.uri.path", "http.request.uri.query", "http.request.uri.path.extension"
_ANSWER = {"cache-control": "public, max-age=300", "server": "nginx", "access-control-allow-origin": "*"}
_HEADERS = {"http.user_agent": "user-agent", "http.referer": "referer", "http.cookie": "cookie"}

Part = tuple[str, Any]
"""Where in a request, and what: ("path", "/admin"), ("header user-agent", "sqlmap"), ("field ...", True)."""


def witness(old: Zone, new: Zone, exprs: Iterable[Expr]) -> str | None:
    """A request that ends differently in the two zones, as a line; None when none was found."""
    edges = Edge(old), Edge(new)
    for parts in _combinations(_candidates(exprs, old)):
        try:
            request = _request(parts, old)
        except ValueError:
            continue
        for edge in edges:
            edge.reset()
        if _effect(edges[0].send(request)) != _effect(edges[1].send(request)):
            return line(request)
    return None


def _effect(outcome: Outcome) -> Any:
    cached = outcome.cache
    decision = (str(cached.eligible), str(cached.edge_ttl)) if cached else None
    headers = sorted((name, str(values)) for name, values in outcome.headers.items())
    return outcome.verdict, outcome.rule, outcome.action, outcome.status, headers, decision, outcome.to_origin


def _candidates(exprs: Iterable[Expr], zone: Zone) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for expr in exprs:
        for node in walk(expr):
            for where, value in _parts(node, zone):
                values = found.setdefault(where, [None])
                if value not in values:
                    values.append(value)
    return found


def _combinations(found: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Every combination, in an order that does not favour the first places; None leaves a place as it is."""
    shuffled = {where: random.Random(where).sample(values, len(values)) for where, values in found.items()}  # noqa: S311
    for values in islice(product(*shuffled.values()), _MOST):
        yield {where: value for where, value in zip(shuffled, values, strict=True) if value is not None}


def _parts(node: Expr, zone: Zone) -> Iterator[Part]:
    if isinstance(node, Field) and node.name == "ssl":
        yield from (("scheme", "http"), ("scheme", "https"))
    elif isinstance(node, Compare | InSet):
        items = node.items if isinstance(node, InSet) else (node.right,)
        for item in items:
            yield from _places(_base(node.left), _values(item), isinstance(node.left, Call))
    elif isinstance(node, InList) and node.name in zone.lists:
        yield from _places(
            _base(node.left), [str(value).split("/")[0] for value in zone.lists[node.name].values], False
        )
    elif isinstance(node, Call) and node.name in ("starts_with", "ends_with") and isinstance(node.args[1], Text):
        yield from _places(_base(node.args[0]), _values(node.args[1]), False)


def _base(term: Expr) -> Expr:
    """The field inside lower(), url_decode(), len() and [*]."""
    while isinstance(term, Call) and term.args:
        term = term.args[0]
    while isinstance(term, Each) or (isinstance(term, Index) and isinstance(term.key, int)):
        term = term.base
    return term


def _values(item: Any) -> list[Any]:
    if isinstance(item, Text):
        text = item.value.decode("utf-8", "replace")
        return [text.replace("*", "x")]
    if isinstance(item, Number):
        return [item.value, item.value + 1]
    if isinstance(item, IntRange):
        return [item.first, item.last + 1]
    if isinstance(item, AddressLiteral):
        return [str(item.value)]
    return [str(item.first)] if isinstance(item, AddressRange) else []


def _places(base: Expr, values: list[Any], computed: bool) -> Iterator[Part]:
    """Where the values have to stand for the comparison to meet them."""
    if isinstance(base, Index) and isinstance(base.key, bytes) and isinstance(base.base, Field):
        kind = "header" if base.base.name.endswith("headers") else "cookie"
        yield from ((f"{kind} {base.key.decode('utf-8', 'replace')}", value or "x") for value in values)
        return
    if not isinstance(base, Field):
        return
    name = base.name.removeprefix("raw.")
    for value in values:
        if isinstance(value, int):
            yield from _numbers(name, value, computed)
        else:
            yield from _texts(name, value)


def _numbers(name: str, value: int, computed: bool) -> Iterator[Part]:
    if not computed:
        yield f"field {name}", value
    elif name == _QUERY and 0 < value < 4000:
        yield "query", "q=" + "a" * (value - 2)


def _texts(name: str, value: str) -> Iterator[Part]:
    if name == _PATH:
        yield "path", value if value.startswith("/") else "/x" + value
        yield "path", "/x" + value
        yield "path", value + "x" if value.startswith("/") else f"/x{value}x"
    elif name == _EXTENSION:
        yield "path", "/x." + value
    elif name == _QUERY:
        yield "query", "q=" + value
    elif name in _HEADERS:
        yield f"header {_HEADERS[name]}", value or "x"
    elif name in ("http.host", "http.request.method", "ip.src", "ip.src.country"):
        yield {"http.host": "host", "http.request.method": "method"}.get(name, name), value
    elif not name.startswith("http."):
        yield f"field {name}", value


def _request(parts: dict[str, Any], zone: Zone) -> Request:
    headers = {"user-agent": "Mozilla/5.0"}
    headers |= {where[7:]: value for where, value in parts.items() if where.startswith("header ")}
    cookies = [f"{where[7:]}={value}" for where, value in parts.items() if where.startswith("cookie ")]
    stated = {
        "scheme": parts.get("scheme", "https"),
        "host": parts.get("host") or zone.name or "example.com",
        "path": parts.get("path", "/"),
        "query": parts.get("query"),
        "method": parts.get("method", "GET"),
        "ip": parts.get("ip.src", "198.51.100.7"),
        "country": parts.get("ip.src.country", "DE"),
        "headers": headers | ({"cookie": "; ".join(cookies)} if cookies else {}),
        "fields": {where[6:]: value for where, value in parts.items() if where.startswith("field ")},
        "origin": {"status": 200, "headers": _ANSWER},
        "assume": {"managed": "pass", "bots": "pass"},
    }
    return build(stated)


def line(request: Request) -> str:
    """`request` as people write it."""
    words = [str(request), f"--ip {request.ip}", f"--country {request.country}"]
    for name, values in request.headers.items():
        words += [f"-H {_quoted(f'{name}: {value}')}" for value in values if value != "Mozilla/5.0"]
    for name, value in request.fields.items():
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        words.append(f"--field {_quoted(f'{name}={text}')}")
    return " ".join(words)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
