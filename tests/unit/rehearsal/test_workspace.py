"""What a rehearsal takes from the checkout and from the caller, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ops.target import PROJECTS
from rehearsal import stackfile
from rehearsal.workspace import ROOT, Workspace

STACK_FILES = [(name, file) for name, folder in PROJECTS.items() for file in sorted(folder.glob("Pulumi.*.yaml"))]


@pytest.mark.parametrize(("project", "file"), STACK_FILES, ids=lambda each: getattr(each, "name", each))
def test_every_difference_between_the_committed_and_the_rehearsed_stack_file(project: str, file: Path) -> None:
    committed = yaml.safe_load(file.read_text())
    rehearsed = yaml.safe_load(stackfile.rehearse(file.read_text(), project))
    assert set(committed) - set(rehearsed) == {"secretsprovider"}
    changed = {key for key, value in rehearsed["config"].items() if committed["config"].get(key) != value}
    assert changed == {f"{project}:data"}
    assert set(committed["config"]) <= set(rehearsed["config"])


def test_secrets_of_the_real_stack_stay_where_they_are() -> None:
    text = (
        "encryptedkey: abc\nconfig:\n  neurmatic:sendgrid_api_key:\n    secure: v1:xyz\n  neurmatic:data: protected\n"
    )
    assert yaml.safe_load(stackfile.rehearse(text, "neurmatic")) == {"config": {"neurmatic:data": "disposable"}}


def test_stand_ins_are_recognisable_stable_and_different() -> None:
    one, other = stackfile.stand_in("a"), stackfile.stand_in("b")
    assert one == stackfile.stand_in("a") != other
    assert one.startswith("rehearsal-")


def test_only_harmless_variables_pass() -> None:
    caller = {
        "PATH": "/bin",
        "HOME": "/home/ada",
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_PROFILE": "production",
        "CLOUDFLARE_API_TOKEN": "x",
        "DOCKER_HOST": "ssh://production",
        "SSH_AUTH_SOCK": "/run/agent",
        "PULUMI_ACCESS_TOKEN": "x",
        "PULUMI_BACKEND_URL": "s3://production",
        "KUBECONFIG": "x",
    }
    passed = Workspace(ROOT, "x").environment(caller)
    assert passed["PULUMI_BACKEND_URL"].startswith("file://")
    secrets = {"AKIA", "production", "x", "ssh://production", "s3://production", "/run/agent"}
    assert not {key for key, value in passed.items() if value in secrets and key != "INFRA_REHEARSAL"}


def test_two_rehearsals_share_nothing() -> None:
    one, other = Workspace(ROOT, "one"), Workspace(ROOT, "other")
    for name in ("folder", "home", "backend", "project"):
        assert getattr(one, name) != getattr(other, name)
