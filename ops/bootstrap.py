"""`./infra bootstrap`: the first time. Run again, it finds everything in place and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import yaml

from ops import hostkey
from ops.errors import OperatorError
from ops.escrow.keep import settings_of
from ops.session import Session, open_session, say
from ops.statestore import ensure_bucket, ensure_key
from ops.target import Target, target_options


@click.command()
@target_options
@click.option("--yes", is_flag=True, help="Make the bucket and the key without asking. A host key is always asked for.")
def bootstrap(target: Target, yes: bool) -> None:
    """First time: the bucket for state, the key for secrets, the stack, and the server's host key pinned."""
    if target.rehearsal:
        raise OperatorError("A rehearsal needs no bootstrap: `./infra preview --rehearsal` makes what it needs.")
    stack_file = target.stack_file()
    stack = yaml.safe_load(stack_file.read_text())
    backend = yaml.safe_load((target.source / "Pulumi.yaml").read_text()).get("backend", {}).get("url", "")
    provider = stack.get("secretsprovider", "")
    ask(f"State goes to {backend}, secrets are encrypted by {provider}. Make what is missing?", yes)
    report("state", ensure_bucket(backend))
    report("secrets", ensure_key(provider))
    session = open_session(target)
    make_stack_in(session, provider)
    named = len(settings_of(session).recipients)
    say(f"escrow: {named} keys open it" if named else "escrow: no key yet; `./infra escrow key FILE` makes one")
    pin_host_key(stack_file, stack["config"].get(f"{target.system}:host"))
    say(
        f"Next: ./infra check {stack_file.name}, then ./infra adopt --stack {target.stack} if its buckets exist already"
    )


def ask(question: str, yes: bool = False) -> None:
    if not yes and not click.confirm(question):
        raise OperatorError("Nothing was changed.")


def report(what: str, lines: Iterable[str]) -> None:
    done = list(lines)
    say(f"{what}: {'; '.join(done) if done else 'in place'}")


def make_stack_in(session: Session, provider: str) -> None:
    target = session.target
    known = yaml.safe_load(session.ask_project("stack", "ls", "--json")) or []
    if any(each["name"].split("/")[-1] == target.stack for each in known):
        say("stack: in place")
        return
    session.ask_project("stack", "init", target.stack, "--secrets-provider", provider)
    say(f"stack: made {target.stack}")


def pin_host_key(stack_file: Path, host: Any) -> None:
    if not host:
        return
    found = hostkey.scan(host["address"], host.get("ssh", {}).get("port", 22))
    known = hostkey.pinned(stack_file)
    if known == found:
        say("host key: pinned, and the server has it")
        return
    if known is not None:
        raise OperatorError(
            f"{host['address']} shows the host key {hostkey.fingerprint(found)}, but {hostkey.fingerprint(known)} is "
            f"pinned in {stack_file.name}. If the server was reinstalled, compare with its console and edit that line."
        )
    say(f"{host['address']} shows the host key {hostkey.fingerprint(found)}")
    ask("Compare it with the provider's console. Is it the same?")
    hostkey.pin(stack_file, found)
    say(f"host key: pinned in {stack_file.name}")
