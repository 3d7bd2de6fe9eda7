"""The zone as the API holds it, in the shape that `edgerules` reads: so a test asks it about a request."""

from __future__ import annotations

from typing import Any

from edgerules.zone.model import BotManagement, Settings, UrlNormalization
from rehearsal.clouds.cloudflare.store import Object, World

RECORD_FIELDS = ("name", "type", "content", "proxied", "ttl", "priority")
NOT_OF_A_RULE = ("version", "last_updated")


def exported(world: World, zone_id: str) -> Object:
    zone = world.zone(zone_id)
    return {
        "plan": zone["plan"],
        "name": zone["name"],
        "settings": _known(Settings, zone["settings"]),
        "records": [_present(record, RECORD_FIELDS) for record in zone["records"].values()],
        "rules": {found["phase"]: [_rule(rule) for rule in found["rules"]] for found in zone["rulesets"].values()},
        "lists": lists(world, zone["account_id"]),
        "url_normalization": _known(UrlNormalization, zone["singletons"].get("url_normalization", {})),
        "bot_management": _known(BotManagement, zone["singletons"].get("bot_management", {})),
    }


def lists(world: World, account_id: str) -> Object:
    found = world.account(account_id)["lists"].values()
    return {
        one["name"]: {"kind": one["kind"], "items": [_item(item) for item in one["items"].values()]} for one in found
    }


def _item(item: Object) -> Any:
    return next(item[kind] for kind in ("ip", "asn", "redirect", "hostname") if kind in item)


def _rule(rule: Object) -> Object:
    return {key: value for key, value in rule.items() if key not in NOT_OF_A_RULE}


def _present(value: Object, fields: tuple[str, ...]) -> Object:
    return {field: value[field] for field in fields if value.get(field) is not None}


def _known(model: Any, value: Object) -> Object:
    """What decides nothing, and what only the API knows, is left out."""
    names = {alias for name, field in model.model_fields.items() for alias in (name, *_aliases(field))}
    return {key: item for key, item in value.items() if key in names}


def _aliases(field: Any) -> tuple[str, ...]:
    choices = getattr(field.validation_alias, "choices", ())
    return tuple(str(choice) for choice in choices)
