"""The zone simulator: requests in, outcomes out, in the documented order of phases.

Order: docs ruleset-engine/reference/phases-list and waf/feature-interoperability (November 2026). Always Use
HTTPS acts before every rule. Not simulated: DDoS protection, Workers, snippets, Access, page rules.
"""

from __future__ import annotations

from edgerules.language import UNKNOWN
from edgerules.simulator import caching, changes, firewall, redirects, responses
from edgerules.simulator.counters import Counters
from edgerules.simulator.fields import Fields
from edgerules.simulator.outcome import ALLOWED, STOPPED, UNDECIDED, Cached, Outcome, Step, Stop
from edgerules.simulator.program import Compiled, Compiler
from edgerules.simulator.request import Request
from edgerules.simulator.run import Answer, Run
from edgerules.zone import Document, Zone

_ADDRESS_TYPES = frozenset({"A", "AAAA", "CNAME", "HTTPS"})
_NOT_SIMULATED = ("http_request_snippets", "http_request_cloud_connector")


class Edge:
    """A compiled zone with its counters and caches. `send` in the order of time."""

    def __init__(self, zone: Zone, document: Document | None = None) -> None:
        self.zone = zone
        self.program = Compiler(zone, document).compile()
        self.proxied = _hosts(zone)
        normalisation = zone.url_normalization
        self.normalisation = None if normalisation.scope == "none" else normalisation.type
        self.reset()

    def reset(self) -> None:
        """Forget all counters and everything cached."""
        self.counters = {
            rule.name: Counters(rule.rule.ratelimit)
            for rule in self.rules("http_ratelimit")
            if rule.rule.ratelimit is not None
        }
        self.store = caching.Store()

    def rules(self, phase: str) -> list[Compiled]:
        return self.program.get(phase, [])

    def send(self, request: Request, at: float = 0.0, *, trace: bool = False) -> Outcome:
        """What becomes of `request` at the time `at` (seconds)."""
        run = Run(request, Fields(request, self.normalisation), at, trace)
        direct = self.without_edge(run)
        if direct is not None:
            return direct
        self.request_phases(run)
        hit = self.cache(run) if run.stop is None else False
        responses.begin(run)
        if run.stop is None:
            firewall.count_response(run, self.rules("http_ratelimit"), self.counters, hit)
        self.response_phases(run)
        return _outcome(run)

    def without_edge(self, run: Run) -> Outcome | None:
        """Requests that no rule sees: names without a proxied record, TLS versions that are refused."""
        proxied = self.is_proxied(run.request.host.lower())
        if proxied is None:
            stop = Stop("dns:no-record", "unresolved", phase="dns")
            return Outcome(STOPPED, stop, steps=[Step("dns", stop.rule, "unresolved", run.request.host)])
        if not proxied:
            origin = run.request.origin
            note = Step("dns", "dns:not-proxied", "direct", "goes to the origin past the edge")
            headers = {name: list(values) for name, values in origin.headers.items()} if origin else {}
            return Outcome(
                ALLOWED,
                status=origin.status if origin else None,
                headers=dict(headers),
                headers_complete=origin is not None,
                steps=[note],
            )
        return self.refused(run.request)

    def refused(self, request: Request) -> Outcome | None:
        settings = self.zone.settings
        if request.scheme != "https" or request.tls is None:
            return None
        setting = None
        if request.tls < settings.min_tls_version:
            setting = "setting:min_tls_version"
        elif request.tls == "1.3" and settings.tls_1_3 == "off":
            setting = "setting:tls_1_3"
        if setting is None:
            return None
        stop = Stop(setting, "refuse_tls", phase="tls")
        return Outcome(STOPPED, stop, steps=[Step("tls", setting, "refuse_tls", f"TLS {request.tls}")])

    def is_proxied(self, host: str) -> bool | None:
        """None: the zone has records, and none for this name."""
        if not self.proxied:
            return True
        if host in self.proxied:
            return self.proxied[host]
        rest = host
        while "." in rest:
            rest = rest.partition(".")[2]
            if "*." + rest in self.proxied:
                return self.proxied["*." + rest]
        return None

    def request_phases(self, run: Run) -> None:
        rules = self.rules
        redirects.always_https(run, self.zone)
        if run.stop is None:
            redirects.single(run, rules("http_request_dynamic_redirect"))
        if run.stop is not None:
            return
        if self.zone.url_normalization.scope == "both":
            changes.normalised(run)
        changes.rewrite_url(run, rules("http_request_transform"))
        changes.configuration(run, rules("http_config_settings"))
        changes.origin(run, rules("http_request_origin"))
        firewall.custom(run, rules("http_request_firewall_custom"))
        if run.stop is None:
            firewall.rate_limits(run, rules("http_ratelimit"), self.counters)
        if run.stop is None:
            firewall.managed(run, rules("http_request_firewall_managed"))
        if run.stop is None:
            firewall.bots(run, self.zone)
        if run.stop is None:
            redirects.bulk(run, rules("http_request_redirect"), self.zone)
        if run.stop is None:
            changes.request_headers(run, rules("http_request_late_transform"))

    def cache(self, run: Run) -> Answer:
        rules = self.rules("http_request_cache_settings")
        run.cache = caching.decide(run, rules, self.zone)
        for phase in _NOT_SIMULATED:
            for rule, _ in run.matches(self.rules(phase)):
                run.end(Stop(rule.name, rule.rule.action, phase=phase, because="not simulated"), UNKNOWN)
        custom_key = any("cache_key" in rule.parameters for rule in rules)
        return self.store.look_up(run, run.cache, custom_key)

    def response_phases(self, run: Run) -> None:
        responses.custom_errors(run, self.rules("http_custom_errors"))
        responses.hsts(run, self.zone)
        responses.transform(run, self.rules("http_response_headers_transform"))
        cached: Cached | None = run.cache
        if run.stop is None and cached is not None and cached.status and not run.maybe:
            run.headers["cf-cache-status"] = [cached.status]


def _hosts(zone: Zone) -> dict[str, bool]:
    """Name -> proxied, for records that answer with an address."""
    hosts: dict[str, bool] = {}
    for record in zone.records:
        if record.type.upper() in _ADDRESS_TYPES:
            name = record.name.lower().rstrip(".")
            if zone.name and name == "@":
                name = zone.name.lower()
            elif zone.name and not (name == zone.name.lower() or name.endswith("." + zone.name.lower())):
                name = f"{name}.{zone.name.lower()}"
            hosts[name] = hosts.get(name, False) or record.proxied
    return hosts


def _outcome(run: Run) -> Outcome:
    verdict = STOPPED if run.stop else (UNDECIDED if run.maybe else ALLOWED)
    return Outcome(
        verdict,
        run.stop,
        run.maybe,
        run.status,
        run.headers,
        run.headers_complete,
        None if run.stop else run.cache,
        run.origin_changes,
        run.steps,
    )
