"""Rulesets of zones: one for each phase, whose rules `edgerules` judges as Cloudflare would at this moment."""

from __future__ import annotations

import re
from typing import Any

from rehearsal.clouds.cloudflare.errors import RefusalError
from rehearsal.clouds.cloudflare.routes import Call, Page, page, route, typed
from rehearsal.clouds.cloudflare.store import Object, new_id

WITHOUT_RULES = ("id", "name", "description", "kind", "version", "last_updated", "phase")
RULE_FIELDS = [
    "action",
    "action_parameters",
    "categories",
    "description",
    "enabled",
    "exposed_credential_check",
    "expression",
    "id",
    "last_updated",
    "logging",
    "position",
    "ratelimit",
    "ref",
    "version",
]
ADDED = ("last_updated", "version", "position", "categories")
REF = re.compile(r"[A-Za-z0-9_\-. ]{1,128}")


def list_rulesets(call: Call) -> Page:
    found = call.zone["rulesets"].values()
    return page(({key: ruleset[key] for key in WITHOUT_RULES} for ruleset in found), call.query)


def get_ruleset(call: Call) -> Object:
    ruleset: Object | None = call.zone["rulesets"].get(call.ids["id"])
    if ruleset is None:
        raise RefusalError("ruleset-missing")
    return ruleset


def create_ruleset(call: Call) -> Object:
    given = call.object()
    phase, kind = _phase(given.get("phase")), given.get("kind")
    if kind != "zone":
        raise RefusalError(
            "ruleset-invalid", "/kind", why=f"'{kind}' is not a valid value for kind of a zone's ruleset"
        )
    if _of_phase(call, phase) is not None:
        raise RefusalError("ruleset-second", "/kind", phase=phase)
    return _new(call, phase, given)


def _new(call: Call, phase: str, given: Object) -> Object:
    name = given.get("name", "default")
    if not isinstance(name, str) or not name:
        raise RefusalError("ruleset-invalid", "/name", why="name is required")
    ruleset = {"id": new_id(), "name": name, "kind": "zone", "phase": phase, "version": "0", "rules": []}
    return _written(call, ruleset, given)


def replace_ruleset(call: Call) -> Object:
    """All rules at once. Name, kind and phase are settled when a ruleset is made."""
    old, given = get_ruleset(call), call.object()
    for name in ("kind", "phase"):
        if name in given and given[name] != old[name]:
            raise RefusalError("ruleset-invalid", f"/{name}", why=f"the {name} of a ruleset cannot be changed")
    return _written(call, {**old, "name": typed(given, "name", str, old["name"])}, given)


def delete_ruleset(call: Call) -> None:
    del call.zone["rulesets"][get_ruleset(call)["id"]]


def get_entrypoint(call: Call) -> Object:
    phase = _phase(call.ids["phase"])
    ruleset = _of_phase(call, phase)
    if ruleset is None:
        raise RefusalError("entrypoint-missing", phase=phase)
    return ruleset


def replace_entrypoint(call: Call) -> Object:
    """Made when there is none: this call, unlike POST, does not mind."""
    phase, given = _phase(call.ids["phase"]), call.object()
    for name in ("kind", "phase"):
        if name in given:
            raise RefusalError("ruleset-invalid", why=f'invalid JSON: unknown field "{name}"')
    ruleset = _of_phase(call, phase)
    return _new(call, phase, given) if ruleset is None else _written(call, ruleset, given)


def create_rule(call: Call) -> Object:
    ruleset = get_ruleset(call)
    return _written(call, ruleset, {"rules": [*ruleset["rules"], call.object()]})


def edit_rule(call: Call) -> Object:
    ruleset, wanted = get_ruleset(call), call.ids["rule"]
    _rule_exists(ruleset, wanted)
    rules = [{**call.object(), "id": wanted} if rule["id"] == wanted else rule for rule in ruleset["rules"]]
    return _written(call, ruleset, {"rules": rules})


