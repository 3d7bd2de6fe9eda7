"""What a zone has one of: its settings by name, DNSSEC, bot management, normalisation, tiered cache, origin pulls."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.clouds.cloudflare.errors import RefusalError
from rehearsal.clouds.cloudflare.routes import Call, one_of, route
from rehearsal.clouds.cloudflare.store import Object

SWITCH = ("on", "off")
HSTS: Object = {"enabled": False, "max_age": 0, "include_subdomains": False, "preload": False, "nosniff": False}


@dataclass(frozen=True)
class Setting:
    """Its value as a new zone has it, and what it may become: these values, or what the check lets pass."""

    default: Any
    allowed: tuple[Any, ...] = ()
    check: Callable[[Any], bool] = lambda value: False
    plans: tuple[str, ...] = ("free", "pro", "business", "enterprise")

    def takes(self, value: Any) -> bool:
        return one_of(value, self.allowed) or self.check(value)


def _switch(default: str, plans: tuple[str, ...] = Setting.plans) -> Setting:
    return Setting(default, SWITCH, plans=plans)


def _hsts(value: Any) -> bool:
    inner = value.get("strict_transport_security") if isinstance(value, Mapping) else None
    if not isinstance(inner, Mapping) or not set(inner) <= set(HSTS):
        return False
    age = inner.get("max_age", 0)
    return (
        isinstance(age, int)
        and 0 <= age <= 63_072_000
        and all(isinstance(item, bool) for key, item in inner.items() if key != "max_age")
    )


def _whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


PAID = ("pro", "business", "enterprise")
TOP = ("business", "enterprise")
ON = [
    "always_online",
    "automatic_https_rewrites",
    "brotli",
    "browser_check",
    "email_obfuscation",
    "http2",
    "ip_geolocation",
    "ipv6",
    "opportunistic_encryption",
    "privacy_pass",
    "replace_insecure_js",
    "server_side_exclude",
    "websockets",
]
OFF = [
    "0rtt",
    "always_use_https",
    "development_mode",
    "early_hints",
    "h2_prioritization",
    "hotlink_protection",
    "http3",
    "opportunistic_onion",
    "rocket_loader",
    "tls_client_auth",
]
OFF_ON_TOP = ("true_client_ip_header", "sort_query_string_for_cache", "prefetch_preload")
SETTINGS: dict[str, Setting] = {
    **{name: _switch("on") for name in ON},
    **{name: _switch("off") for name in OFF},
    **{name: _switch("off", TOP) for name in OFF_ON_TOP},
    "mirage": _switch("off", PAID),
    "waf": _switch("off", PAID),
    "polish": Setting("off", ("off", "lossless", "lossy"), plans=PAID),
    "ssl": Setting("full", ("off", "flexible", "full", "strict", "origin_pull")),
    "min_tls_version": Setting("1.0", ("1.0", "1.1", "1.2", "1.3")),
    "tls_1_3": Setting("on", ("on", "off", "zrt")),
    "security_level": Setting("medium", ("off", "essentially_off", "low", "medium", "high", "under_attack")),
    "cache_level": Setting("aggressive", ("bypass", "basic", "simplified", "aggressive")),
    "pseudo_ipv4": Setting("off", ("off", "add_header", "overwrite_header")),
    "browser_cache_ttl": Setting(14400, check=lambda value: _whole(value, 0, 31_536_000)),
    "challenge_ttl": Setting(1800, check=lambda value: _whole(value, 300, 31_536_000)),
    "max_upload": Setting(100, (100, 200, 500)),
    "security_header": Setting({"strict_transport_security": HSTS}, check=_hsts),
    "ciphers": Setting([], check=lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value)),
}


def list_settings(call: Call) -> list[Object]:
    return [_setting(call, name) for name in sorted(SETTINGS)]


def get_setting(call: Call) -> Object:
    return _setting(call, call.ids["setting"])


def edit_setting(call: Call) -> Object:
    name, zone = call.ids["setting"], call.zone
    known = _known(name)
    value: Any = call.object().get("value")
    if zone["plan"] not in known.plans:
        raise RefusalError("setting-plan", name=name)
    if not known.takes(value):
        raise RefusalError("setting-value", name=name)
    if name == "security_header":
        value = {"strict_transport_security": {**HSTS, **value["strict_transport_security"]}}
    zone["settings"][name] = value
    if name in ("0rtt", "tls_1_3"):
        _keep_zero_rtt(zone["settings"])
    zone.setdefault("settings_modified", {})[name] = call.world.now()
    return _setting(call, name)


def _keep_zero_rtt(settings: Object) -> None:
    """With 0-RTT the API answers `zrt` for what was written as `on`, and the other way round."""
    if settings.get("tls_1_3", "on") in ("on", "zrt"):
        settings["tls_1_3"] = "zrt" if settings.get("0rtt") == "on" else "on"


def _known(name: str) -> Setting:
    if name not in SETTINGS:
        raise RefusalError("setting-unknown", name=name)
    return SETTINGS[name]


def _setting(call: Call, name: str) -> Object:
    known, zone = _known(name), call.zone
    return {
        "id": name,
        "value": zone["settings"].get(name, known.default),
        "editable": zone["plan"] in known.plans,
        "modified_on": zone.get("settings_modified", {}).get(name),
    }


DNSSEC_OPTIONS: tuple[str, ...] = ("dnssec_multi_signer", "dnssec_presigned", "dnssec_use_nsec3")


def get_dnssec(call: Call) -> Object:
    found: Object = call.zone["singletons"].get("dnssec", {"status": "disabled"})
    return found


def edit_dnssec(call: Call) -> Object:
    """`active` becomes `pending`: only the registrar's DS record makes it active, and no call here writes that."""
    given, old = call.object(), get_dnssec(call)
    status = given.get("status", old["status"])
    if status not in ("active", "disabled", "pending", "disabled-pending"):
        raise RefusalError("value-invalid", why="status must be one of active, disabled")
    if status in ("disabled", "disabled-pending"):
        return _kept(call, "dnssec", {"status": "disabled", "modified_on": call.world.now()})
    options: Object = {key: given[key] for key in DNSSEC_OPTIONS if key in given}
    now = call.world.now()
    return _kept(call, "dnssec", {**_keys(call.zone["name"]), **options, "status": "pending", "modified_on": now})


