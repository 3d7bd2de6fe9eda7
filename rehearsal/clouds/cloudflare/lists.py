"""Lists of an account, which rules of its zones can name."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from rehearsal.clouds.cloudflare.errors import RefusalError
from rehearsal.clouds.cloudflare.routes import Call, Page, page, route, typed
from rehearsal.clouds.cloudflare.store import Object, new_id

LIST_KINDS = ("ip", "redirect", "hostname", "asn")
LIST_NAME = re.compile(r"[a-z0-9_]{1,50}")


def _list(call: Call) -> Object:
    found: Object | None = call.account["lists"].get(call.ids["id"])
    if found is None:
        raise RefusalError("list-missing")
    return found


def _summary(found: Object) -> Object:
    return {**{key: value for key, value in found.items() if key != "items"}, "num_items": len(found["items"])}


def list_lists(call: Call) -> Page:
    return page(map(_summary, call.account["lists"].values()), call.query)


def get_list(call: Call) -> Object:
    return _summary(_list(call))


def create_list(call: Call) -> Object:
    given, account = call.object(), call.account
    name, kind = str(given.get("name", "")), given.get("kind")
    if not LIST_NAME.fullmatch(name) or kind not in LIST_KINDS:
        raise RefusalError(
            "value-invalid", why="a list has a name of a-z, 0-9 and _, and a kind: " + ", ".join(LIST_KINDS)
        )
    if any(found["name"] == name for found in account["lists"].values()):
        raise RefusalError("list-exists", name=name)
    most = _most_lists(call)
    if len(account["lists"]) >= most:
        raise RefusalError("list-quota", most=most)
    now = call.world.now()
    dates = {"created_on": now, "modified_on": now, "num_referencing_filters": 0}
    new = {
        "id": new_id(),
        "name": name,
        "kind": kind,
        "description": typed(given, "description", str, ""),
        **dates,
        "items": {},
    }
    account["lists"][new["id"]] = new
    return _summary(new)


def _most_lists(call: Call) -> int:
    """The account's best plan decides."""
    from edgerules.tables.limits import LIMITS  # noqa: PLC0415
    from edgerules.tables.plans import Plan  # noqa: PLC0415

    zones = [zone for zone in call.world.zones.values() if zone["account_id"] == call.ids["account"]]
    return max([LIMITS[Plan(zone["plan"])].lists for zone in zones] or [LIMITS[Plan.FREE].lists])


def replace_list(call: Call) -> Object:
    found = _list(call)
    found["description"] = typed(call.object(), "description", str, found["description"])
    found["modified_on"] = call.world.now()
    return _summary(found)


def delete_list(call: Call) -> Object:
    found = _list(call)
    mention = re.compile(rf"\${re.escape(found['name'])}\b")
    for zone in call.world.zones.values():
        for ruleset in zone["rulesets"].values() if zone["account_id"] == call.ids["account"] else ():
            if any(mention.search(rule["expression"]) for rule in ruleset["rules"]):
                raise RefusalError("list-in-use", name=found["name"])
    del call.account["lists"][found["id"]]
    return {"id": found["id"]}


def list_items(call: Call) -> list[Object]:
    return list(_list(call)["items"].values())


def add_items(call: Call) -> Object:
    return _write_items(call, _list(call)["items"])


def replace_items(call: Call) -> Object:
    return _write_items(call, {})


def remove_items(call: Call) -> Object:
    found = _list(call)
    gone = [item.get("id") for item in typed(call.object(), "items", list, []) if isinstance(item, dict)]
    found["items"] = {key: item for key, item in found["items"].items() if key not in gone}
    return _operation(call)


def _write_items(call: Call, before: Object) -> Object:
    found = _list(call)
    if not isinstance(call.data, list):
        raise RefusalError("list-item", why="a list of items is expected")
    items = dict(before)
    for given in call.data:
        item = _item(found["kind"], given)
        now = call.world.now()
        items = {key: old for key, old in items.items() if old[found["kind"]] != item[found["kind"]]}
        key = new_id()
        items[key] = {"id": key, **item, "created_on": now, "modified_on": now}
    found["items"] = items
    return _operation(call)


def _item(kind: str, given: Any) -> Object:
    value = given.get(kind) if isinstance(given, dict) else None
    if value is None:
        raise RefusalError("list-item", why=f"an item of this list has {kind}")
    if kind == "ip":
        try:
            ipaddress.ip_network(value)
        except ValueError:
            raise RefusalError("list-item", why=f"{value!r} is no address") from None
    return {kind: value, **({"comment": given["comment"]} if given.get("comment") else {})}


def _operation(call: Call) -> Object:
    """The real one works on it for a while; this one has finished when it answers."""
    operation = {"id": new_id(), "status": "completed", "completed": call.world.now(), "error": ""}
    call.account["operations"][operation["id"]] = operation
    return {"operation_id": operation["id"]}


def get_operation(call: Call) -> Object:
    found: Object | None = call.account["operations"].get(call.ids["operation"])
    if found is None:
        raise RefusalError("list-missing")
    return found


LISTS = "accounts/{account}/rules/lists"
ROUTES = (
    route("GET", LISTS, "lists.list", list_lists),
    route("POST", LISTS, "lists.create", create_list),
    route("GET", LISTS + "/bulk_operations/{operation}", "lists.get_operation", get_operation),
    route("GET", LISTS + "/{id}", "lists.get", get_list),
    route("PUT", LISTS + "/{id}", "lists.update", replace_list),
    route("DELETE", LISTS + "/{id}", "lists.delete", delete_list),
    route("GET", LISTS + "/{id}/items", "lists.items", list_items),
    route("POST", LISTS + "/{id}/items", "lists.add_items", add_items),
    route("PUT", LISTS + "/{id}/items", "lists.replace_items", replace_items),
    route("DELETE", LISTS + "/{id}/items", "lists.remove_items", remove_items),
)