def delete_rule(call: Call) -> Object:
    ruleset, wanted = get_ruleset(call), call.ids["rule"]
    _rule_exists(ruleset, wanted)
    return _written(call, ruleset, {"rules": [rule for rule in ruleset["rules"] if rule["id"] != wanted]})


def _rule_exists(ruleset: Object, wanted: str) -> None:
    if all(rule["id"] != wanted for rule in ruleset["rules"]):
        raise RefusalError("ruleset-missing")


def _phase(given: Any) -> str:
    from edgerules.tables.phases import PHASES  # noqa: PLC0415 - edgerules takes half a second; the start should not

    if given not in PHASES:
        raise RefusalError("ruleset-invalid", "/phase", why=f"'{given}' is not a valid value for phase")
    return str(given)


def _of_phase(call: Call, phase: str) -> Object | None:
    return next((found for found in call.zone["rulesets"].values() if found["phase"] == phase), None)


def _written(call: Call, ruleset: Object, given: Object) -> Object:
    from rehearsal.clouds.cloudflare.judge import refuse_what_cannot_be  # noqa: PLC0415

    rules = given.get("rules", [])
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise RefusalError("ruleset-invalid", "/rules", why="rules must be a list of rules")
    now = call.world.now()
    new = {
        **ruleset,
        "description": typed(given, "description", str, ruleset.get("description", "")),
        "rules": [_rule(rule, index, ruleset["rules"], now) for index, rule in enumerate(rules)],
        "version": str(int(ruleset["version"]) + 1),
        "last_updated": now,
    }
    refuse_what_cannot_be(call.world, call.ids["zone"], new)
    call.zone["rulesets"][new["id"]] = new
    return new


def _rule(given: Object, index: int, before: list[Object], now: str) -> Object:
    """A rule keeps its id by its ref; without a ref it is a new one each time, as the documentation warns."""
    unknown = sorted(set(given) - set(RULE_FIELDS))
    if unknown:
        raise RefusalError("rule-invalid", f"/rules/{index}", why=f"unknown field {unknown[0]}")
    kept = {key: value for key, value in given.items() if value is not None and key not in ADDED}
    ref, rule_id = kept.get("ref"), kept.get("id")
    if ref is not None and not REF.fullmatch(str(ref)):
        raise RefusalError("rule-invalid", f"/rules/{index}/ref", why=f"'{ref}' is not a valid value for ref")
    same = next((rule for rule in before if rule["ref"] == ref or rule["id"] == rule_id), None)
    own = same["id"] if same else new_id()
    logging = {"logging": {"enabled": True}} if kept.get("action") == "skip" else {}
    rule = {**logging, "enabled": True, **kept, "id": own, "ref": ref or (same["ref"] if same and rule_id else own)}
    unchanged = same is not None and {**same, **dict.fromkeys(ADDED)} == {**rule, **dict.fromkeys(ADDED)}
    if same and unchanged:
        return same
    return {**rule, "version": str(int(same["version"]) + 1) if same else "1", "last_updated": now}


ZONE = "zones/{zone}/rulesets"
ROUTES = (
    route("GET", ZONE, "rulesets.list", list_rulesets),
    route("POST", ZONE, "rulesets.create", create_ruleset),
    route("GET", ZONE + "/phases/{phase}/entrypoint", "rulesets.get_entrypoint", get_entrypoint),
    route("PUT", ZONE + "/phases/{phase}/entrypoint", "rulesets.update_entrypoint", replace_entrypoint),
    route("GET", ZONE + "/{id}", "rulesets.get", get_ruleset),
    route("PUT", ZONE + "/{id}", "rulesets.update", replace_ruleset),
    route("DELETE", ZONE + "/{id}", "rulesets.delete", delete_ruleset),
    route("POST", ZONE + "/{id}/rules", "rules.create", create_rule),
    route("PATCH", ZONE + "/{id}/rules/{rule}", "rules.edit", edit_rule),
    route("DELETE", ZONE + "/{id}/rules/{rule}", "rules.delete", delete_rule),
)
