"""What belongs to an account or watches a zone: health checks, notification policies, lists, the user."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from rehearsal.clouds.cloudflare.errors import RefusalError
from rehearsal.clouds.cloudflare.routes import Call, Page, page, route, typed
from rehearsal.clouds.cloudflare.store import Object, new_id

HEALTH_DEFAULTS: Object = {
    "check_regions": ["WNAM"],
    "consecutive_fails": 1,
    "consecutive_successes": 1,
    "description": "",
    "interval": 60,
    "retries": 2,
    "suspended": False,
    "timeout": 5,
    "type": "HTTP",
    "tcp_config": None,
}
HTTP_DEFAULTS: Object = {
    "allow_insecure": False,
    "expected_body": "",
    "expected_codes": ["200"],
    "follow_redirects": False,
    "header": None,
    "method": "GET",
    "path": "/",
    "port": 80,
}
MECHANISMS = ("email", "pagerduty", "webhooks")
LIST_KINDS = ("ip", "redirect", "hostname", "asn")
LIST_NAME = re.compile(r"[a-z0-9_]{1,50}")


def list_healthchecks(call: Call) -> Page:
    return page(call.zone["healthchecks"].values(), call.query, default=25, most=1000)


def get_healthcheck(call: Call) -> Object:
    found: Object | None = call.zone["healthchecks"].get(call.ids["id"])
    if found is None:
        raise RefusalError("healthcheck-missing")
    return found


def create_healthcheck(call: Call) -> Object:
    from edgerules.tables.limits import LIMITS  # noqa: PLC0415
    from edgerules.tables.plans import Plan  # noqa: PLC0415

    zone = call.zone
    most = LIMITS[Plan(zone["plan"])].health_checks
    if len(zone["healthchecks"]) >= most:
        raise RefusalError("healthcheck-quota", most=most, plan=zone["plan"])
    return _write_healthcheck(call, {"id": new_id(), "created_on": call.world.now()})


def replace_healthcheck(call: Call) -> Object:
    old = get_healthcheck(call)
    return _write_healthcheck(call, {"id": old["id"], "created_on": old["created_on"]})


def _write_healthcheck(call: Call, own: Object) -> Object:
    given = {key: value for key, value in call.object().items() if value is not None}
    for name in ("name", "address"):
        if not typed(given, name, str):
            raise RefusalError("value-invalid", why=f"{name} is required")
    if typed(given, "type", str, "HTTP") not in ("HTTP", "HTTPS", "TCP"):
        raise RefusalError("value-invalid", why="type must be one of HTTP, HTTPS, TCP")
    interval, timeout = typed(given, "interval", (int, float), 60), typed(given, "timeout", (int, float), 5)
    if not 5 <= interval <= 3600 or not 1 <= timeout <= 10:
        raise RefusalError("value-invalid", why="interval must be between 5 and 3600, timeout between 1 and 10")
    http = (
        {"http_config": {**HTTP_DEFAULTS, **typed(given, "http_config", dict, {})}}
        if given.get("type") != "TCP"
        else {}
    )
    state = {"status": "unknown", "failure_reason": "", "modified_on": call.world.now()}
    found = {**HEALTH_DEFAULTS, **given, **http, **state, **own}
    call.zone["healthchecks"][own["id"]] = found
    return found


def delete_healthcheck(call: Call) -> Object:
    found = get_healthcheck(call)
    del call.zone["healthchecks"][found["id"]]
    return {"id": found["id"]}


def list_policies(call: Call) -> Page:
    return page(call.account["policies"].values(), call.query)


def get_policy(call: Call) -> Object:
    found: Object | None = call.account["policies"].get(call.ids["policy"])
    if found is None:
        raise RefusalError("policy-missing")
    return found


def create_policy(call: Call) -> Object:
    new = {"id": new_id(), "created": call.world.now(), **_policy(call)}
    call.account["policies"][new["id"]] = new
    return {"id": new["id"]}


def replace_policy(call: Call) -> Object:
    old = get_policy(call)
    call.account["policies"][old["id"]] = {"id": old["id"], "created": old["created"], **_policy(call)}
    return {"id": old["id"]}


def _policy(call: Call) -> Object:
    given = {key: value for key, value in call.object().items() if value is not None}
    for name in ("name", "alert_type"):
        if not isinstance(given.get(name), str) or not given[name]:
            raise RefusalError("policy-invalid", why=f"{name} is required")
    mechanisms = given.get("mechanisms")
    if not isinstance(mechanisms, dict) or not any(mechanisms.get(kind) for kind in MECHANISMS):
        raise RefusalError("policy-invalid", why="mechanisms must name at least one of email, pagerduty, webhooks")
    known = {check for zone in call.world.zones.values() for check in zone["healthchecks"]}
    for check in typed(typed(given, "filters", dict, {}), "health_check_id", list, []):
        if check not in known:
            raise RefusalError("policy-invalid", why=f"there is no health check {check}")
    kept = ("name", "description", "alert_type", "enabled", "mechanisms", "filters", "alert_interval")
    defaults: Object = {"description": "", "enabled": True, "filters": {}}
    return {**defaults, **{key: given[key] for key in kept if key in given}, "modified": call.world.now()}


def delete_policy(call: Call) -> Object:
    found = get_policy(call)
    del call.account["policies"][found["id"]]
    return {"id": found["id"]}


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


def user(call: Call) -> Object:
    return {"id": "0" * 31 + "3", "email": "rehearsal@example.invalid", "first_name": None, "suspended": False}


def get_account(call: Call) -> Object:
    return {"id": call.ids["account"], "name": "rehearsal", "type": "standard", "settings": {}}


def list_accounts(call: Call) -> Page:
    found = sorted({zone["account_id"] for zone in call.world.zones.values()})
    return page(({"id": one, "name": "rehearsal", "type": "standard"} for one in found), call.query)


HEALTH = "zones/{zone}/healthchecks"
POLICIES = "accounts/{account}/alerting/v3/policies"
LISTS = "accounts/{account}/rules/lists"
ROUTES = (
    route("GET", "user", "user.get", user),
    route("GET", "accounts", "accounts.list", list_accounts),
    route("GET", "accounts/{account}", "accounts.get", get_account),
    route("GET", HEALTH, "healthchecks.list", list_healthchecks),
    route("POST", HEALTH, "healthchecks.create", create_healthcheck),
    route("GET", HEALTH + "/{id}", "healthchecks.get", get_healthcheck),
    route("PUT", HEALTH + "/{id}", "healthchecks.update", replace_healthcheck),
    route("DELETE", HEALTH + "/{id}", "healthchecks.delete", delete_healthcheck),
    route("GET", POLICIES, "policies.list", list_policies),
    route("POST", POLICIES, "policies.create", create_policy),
    route("GET", POLICIES + "/{policy}", "policies.get", get_policy),
    route("PUT", POLICIES + "/{policy}", "policies.update", replace_policy),
    route("DELETE", POLICIES + "/{policy}", "policies.delete", delete_policy),
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
