"""Custom rules, in the order in which they are asked: first who must never be stopped, then who must be."""

from __future__ import annotations

from collections.abc import Iterator

from components.edge.config import EdgeSettings, PlatformEdge
from components.edge.rules.sql_injection import sql_injection
from components.edge.rules.words import PATH, Rule, any_of, at_or_below, one_of, quote, rule, starts
from components.site import SiteSettings
from components.values import CloudflarePlan

SCANNERS = (
    *("acunetix", "dirbuster", "fimap", "gobuster", "havij", "masscan", "nessus", "netsparker", "nikto", "nmap"),
    *("nuclei", "openvas", "sqlmap", "wfuzz", "wpscan", "zgrab"),
)
"""What attack tools call themselves unless told otherwise. It stops the lazy ones, and their noise."""
LENGTH = 'http.request.headers["content-length"][0]'


def zone_rules(settings: EdgeSettings, site: SiteSettings) -> list[Rule]:
    """Rules for every name of the zone."""
    return [*_passes(settings, site), *_blocks(settings)]


def _passes(settings: EdgeSettings, site: SiteSettings) -> Iterator[Rule]:
    # Certificate authorities ask from several countries, unannounced, and look like bots.
    challenge = f"{starts(site.acme_path, PATH)} and {one_of('http.request.method', ('GET', 'HEAD'))}"
    phases = ["http_ratelimit", "http_request_firewall_managed"]
    bots = [] if settings.plan is CloudflarePlan.FREE else ["http_request_sbfm"]
    parameters = {"ruleset": "current", "phases": phases + bots}
    yield rule("acme-pass", "Certificate authorities always pass", challenge, "skip", action_parameters=parameters)
    if bots:
        # Monitors are bots too: deploys, uptime checks and Cloudflare's own health checks ask here.
        health = f"http.host eq {quote(site.api)} and {any_of([at_or_below(settings.health.path)])}"
        yield rule(
            "health-pass",
            "Health checks are no bots to fight",
            health,
            "skip",
            action_parameters={"phases": bots},
        )


def _blocks(settings: EdgeSettings) -> Iterator[Rule]:
    if settings.waf.sql_injection:
        yield sql_injection()
    agents = any_of(f"lower(http.user_agent) contains {quote(name)}" for name in SCANNERS)
    yield rule("bad-bots", "Attack tools that give their name", agents, "block")
    if settings.waf.blocked_countries:
        countries = one_of("ip.src.country", settings.waf.blocked_countries)
        # Search engines crawl from everywhere; Cloudflare verifies that they are what they say.
        expression = f"{countries} and not cf.client.bot"
        yield rule("countries", "Countries that are refused", expression, "block")


def host_rules(settings: EdgeSettings, site: SiteSettings) -> list[Rule]:
    """Rules for the names of one site."""
    return [*_admin(site), _methods(site), *_body(settings, site)]


def _admin(site: SiteSettings) -> Iterator[Rule]:
    if not site.admin.paths:
        return
    paths = any_of(at_or_below(path) for path in site.admin.paths)
    known = f" and not ip.src in {{{' '.join(site.admin.addresses)}}}" if site.admin.addresses else ""
    expression = f"{one_of('http.host', site.names)} and {paths}{known}"
    yield rule("admin-paths", "Admin paths answer to known addresses only", expression, "block")


def _methods(site: SiteSettings) -> Rule:
    methods = dict.fromkeys((*site.cors.methods, "GET", "HEAD", "POST", "OPTIONS"))
    expression = f"{one_of('http.host', site.names)} and not {one_of('http.request.method', methods)}"
    return rule("methods", "Methods that the site does not use", expression, "block")


def _body(settings: EdgeSettings, site: SiteSettings) -> Iterator[Rule]:
    """Every plan can read what a request says of its length; only Enterprise sees a body that says nothing."""
    if not isinstance(settings, PlatformEdge):
        return
    most = str(settings.body_limit * 1024)
    # Lengths are text here: of two numbers with the same number of digits the greater one sorts later.
    longer = f"len({LENGTH}) gt {len(most)} or (len({LENGTH}) eq {len(most)} and {LENGTH} gt {quote(most)})"
    if settings.plan is CloudflarePlan.ENTERPRISE:
        longer = f"http.request.body.size gt {most} or {longer}"
    expression = f"http.host eq {quote(site.api)} and ({longer})"
    yield rule("body-size", f"Bodies above {settings.body_limit} KB", expression, "block")
