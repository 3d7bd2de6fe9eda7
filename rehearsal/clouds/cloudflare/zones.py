"""Zones themselves. A rehearsal's zones exist before it begins; these calls find them, and make others."""

from __future__ import annotations

from rehearsal.clouds.cloudflare.errors import RefusalError
from rehearsal.clouds.cloudflare.routes import Call, Page, one_of, page, route
from rehearsal.clouds.cloudflare.store import PLANS, ZONE_NAME, Object, empty_zone, new_id


def list_zones(call: Call) -> Page:
    wanted = {key: call.query[key] for key in ("name",) if key in call.query}
    zones = (_zone_answer(call, key) for key in sorted(call.world.zones))
    account = call.query.get("account.id")
    return page(
        (z for z in zones if all(z[k] == v for k, v in wanted.items()) and account in (None, z["account"]["id"])),
        call.query,
        default=20,
        most=50,
    )


def get_zone(call: Call) -> Object:
    return _zone_answer(call, call.ids["zone"])


def create_zone(call: Call) -> Object:
    name = str(call.object().get("name", ""))
    if not ZONE_NAME.fullmatch(name):
        raise RefusalError("value-invalid", why=f"name: {name!r} is not the name of a zone")
    if any(zone["name"] == name for zone in call.world.zones.values()):
        raise RefusalError("zone-exists", name=name)
    account = call.object().get("account")
    account_id = str(account.get("id", "")) if isinstance(account, dict) else ""
    zone_id = new_id()
    call.world.zones[zone_id] = empty_zone(name, "free", account_id, call.world.now())
    return _zone_answer(call, zone_id)


def edit_zone(call: Call) -> Object:
    plan = call.object().get("plan")
    zone = call.zone
    if isinstance(plan, dict) and one_of(plan.get("id"), PLANS):
        zone["plan"] = plan["id"]
    for name in ("paused", "type", "vanity_name_servers"):
        if name in call.object():
            zone[name] = call.object()[name]
    zone["modified_on"] = call.world.now()
    return get_zone(call)


def delete_zone(call: Call) -> Object:
    call.world.zone(call.ids["zone"])
    del call.world.zones[call.ids["zone"]]
    return {"id": call.ids["zone"]}


def _zone_answer(call: Call, zone_id: str) -> Object:
    zone = call.world.zone(zone_id)
    return {
        "id": zone_id,
        "name": zone["name"],
        "status": "active",
        "paused": zone.get("paused", False),
        "type": zone.get("type", "full"),
        "development_mode": 0,
        "name_servers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
        "original_name_servers": None,
        "created_on": zone["created_on"],
        "modified_on": zone["modified_on"],
        "activated_on": zone["created_on"],
        "account": {"id": zone["account_id"], "name": "rehearsal"},
        "owner": {"id": None, "type": "user", "email": None},
        "permissions": ["#zone:read", "#zone:edit", "#dns_records:read", "#dns_records:edit"],
        "plan": {"id": zone["plan"], "name": f"{zone['plan'].capitalize()} Website", "legacy_id": zone["plan"]},
    }


ROUTES = (
    route("GET", "zones", "zones.list", list_zones),
    route("POST", "zones", "zones.create", create_zone),
    route("GET", "zones/{zone}", "zones.get", get_zone),
    route("PATCH", "zones/{zone}", "zones.edit", edit_zone),
    route("DELETE", "zones/{zone}", "zones.delete", delete_zone),
)
