"""`python -m edgerules`: check expressions, lint, test, explain and compare zones. No Cloudflare account."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn

import click

from edgerules.tables.phases import PHASES
from edgerules.tables.plans import Plan

if TYPE_CHECKING:
    from edgerules.simulator import Edge

# Each command imports what it needs itself, so that `check` starts in a fraction of the time.
# ruff: noqa: PLC0415

_FILE = click.Path(dir_okay=False)


def _sentences(command: Callable[..., int]) -> Callable[..., NoReturn]:
    """Bad files end with one sentence for each mistake and the exit status 2."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> NoReturn:
        from edgerules.zone import InputError

        try:
            status = command(*args, **options)
        except InputError as error:
            click.echo(str(error), err=True)
            status = 2
        sys.exit(status)

    return run


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Cloudflare rules, checked and tried out before they are deployed."""


@main.command()
@click.option("--plan", type=click.Choice([plan.value for plan in Plan]), help="What this plan lacks is an error.")
@click.option("--phase", type=click.Choice(PHASES), metavar="PHASE", help="What this phase lacks is an error.")
def check(plan: str | None, phase: str | None) -> None:
    """Read expressions, one a line, from standard input; answer `ok` or the error for each."""
    from edgerules import check as checker

    lines = sys.stdin.buffer.read().decode("utf-8", "replace").splitlines()
    sys.exit(checker.run(lines, Plan(plan) if plan else None, phase, sys.stdout))


@main.command()
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Findings as a JSON list.")
@click.option("--strict", is_flag=True, help="Warnings fail as well.")
@_sentences
def lint(file: str, as_json: bool, strict: bool) -> int:
    """Find what is wrong in a zone FILE; exits 1 if there are errors."""
    from edgerules import lint as linter
    from edgerules.zone import load

    zone, document = load(file)
    findings = linter.lint(zone, document)
    if as_json:
        click.echo(json.dumps([finding.as_data() for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(finding.text(file))
        click.echo(f"{sum(map(len, zone.rules.values()))} rules, {len(findings)} findings.", err=True)
    failing = {linter.ERROR, linter.WARNING} if strict else {linter.ERROR}
    return int(any(finding.severity in failing for finding in findings))


@main.command()
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--zone", "zone_file", type=_FILE, help="Test this zone instead of the one the cases name.")
@click.option("--mutate", is_flag=True, help="Also break every rule a little, and see whether a case notices.")
@click.option("--least", type=click.IntRange(0, 100), default=0, help="Fail below this mutation score (percent).")
@_sentences
def test(files: tuple[str, ...], zone_file: str | None, mutate: bool, least: int) -> int:
    """Run the cases in FILES; exits 1 if one fails."""
    from edgerules.cases import load_cases, run_file, tally
    from edgerules.zone import load

    zone = load(zone_file)[0] if zone_file else None
    loaded = [load_cases(file, zone) for file in files]
    results = [result for file in loaded for result in run_file(file)]
    for failure in (text for result in results for text in result.failures):
        click.echo(failure)
    click.echo(tally(results))
    failed = not all(result.passed for result in results)
    if mutate and not failed:
        failed = not _mutate(loaded, least)
    return int(failed)


def _mutate(files: list[Any], least: int) -> bool:
    """Print the mutation score of each zone with all of its cases; True when each is high enough."""
    from edgerules.cases.mutants import score

    zones: list[tuple[Any, list[Any]]] = []
    for file in files:
        cases = next((cases for zone, cases in zones if zone == file.zone), None)
        if cases is None:
            zones.append((file.zone, list(file.cases)))
        else:
            cases.extend(file.cases)
    enough = True
    for zone, cases in zones:
        result = score(zone, cases)
        for mutant in result.survivors:
            click.echo(f"not noticed: {mutant.rule}: {mutant.change}")
            telling = mutant.witness(zone)
            if telling:
                click.echo(f"  a case for it: {telling}")
        click.echo(result.summary())
        enough &= result.killed * 100 >= least * result.total
    return enough


@main.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--zone", "zone_file", type=_FILE, required=True, help="The zone.")
@click.argument("request_words", metavar="REQUEST", nargs=-1, required=True, type=click.UNPROCESSED)
@_sentences
def explain(zone_file: str, request_words: tuple[str, ...]) -> int:
    """Tell the way of one request through a zone.

    REQUEST is like curl's: [METHOD] URL [-H 'Name: value'] [-d BODY] [--ip ADDRESS] [--country CODE]
    [--asn NUMBER] [--tls 1.2] [--http 2] [--colo NAME] [--field NAME=VALUE] [--status ORIGIN_STATUS]
    [--managed pass] [--bots pass]
    """
    from edgerules.cases.requests import build, from_line, from_words
    from edgerules.explain import explain as tell
    from edgerules.zone import InputError

    edge = _edge(zone_file)
    try:
        own = from_line(request_words[0]) if len(request_words) == 1 else from_words(list(request_words))
        host = {"host": edge.zone.name} if edge.zone.name else {}
        request = build(own, host)
    except ValueError as error:
        raise InputError(f"the request: {str(error).rstrip('.')}.") from None
    click.echo(tell(edge, request))
    return 0


@main.command()
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@click.option("--corpus", type=_FILE, required=True, help="Requests: one a line, a YAML list, or a file of cases.")
@click.option("--json", "as_json", is_flag=True, help="The changes as JSON.")
@click.option(
    "--assume-pass",
    type=click.Choice(["managed", "bots"]),
    multiple=True,
    help="Take for granted that managed rules, or bot detection, let the requests through.",
)
@click.option("--exit-code", is_flag=True, help="Exit 1 if a request changes its verdict.")
@_sentences
def diff(old: str, new: str, corpus: str, assume_pass: tuple[str, ...], **options: bool) -> int:
    """List which requests of a corpus change their verdict from zone OLD to zone NEW, and by which rules."""
    from edgerules.diff import diff as compare
    from edgerules.diff import read_corpus

    before, after = _edge(old), _edge(new)
    assumed = {"assume": dict.fromkeys(assume_pass, "pass")}
    report = compare(before, after, read_corpus(corpus, after.zone, assumed))
    if options["as_json"]:
        data = {"changes": [change.as_data() for change in report.changes], "total": report.total}
        click.echo(json.dumps({**data, "unknown": report.unknown}, indent=2))
    else:
        for change in report.changes:
            click.echo(change.text())
        click.echo(report.summary())
    return int(options["exit_code"] and bool(report.changes))


def _edge(file: str) -> Edge:
    from edgerules.simulator import Edge
    from edgerules.zone import load

    return Edge(*load(file))


if __name__ == "__main__":
    main(prog_name="python -m edgerules")
