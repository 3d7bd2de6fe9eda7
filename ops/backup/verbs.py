"""`./infra backup`, `./infra restore` and `./infra database`."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click

from ops.backup.onserver import Scripts, scripts_of
from ops.errors import OperatorError
from ops.repairs import urns
from ops.session import open_session
from ops.target import Target, target_options

LENT = ("identity", "passphrase", "address")
OWNER = "neuropilot:neon_owner_url"
ROLES = "database-roles"
# s3://BUCKET/KEY, or a remote of rclone.
ELSEWHERE = re.compile(r"s3://|[A-Za-z0-9_-]+:[^/]")


@click.command()
@target_options
@click.option("--list", "listed", is_flag=True, help="What there is, on the server and in the bucket.")
@click.option("--skip-upload", is_flag=True, help="A try: nothing is uploaded, and it counts for nothing.")
def backup(target: Target, listed: bool, skip_upload: bool) -> None:
    """Dump the database now: restored on trial, uploaded and read back before it counts."""
    given = [name for name, is_given in (("--list", listed), ("--skip-upload", skip_upload)) if is_given]
    sys.exit(scripts_of(target).run("backup", given))


@click.command()
@target_options
@click.argument("wanted", metavar="[BACKUP]", default="latest")
@click.option("--into", metavar="DATABASE", help="Beside the live database, under this name.")
@click.option(
    "--identity",
    type=click.Path(path_type=Path),
    help="Private key of encrypted backups (age, gpg); it is on the server while the restore runs.",
)
@click.option(
    "--passphrase", type=click.Path(path_type=Path), help="File with the passphrase of that key (gpg), lent as it is."
)
@click.option(
    "--address",
    type=click.Path(path_type=Path),
    help="File with the postgresql:// address of another database's owner, lent as well (neuropilot).",
)
@click.option("--check", is_flag=True, help="Only look whether the backup is whole and restores.")
@click.option("--wait", is_flag=True, help="Stay until an archived backup has been fetched back.")
@click.option("--without-safety", is_flag=True, help="Go on when the live database cannot be dumped any more.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(target: Target, wanted: str, into: str | None, **others: Any) -> None:
    """Make a backup the live database, or put it beside it.

    BACKUP is `latest` (default), a name of `./infra backup --list`, s3://BUCKET/KEY, or a file of this machine.
    With --address it becomes the database of that address, such as neuropilot_staging.
    The old database is kept, and whatever fails before the last step leaves it in place.
    """
    scripts = scripts_of(target)
    files = {name: others.pop(name) for name in LENT}
    with ExitStack() as stack:
        if files["address"] is None and target.system == "neuropilot" and not others["check"]:
            files["address"] = stack.enter_context(owner_address(target))
        arguments = [_on_server(scripts, wanted, stack)]
        arguments += ["--into", into] if into else []
        for name, path in files.items():
            arguments += [f"--{name}", stack.enter_context(scripts.lent(path, "/run", name))] if path else []
        arguments += [f"--{name.replace('_', '-')}" for name, given in others.items() if given]
        code = scripts.run("restore", arguments)
    sys.exit(code)


@click.command()
@target_options
@click.option("--look", is_flag=True, help="By the catalog alone: nothing is tried, and no owner is needed.")
@click.option("--repair", is_flag=True, help="Roles, passwords and grants are made again first, as `up` made them.")
@click.option("--yes", is_flag=True, help="Do not ask before the repair.")
def database(target: Target, look: bool, repair: bool, yes: bool) -> None:
    """Whether row level security holds and the audit log only grows; tried as each role, and rolled back.

    Run it after each migration of the application. Ends with 1, and a sentence for each finding.
    """
    if target.system != "neuropilot":
        raise OperatorError(f"{target.system} has no roles of that kind: this verb is for neuropilot.")
    scripts = scripts_of(target)
    if repair and (status := made_again(target, yes)):
        sys.exit(status)
    with ExitStack() as stack:
        arguments = ["check"]
        if not look:
            address = stack.enter_context(owner_address(target))
            arguments += ["--address", stack.enter_context(scripts.lent(address, "/run", "address"))]
        code = scripts.run("database", arguments)
    sys.exit(code)


def made_again(target: Target, yes: bool) -> int:
    """The engine does not see what somebody has changed in the database by hand, so it is told."""
    session = open_session(target)
    made = list(urns(session, {ROLES}))
    if not made:
        raise OperatorError("The roles have not been made yet: `./infra up` does it.")
    which = [word for urn in made for word in ("--target", urn, "--replace", urn)]
    return session.pulumi("up", *which, *(["--yes", "--skip-preview"] if yes else []))


@contextmanager
def owner_address(target: Target) -> Iterator[Path]:
    """Out of the stack's secrets, in a file of the operator alone: no server keeps it."""
    text = open_session(target).ask("config", "get", OWNER).strip()
    if not text:
        raise OperatorError(f"The secret {OWNER} is not set: `./infra check` says how.")
    with tempfile.NamedTemporaryFile("w", prefix="infra-") as file:
        file.write(f"{text}\n")
        file.flush()
        yield Path(file.name)


def _on_server(scripts: Scripts, wanted: str, stack: ExitStack) -> str:
    """A file of this machine is sent; everything else is a name that the server knows."""
    path = Path(wanted)
    if path.is_file():
        return stack.enter_context(scripts.lent(path, f"{scripts.root}/backups", path.name))
    if "/" in wanted and not ELSEWHERE.match(wanted):
        raise OperatorError(f"There is no file {wanted} here. `./infra backup --list` names what the server has.")
    return wanted
