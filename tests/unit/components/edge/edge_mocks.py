"""Runs the component against Pulumi's mocks and hands back what it declared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import mocks

from components.edge.component import CloudflareEdge, CloudflareEdgeArgs
from components.edge.config import EdgeSettings
from edgerules.zone import Zone, zone_from_rulesets

Args = CloudflareEdgeArgs | Callable[[], CloudflareEdgeArgs]
PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"


@dataclass
class Declared:
    """Every resource in order: type token, name, inputs as the engine gets them."""

    resources: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    component: CloudflareEdge | None = None

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [inputs for token, _, inputs in self.resources if token.rsplit(":", 1)[-1] == kind]

    def names(self) -> list[str]:
        return [name for _, name, _ in self.resources]


class Recorder(mocks.Mocks):
    def __init__(self, declared: Declared) -> None:
        self.declared = declared

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[Any, Any]]:
        self.declared.resources.append((args.typ, args.name, dict(args.inputs)))
        made = {key: PEM.format(f"{args.name} {key}") for key in ("certPem", "privateKeyPem", "certRequestPem")}
        return f"{args.name}-id", {**made, **args.inputs, "ds": "example. 3600 IN DS 2371 13 2 AB", "keyTag": 2371}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]]]:
        raise AssertionError(f"the component asked a provider: {args.token}")


def declare(args: Args, then: Callable[[CloudflareEdge], Any] | None = None) -> Declared:
    """`args` is a function where it makes outputs: they belong to one run. What `then` raises fails the test."""
    declared = Declared()
    asyncio.set_event_loop(asyncio.new_event_loop())
    mocks.set_mocks(Recorder(declared), project="project", stack="stack", preview=False)

    @pulumi.runtime.test
    def program() -> Any:
        declared.component = CloudflareEdge("edge", args() if callable(args) else args)
        return then(declared.component) if then else None

    program()
    return declared


def declared_zone(declared: Declared, settings: EdgeSettings, **more: Any) -> Zone:
    """The zone that these resources make. Only the plan comes from the settings: no resource has it."""
    zone_settings = {each["settingId"]: each["value"] for each in declared.of("ZoneSetting")}
    records = [{key: value for key, value in each.items() if key != "zoneId"} for each in declared.of("DnsRecord")]
    parts = {
        "settings": zone_settings,
        "records": records,
        "url_normalization": _only(declared, "UrlNormalizationSettings"),
        "bot_management": _only(declared, "BotManagement"),
    }
    rulesets = [{"phase": each["phase"], "rules": each.get("rules")} for each in declared.of("Ruleset")]
    return zone_from_rulesets(rulesets, plan=settings.plan.value, name=settings.zone, **parts, **more)


def _only(declared: Declared, kind: str) -> dict[str, Any]:
    (found,) = declared.of(kind)
    return {key: value for key, value in found.items() if key != "zoneId"}
