"""Bot detection, with only the fields that the plan accepts: any other makes Cloudflare refuse the whole call."""

from __future__ import annotations

from typing import Any

from components.edge.config import BotAction, EdgeSettings
from components.values import CloudflarePlan

LIKELY = (CloudflarePlan.BUSINESS, CloudflarePlan.ENTERPRISE)


def bot_management(settings: EdgeSettings) -> dict[str, Any]:
    bots = settings.bots
    ai = {"ai_bots_protection": "disabled" if bots.ai is BotAction.ALLOW else "block"}
    if settings.plan is CloudflarePlan.FREE:
        return {"fight_mode": bots.definitely is not BotAction.ALLOW, **ai}
    fields = {
        "enable_js": True,
        "sbfm_definitely_automated": bots.definitely.value,
        "sbfm_verified_bots": bots.verified.value,
        "sbfm_static_resource_protection": False,
        **ai,
    }
    return {**fields, "sbfm_likely_automated": bots.likely.value} if settings.plan in LIKELY else fields


def bot_findings(settings: EdgeSettings) -> list[str]:
    """Words that the fields exist for, but Cloudflare has no such answer."""
    return [
        f'edge.bots.{name}: given "{BotAction.CHALLENGE.value}"; Cloudflare can only allow or block these'
        for name in ("verified", "ai")
        if getattr(settings.bots, name) is BotAction.CHALLENGE
    ]
