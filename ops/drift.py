"""`./infra drift`: what somebody changed by hand, on the server and at Cloudflare. Nothing is touched.

The converge script looks, in its check mode; pulumi-command cannot. `./infra up` gives the fingerprint of
what was found to the converge, which then runs although no setting has changed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence

import click

from components.host.config import HostSettings
from components.host.items import Item
from components.host.remote import check_command
from components.host.report import CHANGED, COMPARED, EXTRA, FAILED, Line, Report, ReportError, parse
from ops.edge.drift import as_text as zone_as_text
from ops.edge.drift import edge_drift
from ops.errors import OperatorError
from ops.server import NoConnectionError, Server, settings_of
from ops.systems import server_items
from ops.target import Target, target_options

SECONDS = 120
DRIFT = 2
HEADINGS = {
    CHANGED: "Differs, and `./infra up` puts it right:",
    EXTRA: "Added by somebody:",
    FAILED: "Cannot be put right without you:",
    COMPARED: "Differs, and cannot be changed in a container:",
}
LONGEST_DIFF = 40


@click.command()
@target_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def drift(target: Target, as_json: bool) -> None:
    """What somebody changed on the server by hand, as a diff for each thing. Nothing is touched.

    With CLOUDFLARE_API_TOKEN set, the zone's records and rulesets are compared as well.

    Ends with 0 when everything is as `./infra up` left it, 2 when something is not, 1 when nobody could look.
    """
    settings = settings_of(target)
    host = getattr(settings, "host", None)
    if not isinstance(host, HostSettings):
        raise OperatorError(f"{target.system} has no server of its own: drift is for neurmatic.")
    report = look(host, server_items(settings))
    zone = edge_drift(settings)
    if as_json:
        click.echo(as_data(host, report, zone))
    else:
        click.echo("\n".join(filter(None, (as_text(host, report), zone_as_text(settings, zone)))))
    sys.exit(DRIFT if report.drift or zone else 0)


def look(host: HostSettings, more: Sequence[Item] = ()) -> Report:
    """The server's own report, from one round trip."""
    command, stdin = check_command(host, more)
    try:
        done = Server(host).run(command, stdin, SECONDS)
    except NoConnectionError as error:
        raise OperatorError(f"{error} (`./infra preflight` says more.)") from None
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise OperatorError(f"{host.address} could not be looked at: {said[0]} (`./infra preflight` says more.)")
    try:
        return parse(done.stdout)
    except ReportError as error:
        raise OperatorError(f"{host.address}: {error}") from None


def as_text(host: HostSettings, report: Report) -> str:
    parts = [_section(heading, report.of(state)) for state, heading in HEADINGS.items() if report.of(state)]
    count = len(report.drift)
    if not count:
        return "\n".join([*parts, f"{host.address}: no drift in {len(report.lines)} items ({report.seconds:g} s)."])
    things = "1 item" if count == 1 else f"{count} items"
    last = f"{host.address}: drift in {things} of {len(report.lines)} ({report.seconds:g} s), fingerprint"
    return "\n".join([*parts, f"{last} {report.fingerprint}."])


def _section(heading: str, lines: Iterable[Line]) -> str:
    return "\n".join([heading, *(part for line in lines for part in _item(line)), ""])


def _item(line: Line) -> list[str]:
    rows = line.diff.splitlines()
    shown = rows[:LONGEST_DIFF]
    more = [f"... and {len(rows) - len(shown)} lines more (--json has them)"] if len(rows) > len(shown) else []
    return [f"  {line.item}: {line.reason}", *(f"      {row}".rstrip() for row in [*shown, *more])]


def as_data(host: HostSettings, report: Report, zone: list[str] | None = None) -> str:
    differ = [each for state in HEADINGS for each in report.of(state)]
    items = [
        {
            "item": each.item,
            "state": each.state,
            "reason": each.reason,
            "diff": each.diff,
            "drift": each in report.drift,
        }
        for each in differ
    ]
    whole = {"host": host.address, "drift": bool(report.drift or zone), "fingerprint": report.fingerprint, "edge": zone}
    return json.dumps({**whole, "looked_at": len(report.lines), "seconds": report.seconds, "items": items}, indent=2)
