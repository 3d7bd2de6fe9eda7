"""Faults on demand, for every emulated API: what a cloud does on a bad day, as often as a test asks for it."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Protocol

from rehearsal.clouds.wire import Request, Response

LONGEST_DELAY = 60.0
MOST = 100
BEFORE_THE_ANSWER = -1


class FaultError(ValueError):
    """What is wrong with a fault that was asked for, in one sentence."""


class Api(Protocol):
    """What a server has to be able to do so that its bad days can be played."""

    name: str

    def action(self, request: Request) -> str:
        """What the call is called, such as `s3:PutObject` or `dns_records.create`."""

    def answer(self, request: Request) -> Response: ...

    def failure(self, kind: str, request: Request) -> Response:
        """The API's own words for one of FAILURES."""


@dataclass(frozen=True)
class Fault:
    kind: str
    api: str = "*"
    method: str = "*"
    path: str = "*"
    action: str = "*"
    times: int | None = 1
    """None: until it is cleared."""
    seconds: float = 1.0
    """The delay of `slow`, the Retry-After of the others."""
    number: int = 0

    def fits(self, api: str, request: Request, action: str) -> bool:
        pairs = ((self.api, api), (self.method, request.method), (self.path, request.path), (self.action, action))
        return all(fnmatchcase(value, pattern) for pattern, value in pairs)


def fault_from(data: Mapping[str, Any]) -> Fault:
    unknown = sorted(set(data) - set(Fault.__dataclass_fields__) | {"number"} & set(data))
    if unknown:
        raise FaultError(f"a fault has no {unknown[0]}; it has kind, api, method, path, action, times and seconds")
    fault = Fault(**{"kind": "", **data})
    if fault.kind not in KINDS:
        raise FaultError(f"there is no fault {fault.kind!r}; there are {', '.join(KINDS)}")
    if fault.times is not None and not (isinstance(fault.times, int) and fault.times >= 1):
        raise FaultError("times is a number from 1 on, or null for `until it is cleared`")
    if not (isinstance(fault.seconds, int | float) and 0 <= fault.seconds <= LONGEST_DELAY):
        raise FaultError(f"seconds is a number from 0 to {LONGEST_DELAY:.0f}")
    return fault


class Faults:
    """Those that wait for a call. The first one that fits strikes; a restart forgets all."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            if len(self._waiting) >= MOST:
                raise FaultError(f"{MOST} faults are waiting already; clear them first")
            fault = replace(fault, number=next(self._numbers))
            self._waiting.append(fault)
            return fault

    def clear(self) -> int:
        with self._lock:
            count = len(self._waiting)
            self._waiting.clear()
            return count

    def waiting(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._waiting]

    def strike(self, api: str, request: Request, action: Callable[[Request], str]) -> Fault | None:
        with self._lock:
            if not self._waiting:
                return None
            name = action(request)
            for index, fault in enumerate(self._waiting):
                if fault.fits(api, request, name):
                    self._use(index)
                    return fault
        return None

    def _use(self, index: int) -> None:
        times = self._waiting[index].times
        if times == 1:
            del self._waiting[index]
        elif times is not None:
            self._waiting[index] = replace(self._waiting[index], times=times - 1)


def with_faults(api: Api, faults: Faults) -> Callable[[Request], Response]:
    """The API's answers, and what a waiting fault makes of them."""

    def answer(request: Request) -> Response:
        fault = faults.strike(api.name, request, api.action)
        return KINDS[fault.kind](api, request, fault) if fault else api.answer(request)

    return answer


def _slow(api: Api, request: Request, fault: Fault) -> Response:
    time.sleep(fault.seconds)
    return api.answer(request)


def _failure(api: Api, request: Request, fault: Fault) -> Response:
    response = api.failure(fault.kind, request)
    if fault.kind not in ("429", "503"):
        return response
    return replace(response, headers={**response.headers, "Retry-After": f"{fault.seconds:.0f}"})


def _reset(api: Api, request: Request, fault: Fault) -> Response:
    return Response(500, break_after=BEFORE_THE_ANSWER)


def _lost(api: Api, request: Request, fault: Fault) -> Response:
    """The call is carried out, and nobody is told: the case in which a retry does it twice."""
    return replace(api.answer(request), break_after=BEFORE_THE_ANSWER)


def _cut(api: Api, request: Request, fault: Fault) -> Response:
    response = api.answer(request)
    return replace(response, break_after=len(response.body) // 2)


KINDS: dict[str, Callable[[Api, Request, Fault], Response]] = {
    "slow": _slow,
    "429": _failure,
    "500": _failure,
    "503": _failure,
    "expired": _failure,
    "reset": _reset,
    "lost": _lost,
    "cut": _cut,
}
FAILURES = ("429", "500", "503", "expired")
