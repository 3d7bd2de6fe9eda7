"""`./infra health`: what the server's own check says, and what the product looks like from outside."""

from __future__ import annotations

import json
import shlex
import ssl
import sys
from collections.abc import Iterator
from typing import Any

import click

from components.health.onhost.finding import Finding, broken, fine, unknown, warning
from components.health.onhost.main import as_text
from components.health.onhost.web import Answer, SilentError, Through, get
from components.values import HttpFrom
from neurmatic.settings import NeurmaticSettings
from ops.errors import OperatorError
from ops.server import NoConnectionError, Server, settings_of
from ops.target import Target, target_options

SECONDS = 60
NOT_FOUND = 127
HTTPS = 443


@click.command()
@target_options
@click.option("--verbose", is_flag=True, help="What is in order as well.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def health(target: Target, verbose: bool, as_json: bool) -> None:
    """Whether the product works: on the server, and from here. Nothing is touched.

    Ends with 0 when it does, with 1 when it does not or nobody could look.
    """
    settings = neurmatic_settings(target, "health")
    report = with_outside(on_the_server(settings), list(from_outside(settings, target.rehearsal is not None)))
    click.echo(json.dumps(report, indent=2) if as_json else as_text(report, verbose))
    sys.exit(0 if report["healthy"] else 1)


def neurmatic_settings(target: Target, verb: str) -> NeurmaticSettings:
    settings = settings_of(target)
    if not isinstance(settings, NeurmaticSettings):
        raise OperatorError(f"{target.system} has no containers on a server of its own: {verb} is for neurmatic.")
    return settings


def script(settings: NeurmaticSettings, name: str) -> str:
    return f"sudo -n {shlex.quote(f'{settings.host.root}/infrastructure/scripts/{name}')}"


def on_the_server(settings: NeurmaticSettings) -> dict[str, Any]:
    server = Server(settings.host)
    try:
        done = server.run(f"{script(settings, 'health-check.sh')} --json", "", SECONDS)
    except NoConnectionError as error:
        raise OperatorError(f"{error} (`./infra preflight` says more.)") from None
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        said = done.stderr.strip().splitlines()[-1:] or [f"it ended with {done.returncode}"]
        if done.returncode in (1, NOT_FOUND) and "not found" in said[0]:
            raise OperatorError(f"{server.place} has no health check yet: `./infra up` brings it.") from None
        raise OperatorError(f"The health check of {server.place} gave no report: {said[0]}") from None
    return report


def with_outside(report: dict[str, Any], outside: list[Finding]) -> dict[str, Any]:
    healthy = report["healthy"] and not any(each.vital for each in outside)
    return {**report, "healthy": healthy, "findings": [*report["findings"], *(each.data() for each in outside)]}


def from_outside(settings: NeurmaticSettings, rehearsal: bool) -> Iterator[Finding]:
    host, path = settings.site.api, settings.containers.health_path
    yield origin(settings, host, path)
    if rehearsal:
        yield unknown("edge", "a rehearsal has none")
    else:
        yield edge(host, path)


def origin(settings: NeurmaticSettings, host: str, path: str) -> Finding:
    """Past the edge, to the server's own address: what its firewall and nginx say to a stranger."""
    name, address = "origin", settings.host.address
    only_edge = settings.host.http_from is HttpFrom.CLOUDFLARE
    try:
        # Its certificate may be one that Cloudflare alone trusts, and the check on the server looks at it.
        answer = get(Through(address, HTTPS, host, ssl._create_unverified_context()), path)  # noqa: S323
    except SilentError as error:
        if only_edge:
            return fine(name, f"{address} is closed to everybody but Cloudflare")
        return warning(name, f"{address} port {HTTPS} {error}")
    if only_edge:
        return warning(
            name, f"{address} answers from here ({answer.status}): its firewall should let Cloudflare in alone"
        )
    if settings.edge.origin_pulls and answer.status == 400:
        return fine(name, f"{address} asks for Cloudflare's certificate")
    return answered(name, f"https://{host}{path} at {address}", answer)


def edge(host: str, path: str) -> Finding:
    """As a visitor asks."""
    name = "edge"
    try:
        answer = get(Through(host, HTTPS, host, ssl.create_default_context()), path)
    except SilentError as error:
        return warning(name, f"https://{host}{path} {error}")
    return answered(name, f"https://{host}{path} through Cloudflare", answer)


def answered(name: str, what: str, answer: Answer) -> Finding:
    text = f"{what} answered {answer.status} in {answer.seconds * 1000:.0f} ms"
    return fine(name, text) if answer.status == 200 else broken(name, text)