def delete_dnssec(call: Call) -> str:
    call.zone["singletons"].pop("dnssec", None)
    return ""


def _keys(name: str) -> Object:
    digest = hashlib.sha256(f"ksk {name}".encode()).hexdigest().upper()
    tag = int(digest[:4], 16)
    return {
        "algorithm": "13",
        "digest": digest,
        "digest_algorithm": "SHA256",
        "digest_type": "2",
        "ds": f"{name}. 3600 IN DS {tag} 13 2 {digest}",
        "flags": 257,
        "key_tag": tag,
        "key_type": "ECDSAP256SHA256",
        "public_key": "",
    }


def _kept(call: Call, name: str, value: Object) -> Object:
    call.zone["singletons"][name] = value
    return value


@dataclass(frozen=True)
class Singleton:
    """One small object below a zone: its fields with the values they may have, the first being a new zone's."""

    path: str
    name: str
    fields: Mapping[str, tuple[Any, ...]]
    deletable: bool = True
    extra: Mapping[str, Any] = field(default_factory=dict)

    def get(self, call: Call) -> Object:
        defaults = {key: values[0] for key, values in self.fields.items()}
        return {**self.extra, **defaults, **call.zone["singletons"].get(self.name, {})}

    def put(self, call: Call) -> Object:
        given = call.object()
        for key, value in given.items():
            if not one_of(value, self.fields.get(key, ())):
                allowed = ", ".join(map(str, self.fields.get(key, ())))
                raise RefusalError(
                    "value-invalid", why=f"{key} must be one of {allowed}" if allowed else f"unknown field {key}"
                )
        _kept(call, self.name, {**self.get(call), **given, **({"modified_on": call.world.now()} if self.extra else {})})
        return self.get(call)

    def delete(self, call: Call) -> Object:
        call.zone["singletons"].pop(self.name, None)
        return self.get(call)


def _toggle(path: str, setting: str) -> Singleton:
    return Singleton(path, setting, {"value": ("off", "on")}, extra={"id": setting, "editable": True})


URL_NORMALIZATION = Singleton(
    "url_normalization", "url_normalization", {"type": ("cloudflare", "rfc3986"), "scope": ("incoming", "both", "none")}
)
SMART_TIERS = _toggle("cache/tiered_cache_smart_topology_enable", "tiered_cache_smart_topology_enable")
TIERS = _toggle("argo/tiered_caching", "tiered_caching")
ORIGIN_PULLS = Singleton("origin_tls_client_auth/settings", "origin_pulls", {"enabled": (False, True)})

ZONE = "zones/{zone}/"
ROUTES = (
    route("GET", ZONE + "settings", "settings.list", list_settings),
    route("GET", ZONE + "settings/{setting}", "settings.get", get_setting),
    route("PATCH", ZONE + "settings/{setting}", "settings.edit", edit_setting),
    route("GET", ZONE + "dnssec", "dnssec.get", get_dnssec),
    route("PATCH", ZONE + "dnssec", "dnssec.edit", edit_dnssec),
    route("DELETE", ZONE + "dnssec", "dnssec.delete", delete_dnssec),
    *(
        route(method, ZONE + one.path, f"{one.name}.{verb}", handler)
        for one in (URL_NORMALIZATION, SMART_TIERS, TIERS, ORIGIN_PULLS)
        for method, verb, handler in (
            ("GET", "get", one.get),
            ("PUT", "update", one.put),
            ("PATCH", "edit", one.put),
            ("POST", "create", one.put),
            ("DELETE", "delete", one.delete),
        )
    ),
)
