"""The `alerts` section: from when something is worth a warning, and from when it is critical."""

from collections.abc import Iterable
from typing import Annotated

from components.leaves import whole
from components.mistakes import Mistake
from components.section import Section
from components.values import SECONDS, Days, Seconds, Share


class Threshold(Section):
    """Shares of what there is: 0.9 of 200 database connections are 180."""

    warning: Share
    """Above this: a warning."""
    critical: Share
    """Above this: critical."""


class Latency(Section):
    """Response times (95th percentile) in milliseconds."""

    warning: Annotated[int, whole(1, 60000)] = 500
    """Above this: a warning."""
    critical: Annotated[int, whole(1, 60000)] = 1000
    """Above this: critical."""


class DaysLeft(Section):
    """How long something is still good for, in days."""

    warning: Days = 21
    """Below this: a warning."""
    critical: Days = 7
    """Below this: critical."""


class Healthy(Section):
    """What the health check on the server calls healthy."""

    disk_used: Share = 0.9
    """Disk in use, below this."""
    memory_free: Share = 0.1
    """Free memory, above this."""


class NeurmaticAlerts(Section):
    """What is measured on the server and in the application."""

    error_rate: Threshold = Threshold(warning=0.05, critical=0.1)
    """Failed requests of all requests."""
    latency: Latency = Latency()
    """Response time."""
    cpu: Threshold = Threshold(warning=0.8, critical=0.9)
    """CPU in use."""
    memory: Threshold = Threshold(warning=0.85, critical=0.95)
    """Memory in use."""
    disk: Threshold = Threshold(warning=0.85, critical=0.95)
    """Disk in use."""
    connections: Threshold = Threshold(warning=0.9, critical=0.975)
    """Database connections of `containers.postgres.max_connections`."""
    redis_memory: Threshold = Threshold(warning=0.9, critical=0.975)
    """Memory of `containers.redis.maxmemory`."""
    certificate: DaysLeft = DaysLeft()
    """The origin's certificate; it is renewed long before (`containers.certificates.renew_before`)."""
    window: Annotated[int, SECONDS.between("1m", "1h")] = 300
    """Error rate and response time are those of the requests in this last time."""
    remind_after: Annotated[int, SECONDS.between("10m", "7d")] = 6 * 3600
    """What lasts is said again after so long."""
    healthy: Healthy = Healthy()
    """The health check."""


class NeuropilotAlerts(Section):
    """What is measured at the edge and on the platforms."""

    error_rate: Share = 0.05
    """Failed requests of all requests: critical above this, for `error_time`."""
    error_time: Seconds = 300
    """How long it has to last."""
    waf_blocks: Annotated[int, whole(1, 10_000_000)] = 1000
    """Requests an hour that the firewall refuses: a warning above this."""
    connections: Share = 0.9
    """Database connections of the pool: a warning above this."""


def alerts_rise(alerts: NeurmaticAlerts) -> Iterable[Mistake]:
    """A warning that comes after the alarm is none."""
    for name in type(alerts).model_fields:
        threshold = getattr(alerts, name)
        if isinstance(threshold, Threshold | Latency) and threshold.warning >= threshold.critical:
            text = f"given {threshold.warning:g}; allowed is less than critical, {threshold.critical:g}"
            yield Mistake(("alerts", name, "warning"), text, about=(("alerts", name, "critical"),))
    left = alerts.certificate
    if left.warning <= left.critical:
        text = f"given {left.warning}; allowed is more than critical, {left.critical}"
        yield Mistake(("alerts", "certificate", "warning"), text, about=(("alerts", "certificate", "critical"),))
