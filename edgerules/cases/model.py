"""The shape of a file of cases.

    zone: zone.yaml                 # beside this file; left out where a program gives the zone
    defaults:                       # hold for every case below
      request: {host: api.example.com, ip: 198.51.100.7, country: DE}
      origin: {status: 200}         # what the origin answers; without it response fields are unknown
      assume: {managed: pass, bots: pass}
    cases:
      - name: the injection probe is blocked
        request: GET /items?id=1' OR '1'='1
        expect: {verdict: stopped, rule: sqli, status: 403}
      - name: the sixth login in a minute is limited
        sequence:
          - {request: POST /login, repeat: 5, every: 10, expect: allowed}
          - {request: POST /login, after: 5, expect: {rule: login, status: 429}}
      - name: static files stay for a day
        request: GET /app.js
        expect: {cache: {eligible: true, edge_ttl: 86400}, headers: {x-frame-options: SAMEORIGIN}}

`expect` holds what must be so and is silent about the rest: verdict (allowed, stopped, unknown), rule,
action, status, location, headers (null: absent; {contains: text}), cache (eligible, status, edge_ttl,
browser_ttl), origin (what rules changed: path, query, `header NAME`, host_header).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from edgerules.zone import Model

Verdict = Literal["allowed", "stopped", "unknown"]


def _verdict_alone(value: object) -> object:
    return {"verdict": value} if isinstance(value, str) else value


class Contains(Model):
    contains: str


class CacheExpect(Model):
    eligible: bool | None = None
    status: Literal["HIT", "MISS", "EXPIRED", "BYPASS", "DYNAMIC"] | None = None
    edge_ttl: int | None = None
    browser_ttl: int | None = None


class Expect(Model):
    verdict: Verdict | None = None
    rule: str | None = None
    action: str | None = None
    status: int | None = None
    location: str | None = None
    headers: dict[str, str | Contains | None] = Field(default={})
    cache: CacheExpect | None = None
    origin: dict[str, str] = Field(default={})


Expectation = Annotated[Expect, BeforeValidator(_verdict_alone)]
RequestText = str | dict[str, Any]


class StepSpec(Model):
    request: RequestText
    expect: Expectation = Expect()
    repeat: int = Field(default=1, ge=1, le=100_000)
    every: float | int = Field(default=0, ge=0)
    at: float | int | None = Field(default=None, ge=0)
    after: float | int | None = Field(default=None, ge=0)


class CaseSpec(Model):
    name: str = Field(min_length=1)
    request: RequestText | None = None
    expect: Expectation = Expect()
    sequence: list[StepSpec] = Field(default=[])


class Defaults(Model):
    request: dict[str, Any] = Field(default={})
    origin: dict[str, Any] | None = None
    assume: dict[str, Any] | None = None


class CasesSpec(Model):
    zone: str | None = None
    defaults: Defaults = Defaults()
    cases: list[CaseSpec] = Field(min_length=1)


KEYS = sorted(
    name for kind in (CasesSpec, CaseSpec, Defaults, StepSpec, Expect, CacheExpect) for name in kind.model_fields
)
