"""The workflows: sound, safe with strangers' code, and nothing that a person could not run."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click.testing
import pytest
import yaml
from linters import MissingError, actionlint

from ops.__main__ import VERBS, infra

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
BIN = Path(sys.executable).parent

each_workflow = pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in words], cwd=ROOT, capture_output=True, text=True, check=False)


def document(file: Path) -> dict[str, Any]:
    # YAML 1.1 takes `on` for true.
    loaded = yaml.safe_load(file.read_text())
    return {("on" if key is True else key): value for key, value in loaded.items()}


def steps(file: Path) -> Iterator[dict[str, Any]]:
    for job in document(file)["jobs"].values():
        yield from job["steps"]


@pytest.fixture(scope="session")
def linter() -> Path:
    try:
        return actionlint()
    except MissingError as missing:
        pytest.skip(str(missing))


def test_actionlint_finds_nothing(linter: Path) -> None:
    done = run(linter, "-shellcheck", BIN / "shellcheck", *WORKFLOWS)
    assert (done.returncode, done.stdout) == (0, "")


def test_actionlint_would_find_something(linter: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text((FOLDER / "ci.yml").read_text().replace("runs-on:", "run-on:"))
    assert run(linter, broken).returncode != 0


def test_zizmor_finds_nothing() -> None:
    """At its strictest. What is excused stands in the workflow, with the reason beside it."""
    done = run(BIN / "zizmor", "--offline", "--quiet", "--persona", "pedantic", FOLDER)
    assert done.returncode == 0, done.stdout
    excused = re.findall(r"zizmor: ignore\[([\w-]+)\](.*)", "".join(file.read_text() for file in WORKFLOWS))
    assert [rule for rule, _ in excused] == ["dangerous-triggers"]
    assert all(len(reason) > 20 for _, reason in excused)


def test_zizmor_would_find_something(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    shutil.copytree(FOLDER, folder)
    file = folder / "pull-request.yml"
    file.write_text(file.read_text().replace("on:\n  pull_request:", "on:\n  pull_request_target:"))
    assert run(BIN / "zizmor", "--offline", "--quiet", folder).returncode != 0


@each_workflow
def test_every_action_is_pinned_and_says_its_version(file: Path) -> None:
    for line in re.findall(r"uses: (.*)", file.read_text()):
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


@each_workflow
def test_rights_time_and_number_of_runs_are_bounded(file: Path) -> None:
    workflow = document(file)
    assert workflow["permissions"] == {}
    assert workflow["concurrency"]
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 60
        assert job["permissions"]


def test_what_runs_a_strangers_code_can_write_nothing_and_knows_no_secret() -> None:
    for file in (each for each in WORKFLOWS if "pull_request" in document(each)["on"]):
        rights = [job["permissions"] for job in document(file)["jobs"].values()]
        assert rights == [{"contents": "read"}]
        assert "secrets." not in file.read_text()
        checkouts = [step for step in steps(file) if step.get("uses", "").startswith("actions/checkout@")]
        assert [step["with"]["persist-credentials"] for step in checkouts] == [False]


def test_what_may_write_runs_nothing_of_a_stranger() -> None:
    file = FOLDER / "pull-request-report.yml"
    (checkout,) = (step for step in steps(file) if step.get("uses", "").startswith("actions/checkout@"))
    assert checkout["with"]["ref"] == "${{ github.event.repository.default_branch }}"
    (script,) = (step["run"] for step in steps(file) if "run" in step)
    assert script == 'python3 -m ops.review.comment "$RUNNER_TEMP/review/review.json"'
    (download,) = (step for step in steps(file) if "download-artifact" in step.get("uses", ""))
    assert download["with"]["run-id"] == "${{ github.event.workflow_run.id }}"
    assert download["with"]["path"].startswith("${{ runner.temp }}/"), "not among the files that are run"
    assert document(file)["on"]["workflow_run"]["workflows"] == [document(FOLDER / "pull-request.yml")["name"]]


def test_no_step_puts_foreign_text_into_a_script() -> None:
    scripts = [step["run"] for file in WORKFLOWS for step in steps(file) if "run" in step]
    assert scripts
    assert [script for script in scripts if "${{" in script] == []


def test_the_steps_are_the_verbs_that_people_use() -> None:
    """Each `./infra` line is one that the command takes, with the options it has."""
    lines = [shlex.split(step["run"]) for file in WORKFLOWS for step in steps(file) if "./infra" in step.get("run", "")]
    assert [words[1] for words in lines] == ["review"]
    for words in lines:
        assert words[1] in VERBS
        shown = click.testing.CliRunner().invoke(infra, [words[1], "--help"])
        assert shown.exit_code == 0
        assert [word for word in words if word.startswith("--") and word not in shown.output] == []


def test_ci_runs_the_readmes_command() -> None:
    assert [step["run"] for step in steps(FOLDER / "ci.yml") if "run" in step] == [".ci/run"]
