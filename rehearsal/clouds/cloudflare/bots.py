"""Bot management: which field exists on which plan."""

from __future__ import annotations

from typing import Any

from rehearsal.clouds.cloudflare.errors import RefusalError
from rehearsal.clouds.cloudflare.routes import Call, one_of, route
from rehearsal.clouds.cloudflare.store import Object

BOTS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("fight_mode", "enable_js", "using_latest_model", "optimize_wordpress"), (True, False)),
    **dict.fromkeys(("suppress_session_score", "auto_update_model", "bm_cookie_enabled"), (True, False)),
    **dict.fromkeys(("sbfm_static_resource_protection", "is_robots_txt_managed"), (True, False)),
    **dict.fromkeys(("sbfm_definitely_automated", "sbfm_likely_automated"), ("allow", "block", "managed_challenge")),
    "sbfm_verified_bots": ("allow", "block"),
    "ai_bots_protection": ("block", "disabled", "only_on_ad_pages"),
    "content_bots_protection": ("block", "disabled"),
    "crawler_protection": ("enabled", "disabled"),
    "cf_robots_variant": ("off", "policy_only"),
}
COMMON_BOTS = (
    "content_bots_protection",
    "enable_js",
    "ai_bots_protection",
    "crawler_protection",
    "is_robots_txt_managed",
    "cf_robots_variant",
)
SUPER = (
    *COMMON_BOTS,
    "sbfm_definitely_automated",
    "sbfm_verified_bots",
    "sbfm_static_resource_protection",
    "optimize_wordpress",
)
BOTS_BY_PLAN: dict[str, tuple[str, ...]] = {
    "free": (*COMMON_BOTS, "fight_mode"),
    "pro": SUPER,
    "business": (*SUPER, "sbfm_likely_automated"),
    "enterprise": (*SUPER, "sbfm_likely_automated", "auto_update_model", "suppress_session_score", "bm_cookie_enabled"),
}


def get_bots(call: Call) -> Object:
    defaults = {name: BOTS[name][-1] if isinstance(BOTS[name][-1], bool) else BOTS[name][0] for name in
                BOTS_BY_PLAN[call.zone["plan"]]}  # fmt: skip
    defaults["ai_bots_protection"] = "disabled"
    return {**defaults, **call.zone["singletons"].get("bot_management", {}), "using_latest_model": True}


def put_bots(call: Call) -> Object:
    plan, given = call.zone["plan"], call.object()
    for name, value in given.items():
        if name not in BOTS:
            raise RefusalError("value-invalid", why=f"unknown field {name}")
        if name == "sbfm_likely_automated" and name not in BOTS_BY_PLAN[plan]:
            raise RefusalError("bots-likely")
        if name not in BOTS_BY_PLAN[plan] and name != "using_latest_model":
            raise RefusalError("plan-lacks", what=name, plan=plan)
        if not one_of(value, BOTS[name]):
            raise RefusalError("value-invalid", why=f"{name} must be one of {', '.join(map(str, BOTS[name]))}")
    kept = call.zone["singletons"]
    kept["bot_management"] = {**kept.get("bot_management", {}), **given}
    return get_bots(call)


ROUTES = (
    route("GET", "zones/{zone}/bot_management", "bot_management.get", get_bots),
    route("PUT", "zones/{zone}/bot_management", "bot_management.update", put_bots),
)
