"""The Cloudflare zone in front of a system: records, TLS, firewall, limits, cache and headers as code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.sdk import enter_lightly

enter_lightly("pulumi_cloudflare")

from pulumi_cloudflare.argo_tiered_caching import ArgoTieredCaching  # noqa: E402
from pulumi_cloudflare.bot_management import BotManagement  # noqa: E402
from pulumi_cloudflare.dns_record import DnsRecord  # noqa: E402
from pulumi_cloudflare.ruleset import Ruleset  # noqa: E402
from pulumi_cloudflare.tiered_cache import TieredCache  # noqa: E402
from pulumi_cloudflare.url_normalization_settings import UrlNormalizationSettings  # noqa: E402
from pulumi_cloudflare.zone_dnssec import ZoneDnssec  # noqa: E402
from pulumi_cloudflare.zone_setting import ZoneSetting  # noqa: E402

from components.edge.alerts import declare_health_check, declare_notifications  # noqa: E402
from components.edge.bots import bot_management  # noqa: E402
from components.edge.config import EdgeSettings, PlatformEdge  # noqa: E402
from components.edge.dns import records  # noqa: E402
from components.edge.origin import OriginCertificate, OriginPulls  # noqa: E402
from components.edge.plan import limit_notes, plan_findings, plan_notes  # noqa: E402
from components.edge.rules.words import Rule  # noqa: E402
from components.edge.rules.zone import HandedOver, for_owner, rulesets  # noqa: E402
from components.edge.zone_data import URL_NORMALIZATION  # noqa: E402
from components.edge.zone_settings import zone_settings  # noqa: E402
from components.site import SiteSettings  # noqa: E402
from components.values import ZoneRole  # noqa: E402

Tenants = Sequence[HandedOver] | pulumi.Output[Sequence[HandedOver]]


@dataclass(frozen=True)
class CloudflareEdgeArgs:
    settings: EdgeSettings
    site: SiteSettings
    ipv4: str | None = None
    """The server's address. A system on platforms has none: its settings name the platforms instead."""
    ipv6: str | None = None
    tenants: Tenants = ()
    """For the zone's owner: the output `rules_for_owner` of each tenant's stack."""
    origin_certificate: bool = False
    """The origin's certificate is Cloudflare's own (issuer cloudflare_origin), not Let's Encrypt's."""


def rules_of(stacks: Sequence[str]) -> Tenants:
    """What the named stacks hand over to the owner of their zone."""
    if not stacks:
        return ()
    handed = [pulumi.StackReference(name).get_output("edge") for name in stacks]
    return pulumi.Output.all(*handed).apply(
        lambda outputs: [output["rules_for_owner"] for output in outputs if output and output.get("rules_for_owner")]
    )


