"""`./infra review`: what a change would do, rehearsed on top of what it is based on, as one report."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
import yaml

from ops import engine
from ops.emulated import set_up
from ops.errors import OperatorError
from ops.review.edge import review_edge
from ops.review.markdown import markdown
from ops.review.rehearsal import HEAD, PACKAGES, Tree, checked_out, remove, review_stack
from ops.review.report import Review, StackReview, write
from ops.session import say
from ops.target import PROJECTS, ROOT

SHOWN = 5


@click.command()
@click.option(
    "--base", default="origin/main", show_default=True, help="What the change is based on: branch, tag, commit."
)
@click.option("--system", "systems", multiple=True, type=click.Choice(list(PROJECTS)), help="Only this system.")
@click.option("--stack", "stacks", multiple=True, help="Only stacks of this name; by default all that are committed.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the report here as Markdown.")
@click.option("--json", "data", type=click.Path(dir_okay=False, path_type=Path), help="And here as data.")
def review(base: str, systems: Sequence[str], stacks: Sequence[str], output: Path | None, data: Path | None) -> None:
    """What this checkout would change, on top of BASE, on the embedded clouds.

    The base is rehearsed first and this checkout previewed on top of it, policy-checked. Exits 1 if a policy stops
    it, if a preview fails, or if a committed edge case is not kept. No account, no credential, no Docker.
    """
    set_up()
    try:
        found = make(base, systems or list(PROJECTS), stacks)
    finally:
        remove()
    text = markdown(found)
    if data:
        data.write_text(write(found), encoding="utf-8")
    if output:
        output.write_text(text, encoding="utf-8")
    else:
        print(text)
    sys.exit(1 if found.stopped else 0)


def make(base: str, systems: Sequence[str], stacks: Sequence[str]) -> Review:
    commit = _base_of(base)
    engine.ensure(say)
    with checked_out(commit) as tree, ThreadPoolExecutor(len(systems)) as pool:
        chosen = {system: _stacks(system, stacks) for system in systems}
        edges = [pool.submit(review_edge, tree, system) for system in systems]
        runs = [pool.submit(_review_system, tree, system, names) for system, names in chosen.items()]
        return Review(
            commit[:12],
            _head(),
            [stack for run in runs for stack in run.result()],
            [edge.result() for edge in edges],
            _notes(tree, commit, chosen),
        )


def _review_system(base: Tree, system: str, stacks: Sequence[str]) -> list[StackReview]:
    """One stack after the other: two engines at a time are enough for a machine of two cores."""
    return [review_stack(base, system, stack) for stack in stacks]


def _stacks(system: str, wanted: Sequence[str]) -> list[str]:
    known = sorted(file.name.split(".")[1] for file in PROJECTS[system].glob("Pulumi.*.yaml"))
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise OperatorError(f"{system} has no stack {unknown[0]!r}: there is {', '.join(known)}.")
    return [stack for stack in known if not wanted or stack in wanted]


def _base_of(ref: str) -> str:
    """The commit that this checkout and `ref` have in common, so that what happened to `ref` since is not shown."""
    if ref.startswith("-"):
        raise OperatorError(f"{ref!r} is no branch, tag or commit.")
    commit = _git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    if not commit:
        raise OperatorError(f"There is no {ref!r} in this clone: fetch it first, or name a branch, tag or commit.")
    return _git("merge-base", commit, "HEAD") or commit


def _head() -> str:
    commit = _git("rev-parse", "--short=12", "HEAD")
    return f"{commit} with uncommitted changes" if _git("status", "--porcelain") else commit


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _notes(base: Tree, commit: str, stacks: Mapping[str, Sequence[str]]) -> list[str]:
    """What this run takes for granted, and what the change decides about its own judges."""
    notes = []
    judges = [*_changed_files(commit, "policy"), *_changed_settings(base, stacks)]
    if judges:
        more = f" and {len(judges) - SHOWN} more" if len(judges) > SHOWN else ""
        notes.append(f"This change alters what it is judged by: {', '.join(judges[:SHOWN])}{more}.")
    pins = [name for file in PACKAGES for name in _other_pins(base.root / file, HEAD.root / file)]
    if pins:
        notes.append(f"The base was rehearsed with this change's packages, which differ in {', '.join(pins)}.")
    return notes


def _changed_files(commit: str, folder: str) -> list[str]:
    return _git("diff", "--name-only", commit, "--", folder).splitlines()


def _changed_settings(base: Tree, stacks: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Stack files whose exceptions or levels of policies are not those of the base."""
    for system, names in stacks.items():
        for stack in names:
            old, new = (_policy_settings(tree.stack_file(system, stack)) for tree in (base, HEAD))
            if old != new:
                yield f"the policy settings of {system} {stack}"


def _policy_settings(file: Path) -> dict[str, Any]:
    config = (yaml.safe_load(file.read_text()) or {}).get("config") or {} if file.is_file() else {}
    return {key: value for key, value in config.items() if str(key).startswith("policy:")}


def _other_pins(before: Path, after: Path) -> list[str]:
    old, new = (set(_pins(file)) for file in (before, after))
    return sorted({pin.partition("==")[0] for pin in old ^ new})


def _pins(file: Path) -> list[str]:
    return re.findall(r"^[\w.-]+==[^\s;\\]+", file.read_text(), re.MULTILINE) if file.is_file() else []
