"""The DNS records of a zone."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from rehearsal.clouds.cloudflare.errors import RefusalError
from rehearsal.clouds.cloudflare.routes import Call, Page, page, route, typed
from rehearsal.clouds.cloudflare.store import Object, new_id

PROXIABLE = ("A", "AAAA", "CNAME")
TYPES = frozenset(
    [
        "A",
        "AAAA",
        "CAA",
        "CERT",
        "CNAME",
        "DNSKEY",
        "DS",
        "HTTPS",
        "LOC",
        "MX",
        "NAPTR",
        "NS",
        "OPENPGPKEY",
        "PTR",
        "SMIMEA",
        "SRV",
        "SSHFP",
        "SVCB",
        "TLSA",
        "TXT",
        "URI",
    ]
)
DATA_FIELDS = {
    "CAA": ("flags", "tag", "value"),
    "SRV": ("priority", "weight", "port", "target"),
    "DS": ("key_tag", "algorithm", "digest_type", "digest"),
    "TLSA": ("usage", "selector", "matching_type", "certificate"),
    "SSHFP": ("algorithm", "type", "fingerprint"),
    "HTTPS": ("priority", "target", "value"),
    "SVCB": ("priority", "target", "value"),
}
QUOTED = {("CAA", "value")}
WITH_PRIORITY = ("MX", "URI")
QUOTA = {"free": 200, "pro": 3500, "business": 3500, "enterprise": 3500}
LEAST_TTL = {"enterprise": 30}
LABELS = re.compile(r"(\*\.)?([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_-]{1,63}")
AUTOMATIC = 1
NO_TARGETS = tuple(
    map(
        ipaddress.ip_network,
        ("0.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "1.1.1.1", "1.0.0.1", "fc00::/7"),
    )
)


def list_records(call: Call) -> Page:
    filters = {key.removesuffix(".exact"): value for key, value in call.query.items()}
    wanted = {key: filters[key] for key in ("name", "type", "content") if key in filters}
    found = [r for r in call.zone["records"].values() if all(str(r.get(k)) == v for k, v in wanted.items())]
    return page(sorted(found, key=lambda record: (record["name"], record["type"], record["id"])), call.query)


def get_record(call: Call) -> Object:
    record: Object | None = call.zone["records"].get(call.ids["id"])
    if record is None:
        raise RefusalError("record-missing")
    return record


def create_record(call: Call) -> Object:
    zone = call.zone
    if len(zone["records"]) >= QUOTA[zone["plan"]]:
        raise RefusalError("record-quota")
    record = _record(call, call.object())
    record = {"id": new_id(), **record, "created_on": call.world.now(), "modified_on": call.world.now()}
    _refuse_clash(call, record)
    zone["records"][record["id"]] = record
    return record


def replace_record(call: Call) -> Object:
    return _changed(call, call.object())


def edit_record(call: Call) -> Object:
    """What is not said stays; data and content are two spellings of one thing, so one of them wins."""
    old, given = get_record(call), call.object()
    kept: Object = {
        key: old[key] for key in ("name", "type", "ttl", "proxied", "comment", "tags", "priority") if key in old
    }
    if given.get("type", old["type"]) == old["type"] and not {"content", "data"} & set(given):
        kept |= {key: old[key] for key in ("content", "data") if key in old}
    return _changed(call, {**kept, **given})


def _changed(call: Call, given: Object) -> Object:
    old = get_record(call)
    record = {"id": old["id"], **_record(call, given), "created_on": old["created_on"], "modified_on": call.world.now()}
    _refuse_clash(call, record)
    call.zone["records"][old["id"]] = record
    return record


def delete_record(call: Call) -> Object:
    record = get_record(call)
    del call.zone["records"][record["id"]]
    return {"id": record["id"]}


def _record(call: Call, given: Object) -> Object:
    """As the API would keep it: full name, lower case, content from data, automatic TTL when proxied."""
    kind = typed(given, "type", str, "")
    if kind not in TYPES:
        raise RefusalError("record-type", type=kind)
    record: Object = {"name": _name(given.get("name"), call.zone["name"]), "type": kind}
    record |= _content(kind, given)
    proxied = typed(given, "proxied", bool, False)
    if proxied and kind not in PROXIABLE:
        raise RefusalError("record-proxied")
    if proxied and kind in ("A", "AAAA") and _unreachable(record["content"]):
        raise RefusalError("record-target", target=record["content"])
    ttl = _ttl(given.get("ttl", AUTOMATIC), call.zone["plan"])
    return {
        **record,
        "proxiable": kind in PROXIABLE,
        "proxied": bool(proxied),
        "ttl": AUTOMATIC if proxied else ttl,
        "settings": typed(given, "settings", dict, {}),
        "meta": {},
        "comment": typed(given, "comment", str),
        "tags": typed(given, "tags", list, []),
    }


def _unreachable(text: str) -> bool:
    """Where Cloudflare cannot go, or itself is. Addresses of documentation may stand for real ones."""
    address = ipaddress.ip_address(text)
    return (
        address.is_loopback
        or address.is_link_local
        or any(address.version == net.version and address in net for net in NO_TARGETS)
    )


def _name(given: Any, zone: str) -> str:
    name = given.rstrip(".").lower() if isinstance(given, str) else ""
    if name == "@":
        return zone
    if not name or len(name) > 253 or not LABELS.fullmatch(name):
        raise RefusalError("record-name")
    return name if name == zone or name.endswith(f".{zone}") else f"{name}.{zone}"


def _ttl(given: Any, plan: str) -> int:
    least = LEAST_TTL.get(plan, 60)
    if isinstance(given, bool) or not isinstance(given, int | float) or not (given == 1 or least <= given <= 86400):
        raise RefusalError("record-ttl", least=least)
    return int(given)


def _content(kind: str, given: Object) -> Object:
    priority = typed(given, "priority", (int, float))
    if kind in WITH_PRIORITY and priority is None:
        raise RefusalError("record-priority")
    extra: Object = {"priority": int(priority)} if priority is not None else {}
    if kind in DATA_FIELDS and isinstance(given.get("data"), dict):
        data = given["data"]
        return {"content": _from_data(kind, data), "data": data, **extra}
    if kind in DATA_FIELDS and not given.get("content"):
        raise RefusalError("record-data", field="data")
    content = given.get("content")
    if not isinstance(content, str) or not content.strip():
        raise RefusalError("record-content")
    return {"content": CHECKS.get(kind, str)(content), **extra}


def _from_data(kind: str, data: Object) -> str:
    parts = []
    for field in DATA_FIELDS[kind]:
        if data.get(field) is None:
            raise RefusalError("record-data", field=field)
        value = int(data[field]) if isinstance(data[field], float) else data[field]
        parts.append(f'"{value}"' if (kind, field) in QUOTED else str(value))
    return " ".join(parts)


def _address(version: int, error: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            raise RefusalError(error) from None
        if address.version != version:
            raise RefusalError(error)
        return str(address)

    return check


def _host(text: str) -> str:
    name = text.rstrip(".").lower()
    if len(name) > 253 or not LABELS.fullmatch(name) or name.replace(".", "").isdigit():
        raise RefusalError("record-cname")
    return name


CHECKS: dict[str, Callable[[str], str]] = {
    "A": _address(4, "record-a"),
    "AAAA": _address(6, "record-aaaa"),
    "CNAME": _host,
    "MX": _host,
    "NS": _host,
}
ADDRESSES = ("A", "AAAA", "CNAME")


def _refuse_clash(call: Call, record: Object) -> None:
    others = [other for other in call.zone["records"].values() if other["id"] != record["id"]]
    same_name = [other for other in others if other["name"] == record["name"]]
    if any(_identity(other) == _identity(record) for other in same_name):
        raise RefusalError("record-identical")
    if record["type"] == "CNAME" and any(other["type"] in ADDRESSES for other in same_name):
        raise RefusalError("record-beside")
    if record["type"] in ("A", "AAAA") and any(other["type"] == "CNAME" for other in same_name):
        raise RefusalError("record-beside-cname")


def _identity(record: Object) -> tuple[Any, ...]:
    return record["type"], record["content"], record.get("priority")


ROUTES = (
    route("GET", "zones/{zone}/dns_records", "dns_records.list", list_records),
    route("POST", "zones/{zone}/dns_records", "dns_records.create", create_record),
    route("GET", "zones/{zone}/dns_records/{id}", "dns_records.get", get_record),
    route("PUT", "zones/{zone}/dns_records/{id}", "dns_records.update", replace_record),
    route("PATCH", "zones/{zone}/dns_records/{id}", "dns_records.edit", edit_record),
    route("DELETE", "zones/{zone}/dns_records/{id}", "dns_records.delete", delete_record),
)