class CloudflareEdge(pulumi.ComponentResource):
    """Everything of one zone that a stack may write: all of it as its owner, its own DNS records as a tenant."""

    rate_limits: list[str]
    """What became of each rate limit, in sentences."""
    rules_for_owner: dict[str, Any] | None
    """A tenant's rules, for the stack that owns the zone."""
    dnssec: pulumi.Output[dict[str, Any]] | None
    """What the registrar has to be told."""
    origin_pulls: OriginPulls | None
    """The client CA that the origin checks Cloudflare by, and a certificate for its own health checks."""
    origin_certificate: OriginCertificate | None
    """Certificate and key for the origin."""

    def __init__(self, name: str, args: CloudflareEdgeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("infra:edge:CloudflareEdge", name, None, opts)
        self._name, self._args = name, args
        self._settings, self._site = args.settings, args.site
        self._refuse_what_cannot_be()

        self._declare_records()
        self.dnssec = self.origin_pulls = self.origin_certificate = self.rules_for_owner = None
        if args.origin_certificate:
            self.origin_certificate = OriginCertificate(f"{name}-origin", self._site.names, self._child())
        if self._settings.role is ZoneRole.TENANT:
            self.rules_for_owner = for_owner(self._settings, self._site)
        else:
            self._declare_zone()
        self.rate_limits = limit_notes(self._settings, self._site, self._known_tenants)
        for note in plan_notes(self._settings, self._site, self._known_tenants):
            pulumi.log.info(note, self)
        self.register_outputs({"rate_limits": self.rate_limits, "rules_for_owner": self.rules_for_owner})

    def outputs(self) -> dict[str, Any]:
        """What people and the zone's other stacks need: the registrar's DS record, the limits, a tenant's rules."""
        return {"registrar": self.dnssec, "rate_limits": self.rate_limits, "rules_for_owner": self.rules_for_owner}

    def _refuse_what_cannot_be(self) -> None:
        findings = plan_findings(self._settings, self._site, self._known_tenants)
        if not isinstance(self._settings, PlatformEdge) and not (self._args.ipv4 or self._args.ipv6):
            findings.append("host.ipv4 and host.ipv6: not set, so the site's names have no address; set one or both")
        if findings:
            raise pulumi.RunError("\n".join(findings))

    @property
    def _known_tenants(self) -> Sequence[HandedOver]:
        """What another stack's output holds is only known when it is read: the rulesets have it, notes do not."""
        return () if isinstance(self._args.tenants, pulumi.Output) else self._args.tenants

    def _declare_zone(self) -> None:
        self._declare_settings()
        self._declare_rulesets()
        self._declare_bots()
        self._declare_cache()
        self.dnssec = self._declare_dnssec()
        if self._settings.origin_pulls:
            self.origin_pulls = OriginPulls(f"{self._name}-pulls", self._settings.zone_id, self._child())
        check = declare_health_check(self._name, self._settings, self._site, self._child())
        declare_notifications(self._name, self._settings, check, self._child())

    def _child(self, **options: Any) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, **options)

    def _declare_records(self) -> None:
        for entry in records(self._settings, self._site, self._args.ipv4, self._args.ipv6):
            DnsRecord(
                f"{self._name}-{entry.role}",
                zone_id=self._settings.zone_id,
                **entry.properties(),
                opts=self._child(),
            )

    def _declare_settings(self) -> None:
        for setting, value in zone_settings(self._settings, self._site).items():
            name = f"{self._name}-{setting.replace('_', '-')}"
            ZoneSetting(name, zone_id=self._settings.zone_id, setting_id=setting, value=value, opts=self._child())
        UrlNormalizationSettings(
            f"{self._name}-url-normalization",
            zone_id=self._settings.zone_id,
            **URL_NORMALIZATION,
            opts=self._child(),
        )

    def _declare_rulesets(self) -> None:
        """Which rulesets there are follows from the owner's own rules; tenants only add to them."""
        for phase in rulesets(self._settings, self._site):
            Ruleset(
                f"{self._name}-{phase.replace('_', '-')}",
                zone_id=self._settings.zone_id,
                kind="zone",
                name=f"{self._settings.zone} {phase}",
                description="Written by a program: changes made by hand are undone by its next update",
                phase=phase,
                rules=self._rules(phase),
                opts=self._child(),
            )

    def _rules(self, phase: str) -> pulumi.Input[list[Any]]:
        def merged(tenants: Sequence[HandedOver]) -> list[Rule]:
            return [_for_pulumi(rule) for rule in rulesets(self._settings, self._site, tenants)[phase]]

        tenants = self._args.tenants
        return tenants.apply(merged) if isinstance(tenants, pulumi.Output) else merged(tenants)

    def _declare_bots(self) -> None:
        BotManagement(
            f"{self._name}-bots",
            zone_id=self._settings.zone_id,
            **bot_management(self._settings),
            opts=self._child(),
        )

    def _declare_cache(self) -> None:
        """Two switches of one thing: tiers at all, and tiers near the origin. The second needs the first."""
        zone_id, value = self._settings.zone_id, "on" if self._settings.tiered_cache else "off"
        tiers = ArgoTieredCaching(f"{self._name}-tiers", zone_id=zone_id, value=value, opts=self._child())
        TieredCache(f"{self._name}-smart-tiers", zone_id=zone_id, value=value, opts=self._child(depends_on=[tiers]))

    def _declare_dnssec(self) -> pulumi.Output[dict[str, Any]] | None:
        if not self._settings.dnssec:
            return None
        # Until the registrar has the DS record the API answers `pending`, which would be a diff at every update.
        zone = ZoneDnssec(
            f"{self._name}-dnssec",
            zone_id=self._settings.zone_id,
            status="active",
            opts=self._child(ignore_changes=["status"]),
        )
        return pulumi.Output.all(
            ds=zone.ds,
            key_tag=zone.key_tag,
            algorithm=zone.algorithm,
            digest_type=zone.digest_type,
            digest=zone.digest,
        )


def _for_pulumi(rule: Mapping[str, Any]) -> Rule:
    """The SDK calls one property of the API otherwise: `status_code_ttls`."""
    parameters = dict(rule.get("action_parameters") or {})
    edge_ttl = parameters.get("edge_ttl")
    if edge_ttl is None or "status_code_ttl" not in edge_ttl:
        return dict(rule)
    renamed = {("status_code_ttls" if key == "status_code_ttl" else key): value for key, value in edge_ttl.items()}
    return {**rule, "action_parameters": {**parameters, "edge_ttl": renamed}}
