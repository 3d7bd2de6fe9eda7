"""One stack as it is, made real on the embedded clouds, and then as it would be, previewed on top of that.

Both run in one rehearsal (`rehearsal.workspace`): only the folder that holds the program changes in between. Engine,
plugins, policies and installed packages are those of this checkout for both.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from ops import engine
from ops.errors import OperatorError
from ops.review.events import Preview, parse, understand
from ops.review.report import StackReview
from ops.session import say, with_policies
from ops.systems import secrets_of
from ops.target import PROJECTS, ROOT
from rehearsal.clouds.servers import stop
from rehearsal.workspace import WORKSPACES, RehearsalError, Workspace

PACKAGES = ("requirements.txt",)
SECRETS_OF = "import json, sys; from ops.systems import secrets_of; print(json.dumps(secrets_of(sys.argv[1])))"
# Judges everything and stops nothing, to find all that is wrong at once.
SARIF = "policies.sarif"
PREFIX = f"review-{os.getpid()}"
ADVISORY = json.dumps({"all": "advisory"})


@dataclass(frozen=True)
class Tree:
    """A version of the project on disk."""

    root: Path

    def project(self, system: str) -> Path:
        return self.root / PROJECTS[system].relative_to(ROOT)

    def stack_file(self, system: str, stack: str) -> Path:
        return self.project(system) / f"Pulumi.{stack}.yaml"

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """Its own modules before those of this checkout, which are installed."""
        return {**given, "PYTHONPATH": str(self.root)}

    def secrets(self, system: str) -> list[str]:
        """The secrets that this version asks for."""
        command = [sys.executable, "-c", SECRETS_OF, system]
        found = subprocess.run(
            command, cwd=self.root, env=self.environment(os.environ), capture_output=True, text=True, check=False
        )
        return list(json.loads(found.stdout)) if found.returncode == 0 else secrets_of(system)


HEAD = Tree(ROOT)


@contextmanager
def checked_out(commit: str) -> Iterator[Tree]:
    """The files of a commit, without a worktree that a killed run would leave registered."""
    with tempfile.TemporaryDirectory(prefix="review-") as folder:
        archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
        unpacked = subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, capture_output=True, check=False)
        if archive.returncode or unpacked.returncode:
            why = (archive.stderr or unpacked.stderr).decode(errors="replace").strip()
            raise OperatorError(f"Cannot read {commit[:12]}: {why}")
        yield Tree(Path(folder))


def review_stack(base: Tree, system: str, stack: str) -> StackReview:
    """Rehearses the base and previews this checkout on top of it."""
    said, problem = _rehearse_base(base, system, stack)
    preview, incomplete = _preview(_Run(HEAD, system, stack))
    unjudged = ([problem] if problem else []) + preview.unjudged
    news = [text for text in dict.fromkeys(preview.says) if text not in said]
    return StackReview(
        system,
        stack,
        changes=preview.changes,
        unchanged=preview.unchanged,
        violations=preview.violations,
        errors=preview.errors,
        says=news if not problem else [],
        unjudged=unjudged,
        incomplete=incomplete,
    )


def name_of(system: str, stack: str) -> str:
    """A rehearsal, and so clouds and a server, for each stack: names may be the same in two of them."""
    return f"{PREFIX}-{system}-{stack}"


def remove() -> None:
    """Nothing of a review remains but its report."""
    for folder in WORKSPACES.glob(f"{PREFIX}-*"):
        stop(folder / "clouds")
        shutil.rmtree(folder, ignore_errors=True)


def _rehearse_base(base: Tree, system: str, stack: str) -> tuple[set[str], str]:
    if not base.stack_file(system, stack).is_file():
        return set(), f"The base has no stack {stack}: everything is shown as new."
    try:
        found = _Run(base, system, stack).pulumi("up", "--yes", "--skip-preview")
    except (RehearsalError, OperatorError) as error:
        return set(), f"The base could not be rehearsed, so changes are shown on top of less: {error}"
    if found.errors:
        return set(), f"The base could not be rehearsed, so changes are shown on top of less: {found.errors[0]}"
    return set(found.says), ""


def _preview(run: _Run) -> tuple[Preview, bool]:
    """A violation ends a preview at once. A second one, which nothing ends, tells all that is wrong and all changes."""
    preview = run.pulumi("preview", policies=True)
    if not any(violation.stops for violation in preview.violations):
        return preview, bool(preview.errors)
    whole = run.pulumi("preview", policies=True, advisory=True)
    stopping = run.stopping() | {(each.rule, each.resource) for each in preview.violations if each.stops}
    whole.violations = [replace(each, stops=(each.rule, each.resource) in stopping) for each in whole.violations]
    found = {(each.rule, each.resource) for each in whole.violations}
    # A value may be unknown at one time and known at another; nothing that was found is dropped.
    whole.violations += [each for each in preview.violations if (each.rule, each.resource) not in found]
    return whole, bool(whole.errors)


@dataclass(frozen=True)
class _Run:
    """The engine on one version of a stack."""

    tree: Tree
    system: str
    stack: str

    def pulumi(self, *arguments: str, policies: bool = False, advisory: bool = False) -> Preview:
        workspace, environment = self._ready()
        environment["PULUMI_ENABLE_STREAMING_JSON_PREVIEW"] = "true"
        if policies:
            environment = with_policies(environment)
        if advisory:
            environment |= self._advisory(workspace)
        command = ["pulumi", "--non-interactive", *arguments, "--json", "--stack", self.stack]
        done = subprocess.run(
            command, cwd=workspace.project, env=environment, capture_output=True, text=True, check=False
        )
        preview = understand(parse(done.stdout.splitlines()))
        stopped = any(violation.stops for violation in preview.violations)
        if done.returncode and not preview.errors and not stopped:
            preview.errors.append(done.stderr.strip()[-2_000:] or f"pulumi ended with {done.returncode}")
        if stopped:
            # What the engine says beside a violation repeats it.
            preview.errors = []
        return preview

    def _ready(self) -> tuple[Workspace, dict[str, str]]:
        workspace = Workspace(self.tree.project(self.system), name_of(self.system, self.stack))
        environment = self.tree.environment(workspace.environment(engine.environment(os.environ, engine.ensure(say))))
        workspace.prepare(self.stack, environment, self.tree.secrets(self.system))
        self._keep_data(workspace)
        return workspace, environment

    def _keep_data(self, workspace: Workspace) -> None:
        """Rehearsals may lose their data; a review has to say what production would lose."""
        file, key = workspace.project / f"Pulumi.{self.stack}.yaml", f"{workspace.project_name}:data"
        document = yaml.safe_load(file.read_text())
        committed = yaml.safe_load(self.tree.stack_file(self.system, self.stack).read_text()).get("config", {})
        document["config"].pop(key, None)
        if key in committed:
            document["config"][key] = committed[key]
        file.write_text(yaml.safe_dump(document, sort_keys=False))

    def _advisory(self, workspace: Workspace) -> dict[str, str]:
        file = workspace.folder / "advisory.json"
        file.write_text(ADVISORY)
        sarif = workspace.folder / SARIF
        sarif.unlink(missing_ok=True)
        return {"PULUMI_OPTION_POLICY_PACK_CONFIG": str(file), "POLICY_SARIF": str(sarif)}

    def stopping(self) -> set[tuple[str, str]]:
        """Rule and resource of what would stop this stack, by the pack's own report: the engine was told otherwise."""
        file = Workspace(self.tree.project(self.system), name_of(self.system, self.stack)).folder / SARIF
        results = json.loads(file.read_text())["runs"][0]["results"] if file.is_file() else []
        return {(each["ruleId"], _resource(each)) for each in results if each["level"] == "error"}


def _resource(result: dict[str, Any]) -> str:
    name: str = result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
    return name.rpartition("#")[0].rpartition("::")[2]
