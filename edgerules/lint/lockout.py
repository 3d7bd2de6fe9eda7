"""Send what must pass through the zone, and report the rule that stops it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address

from edgerules.cases.requests import build
from edgerules.lint.context import Context
from edgerules.lint.finding import ERROR, WARNING, Finding
from edgerules.simulator import STOPPED, Edge, Outcome, Request
from edgerules.zone import InputError

_DOCS = "waf/custom-rules/skip/"
_LETS_ENCRYPT = "Mozilla/5.0 (compatible; Let's Encrypt validation server; +https://www.letsencrypt.org)"
_GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
_MOST_HOSTS = 20


@dataclass(frozen=True)
class Visitor:
    name: str
    request: Request
    severity: str
    line: int | None


def check(context: Context) -> Iterator[Finding]:
    visitors = []
    for index, entry in enumerate(context.zone.must_pass):
        line = context.line("must_pass", index)
        try:
            visitors.append(Visitor(entry.name, build(entry.request, _host(context)), ERROR, line))
        except ValueError as error:
            yield Finding("must-pass", ERROR, f"{entry.name}: {error}", line=line)
    try:
        edge = Edge(context.zone, context.document)
    except InputError:
        return  # the expressions' own check reports what does not compile
    for visitor in [*visitors, *_everywhere(context)]:
        edge.reset()
        outcome = edge.send(replace(visitor.request, managed_pass=True, bots_pass=True))
        yield from _judge(context, visitor, outcome)


def _host(context: Context) -> dict[str, str]:
    return {"host": context.zone.name} if context.zone.name else {}


def _everywhere(context: Context) -> Iterator[Visitor]:
    """Who comes to every zone: the certificate authority and the search engines."""
    records = context.zone.records
    hosts = [record.name for record in records if record.proxied and "*" not in record.name]
    for host in list(dict.fromkeys(hosts))[:_MOST_HOSTS] or [context.zone.name or "example.com"]:
        person = {"cf.client.bot": False, "cf.threat_score": 0}
        challenge = Request(
            host=host,
            scheme="http",
            path="/.well-known/acme-challenge/token",
            headers={"user-agent": (_LETS_ENCRYPT,), "accept": ("*/*",)},
            fields=person,
        )
        yield Visitor(f"the ACME challenge of {host}", challenge, WARNING, None)
        search = Request(
            host=host,
            headers={"user-agent": (_GOOGLEBOT,), "accept": ("text/html",)},
            ip=ip_address("66.249.66.1"),
            country="US",
            fields={"cf.client.bot": True, "ip.src.asnum": 15169, "cf.threat_score": 0},
        )
        yield Visitor(f"the search engine at {host}", search, WARNING, None)


def _judge(context: Context, visitor: Visitor, outcome: Outcome) -> Iterator[Finding]:
    if outcome.verdict == STOPPED and outcome.stop is not None:
        if outcome.stop.action == "redirect" and visitor.severity == WARNING:
            return  # both follow redirects
        yield _finding(context, visitor, "lock-out", f"{visitor.name} is {outcome.summary()}", outcome.stop.rule)
    elif outcome.maybe and visitor.severity == ERROR:
        stop = outcome.maybe[0]
        message = f"{visitor.name} may be stopped by {stop.rule}: {stop.because}"
        yield Finding("perhaps-lock-out", WARNING, message, stop.rule, stop.phase, line=visitor.line, reference=_DOCS)


def _finding(context: Context, visitor: Visitor, code: str, message: str, rule: str) -> Finding:
    for entry in context.entries:
        if entry.name == rule:
            return entry.finding(code, visitor.severity, message, _DOCS)
    return Finding(code, visitor.severity, message, rule, line=visitor.line)
