"""What Cloudflare watches from outside, and whom it tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi

from components.sdk import enter_lightly

enter_lightly("pulumi_cloudflare")

from pulumi_cloudflare._inputs import (  # noqa: E402
    NotificationPolicyFiltersArgs,
    NotificationPolicyMechanismsArgs,
    NotificationPolicyMechanismsEmailArgs,
)
from pulumi_cloudflare.healthcheck import Healthcheck  # noqa: E402
from pulumi_cloudflare.notification_policy import NotificationPolicy  # noqa: E402

from components.edge.config import EdgeSettings  # noqa: E402
from components.site import SiteSettings  # noqa: E402
from components.values import CloudflarePlan  # noqa: E402

SEES_ATTACKS = (CloudflarePlan.BUSINESS, CloudflarePlan.ENTERPRISE)


@dataclass(frozen=True)
class Alert:
    role: str
    kind: str
    """Cloudflare's `alert_type`."""
    words: str
    filters: NotificationPolicyFiltersArgs | None = None


def declare_health_check(
    name: str, settings: EdgeSettings, site: SiteSettings, opts: pulumi.ResourceOptions
) -> Healthcheck | None:
    """Asks by the public name, as a visitor would: names, edge and origin at once.

    The origin's own address would not do: it asks for a client certificate, and this check has none.
    """
    if settings.plan is CloudflarePlan.FREE or not settings.health.enabled:
        return None
    return Healthcheck(
        f"{name}-health",
        zone_id=settings.zone_id,
        name=f"{site.api.replace('.', '-')}-health",
        description=f"https://{site.api}{settings.health.path}",
        address=site.api,
        type="HTTPS",
        interval=settings.health.interval,
        timeout=5,
        retries=2,
        consecutive_fails=settings.health.failures,
        consecutive_successes=1,
        suspended=False,
        http_config={
            "method": "GET",
            "path": settings.health.path,
            "port": 443,
            "expected_codes": ["200"],
            "follow_redirects": False,
            "allow_insecure": False,
        },
        opts=opts,
    )


def declare_notifications(
    name: str, settings: EdgeSettings, check: Healthcheck | None, opts: pulumi.ResourceOptions
) -> None:
    if settings.account_id is None:
        return
    emails = [NotificationPolicyMechanismsEmailArgs(id=address) for address in settings.notifications.emails]
    for alert in alerts(settings, check) if emails else ():
        NotificationPolicy(
            f"{name}-alert-{alert.role}",
            account_id=settings.account_id,
            name=f"{settings.zone}: {alert.words}",
            description=alert.words,
            enabled=True,
            alert_type=alert.kind,
            mechanisms=NotificationPolicyMechanismsArgs(emails=list(emails)),
            filters=alert.filters,
            opts=opts,
        )


def alerts(settings: EdgeSettings, check: Healthcheck | None) -> Iterator[Alert]:
    yield Alert("origin", "real_origin_monitoring", "origin not reachable")
    yield Alert("certificate", "universal_ssl_event_type", "edge certificate")
    yield Alert("ddos", "dos_attack_l7", "HTTP DDoS attack")
    # The only one that watches the DNS: dangling records, missing DMARC, and the like.
    yield Alert("insights", "security_insights_alert", "weak spots in DNS and settings")
    if settings.origin_pulls:
        yield Alert("pulls", "zone_aop_custom_certificate_expiration_type", "client certificate ends soon")
    if settings.plan in SEES_ATTACKS:
        filters = NotificationPolicyFiltersArgs(zones=[settings.zone_id])
        yield Alert("firewall", "clickhouse_alert_fw_anomaly", "unusual number of firewall events", filters)
    if check is not None:
        filters = NotificationPolicyFiltersArgs(health_check_ids=[check.id], statuses=["Unhealthy", "Healthy"])
        yield Alert("health", "health_check_status_notification", "health check", filters)
