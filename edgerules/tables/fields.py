"""Every documented field with its type and the lowest plan that has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from edgerules.tables.kinds import Kind, kind_from_code
from edgerules.tables.plans import Plan
from edgerules.tables.source import Source

SOURCE = Source("ruleset-engine/rules-language/fields/reference/", date(2026, 11, 1))
PACKET_SOURCE = Source("cloudflare-network-firewall/reference/network-firewall-fields/", date(2026, 11, 21))

DEPRECATED = {
    "ip.geoip.asnum": "ip.src.asnum",
    "ip.geoip.continent": "ip.src.continent",
    "ip.geoip.country": "ip.src.country",
    "ip.geoip.is_in_european_union": "ip.src.is_in_european_union",
    "ip.geoip.subdivision_1_iso_code": "ip.src.subdivision_1_iso_code",
    "ip.geoip.subdivision_2_iso_code": "ip.src.subdivision_2_iso_code",
}
"""Old names that still work, and what to write instead."""

_ELSEWHERE = {"http.request.jwt.claims": ("MAS", "ent+")}
"""Missing from the reference, but used in waf/custom-rules/use-cases/check-jwt-claim-to-protect-admin-user/."""

_RESPONSE = ("http.response.", "raw.http.response.", "cf.response.", "cf.timings.origin_ttfb_msec")
_PLANS = {
    "all": Plan.FREE,
    "pro": Plan.PRO,
    "business": Plan.BUSINESS,
    "ent": Plan.ENTERPRISE,
    "ent+": Plan.ENTERPRISE,
}


@dataclass(frozen=True)
class FieldEntry:
    """One field. `addon`: the plan alone is not enough. `packet`: only in the phases of Network Firewall."""

    name: str
    kind: Kind
    plan: Plan
    addon: bool = False
    packet: bool = False

    @property
    def of_response(self) -> bool:
        """Known only after the origin has answered."""
        return self.name.startswith(_RESPONSE)

    @property
    def docs(self) -> str:
        return PACKET_SOURCE.url if self.packet else f"{SOURCE.url}{self.name}/"


@cache
def fields() -> dict[str, FieldEntry]:
    """Field name -> entry."""
    elsewhere = {name: _entry(name, code, plan) for name, (code, plan) in _ELSEWHERE.items()}
    return {**elsewhere, **_read("packet_fields.tsv", packet=True), **_read("fields.tsv", packet=False)}


def _read(name: str, *, packet: bool) -> dict[str, FieldEntry]:
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {field: _entry(field, code, plan, packet=packet) for field, code, plan in rows}


def _entry(name: str, code: str, plan: str, *, packet: bool = False) -> FieldEntry:
    return FieldEntry(name, kind_from_code(code), _PLANS[plan], plan == "ent+", packet)
