"""The rehearsal's own side door to the clouds, below a path that neither API has: faults, time, zones, the end."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rehearsal.clouds.aws.front import Aws
from rehearsal.clouds.clock import Clock
from rehearsal.clouds.cloudflare.api import Cloudflare
from rehearsal.clouds.cloudflare.store import UnfitError
from rehearsal.clouds.faults import Faults, fault_from
from rehearsal.clouds.wire import Answer, Request, Response

PREFIX = "/_clouds/"
LONGEST_RETRIEVAL = 7 * 86400
TOKEN = "x-rehearsal-token"  # noqa: S105 - the name of a header


@dataclass(frozen=True)
class Clouds:
    aws: Aws
    cloudflare: Cloudflare


class Control:
    """Who knows the token of the rehearsal's folder may do everything; nobody else anything."""

    def __init__(self, token: str, faults: Faults, clock: Clock, clouds: Clouds, end: Callable[[], None]) -> None:
        self._token, self._clock, self._clouds, self._end = token, clock, clouds, end
        zones = clouds.cloudflare.zones
        self._calls: dict[str, Callable[[str, Any], Any]] = {
            "GET health": lambda rest, data: {"ready": True},
            "GET faults": lambda rest, data: faults.waiting(),
            "POST faults": lambda rest, data: {"number": faults.add(fault_from(data)).number},
            "DELETE faults": lambda rest, data: {"cleared": faults.clear()},
            "GET clock": lambda rest, data: {"now": clock.now().isoformat(), "skipped": clock.skipped},
            "POST clock": lambda rest, data: self._skip(float(data["seconds"])),
            "PUT zones": lambda rest, data: zones.adopt(rest, **data),
            "GET zones": lambda rest, data: zones.exported(rest),
            "PUT retrieval": lambda rest, data: self._retrieve_within(data["seconds"]),
            "POST stop": lambda rest, data: self._stop(),
        }

    def before(self, answer: Answer) -> Answer:
        def with_control(request: Request) -> Response:
            return self._answer(request) if request.raw_path.startswith(PREFIX) else answer(request)

        return with_control

    def _answer(self, request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get(TOKEN, ""), self._token):
            return _json(403, {"error": "This side door opens with the token in the rehearsal's folder only."})
        name, _, rest = request.path.removeprefix(PREFIX).partition("/")
        call = self._calls.get(f"{request.method} {name}")
        if call is None:
            return _json(404, {"error": f"There is no {request.method} {request.path}."})
        try:
            return _json(200, call(rest, json.loads(request.body or b"{}")))
        except (ValueError, KeyError, TypeError, UnfitError) as error:
            return _json(400, {"error": re.sub(r"\s+", " ", str(error))})

    def _skip(self, seconds: float) -> dict[str, float]:
        self._clock.skip(seconds)
        self._clouds.aws.time_has_passed()
        return {"skipped": self._clock.skipped}

    def _retrieve_within(self, seconds: float | None) -> dict[str, float | None]:
        if seconds is not None and not 0 <= seconds <= LONGEST_RETRIEVAL:
            raise ValueError(f"seconds is from 0 to {LONGEST_RETRIEVAL}, or null for as long as AWS takes")
        self._clouds.aws.retrieval_seconds = seconds
        return {"seconds": seconds}

    def _stop(self) -> dict[str, bool]:
        self._end()
        return {"stopping": True}


def _json(status: int, value: Any) -> Response:
    return Response(status, json.dumps(value).encode(), {"Content-Type": "application/json"})
