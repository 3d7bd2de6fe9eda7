"""The API as a server: who asks, which call it is, and the envelope around every answer."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearsal.clouds.clock import Clock
from rehearsal.clouds.cloudflare import account, bots, certificates, dns, lists, rulesets, settings, zones
from rehearsal.clouds.cloudflare.errors import RefusalError
from rehearsal.clouds.cloudflare.routes import Call, Page, Route, bad_identifier, route
from rehearsal.clouds.cloudflare.store import Store, World, Zones
from rehearsal.clouds.wire import Request, Response

BASE = "/client/v4/"
TOKEN_FORMAT = re.compile(r"Bearer [A-Za-z0-9_-]{40,80}")
VERIFY = "user.verify_token"
DNS_ACTIONS = ("zones.", "dns_records.")

ROUTES: tuple[Route, ...] = (
    route("GET", "user/tokens/verify", VERIFY, lambda call: {"id": "0" * 31 + "2", "status": "active"}),
    *zones.ROUTES,
    *dns.ROUTES,
    *settings.ROUTES,
    *bots.ROUTES,
    *rulesets.ROUTES,
    *certificates.ROUTES,
    *account.ROUTES,
    *lists.ROUTES,
)


class Cloudflare:
    name = "cloudflare"

    def __init__(self, folder: Path, token: str, clock: Clock) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._token, self._store = token, Store(folder, clock)
        self.zones = Zones(self._store)

    def action(self, request: Request) -> str:
        found = self._route(request)
        return found[0].action if found else "unknown"

    def answer(self, request: Request) -> Response:
        try:
            return self._result(request)
        except RefusalError as refusal:
            return _json(refusal.entry.status, refusal.body())

    def failure(self, kind: str, request: Request) -> Response:
        refusal = RefusalError("expired-token" if kind == "expired" else kind)
        return _json(refusal.entry.status, refusal.body())

    def _result(self, request: Request) -> Response:
        found = self._route(request)
        self._authenticate(request, found[0].action if found else "")
        if found is None:
            raise self._unroutable(request)
        route, ids = found
        if bad_identifier(ids):
            raise RefusalError("bad-identifier", path=request.path)
        data = _body(request)

        def work(world: World) -> Any:
            return route.handler(Call(world, ids, data, request.query))

        result = self._store.changing(work) if route.writes else self._store.reading(work)
        return Response(204) if result is None else _json(200, _envelope(result, route.action))

    def _route(self, request: Request) -> tuple[Route, Mapping[str, str]] | None:
        path = request.path.removeprefix(BASE).rstrip("/")
        for candidate in ROUTES:
            match = candidate.pattern.fullmatch(path) if candidate.method == request.method else None
            if match and request.path.startswith(BASE):
                return candidate, match.groupdict()
        return None

    def _unroutable(self, request: Request) -> RefusalError:
        path = request.path.removeprefix(BASE).rstrip("/")
        if any(candidate.pattern.fullmatch(path) for candidate in ROUTES):
            return RefusalError("method")
        return RefusalError("no-route")

    def _authenticate(self, request: Request, action: str) -> None:
        given = request.headers.get("authorization")
        if given is None:
            raise RefusalError("no-token")
        if not TOKEN_FORMAT.fullmatch(given):
            raise RefusalError("malformed-token")
        if not hmac.compare_digest(given.removeprefix("Bearer "), self._token):
            if action == VERIFY:
                raise RefusalError("unknown-token")
            raise RefusalError("wrong-token-dns" if action.startswith(DNS_ACTIONS) else "wrong-token")


def _body(request: Request) -> Any:
    if not request.body:
        return {}
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise RefusalError("bad-json", why=str(error)) from None


def _envelope(result: Any, action: str) -> dict[str, Any]:
    messages = [{"code": 10000, "message": "This API Token is valid and active"}] if action == VERIFY else []
    body = {"result": result, "success": True, "errors": [], "messages": messages}
    return {**body, "result": result.items, "result_info": result.info()} if isinstance(result, Page) else body


def _json(status: int, value: Any) -> Response:
    return Response(status, json.dumps(value).encode(), {"Content-Type": "application/json"})
