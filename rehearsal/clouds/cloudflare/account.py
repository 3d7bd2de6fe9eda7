"""What belongs to an account or watches a zone: health checks, notification policies, the user."""

from __future__ import annotations

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


def user(call: Call) -> Object:
    return {"id": "0" * 31 + "3", "email": "rehearsal@example.invalid", "first_name": None, "suspended": False}


def get_account(call: Call) -> Object:
    return {"id": call.ids["account"], "name": "rehearsal", "type": "standard", "settings": {}}


def list_accounts(call: Call) -> Page:
    found = sorted({zone["account_id"] for zone in call.world.zones.values()})
    return page(({"id": one, "name": "rehearsal", "type": "standard"} for one in found), call.query)


HEALTH = "zones/{zone}/healthchecks"
POLICIES = "accounts/{account}/alerting/v3/policies"
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
)
