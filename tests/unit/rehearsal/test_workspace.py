"""What a rehearsal takes from the checkout and from the caller, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.host.config import HostSettings
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


HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINP3qRupHam+aEUX0YqmWYpOEM/V5+Hg9VOEzGNJnEIi"
USER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPxp0+FLNjVcqP6cImz4Yh4QmegTmTQUcMr8fD5im0Gd rehearsal x"
SERVER = stackfile.Server("172.17.0.9", "debian", HOST_KEY, USER_KEY, cpus=1)


@pytest.mark.parametrize(("project", "file"), STACK_FILES, ids=lambda each: getattr(each, "name", each))
def test_every_difference_that_a_machine_makes(project: str, file: Path) -> None:
    without = yaml.safe_load(stackfile.rehearse(file.read_text(), project))["config"]
    on_machine = yaml.safe_load(stackfile.rehearse(file.read_text(), project, SERVER))["config"]
    if f"{project}:host" not in without:
        assert on_machine == without
        return
    assert differences(without, on_machine) == {
        f"{project}:host.address": "172.17.0.9",
        f"{project}:host.capacity.cpus": 1,
        f"{project}:host.ssh.host_key": HOST_KEY,
        f"{project}:host.ssh.user": "debian",
        f"{project}:host.ssh.port": 22,
        f"{project}:host.deploy.keys": [USER_KEY],
        f"{project}:containers.postgres.cpus": 1,
        f"{project}:containers.backend.cpus": 1,
    }
    HostSettings.model_validate(on_machine[f"{project}:host"])


def differences(old: Any, new: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(new, dict):
        return {} if old == new else {path: new}
    found: dict[str, Any] = {}
    for key in (old or {}).keys() | new.keys():
        found |= differences((old or {}).get(key), new.get(key), f"{path}.{key}".lstrip("."))
    return found


def test_a_machine_with_cpus_enough_leaves_the_containers_as_they_are() -> None:
    config = {"neurmatic:containers": {"postgres": {"cpus": 3}}}
    assert list(stackfile.too_large(config["neurmatic:containers"], cpus=4)) == []
    assert list(stackfile.too_large(config["neurmatic:containers"], cpus=2.5)) == ["postgres"]


def test_settings_of_one_rehearsal_are_laid_over_the_rest() -> None:
    text = "config:\n  neurmatic:containers:\n    postgres: {user: ada, cpus: 2}\n"
    over = {"neurmatic:containers": {"postgres": {"cpus": 1}}, "neurmatic:release": {"version": "1.0.0"}}
    config = yaml.safe_load(stackfile.rehearse(text, "neurmatic", settings=over))["config"]
    assert config["neurmatic:containers"] == {"postgres": {"user": "ada", "cpus": 1}}
    assert config["neurmatic:release"] == {"version": "1.0.0"}


def test_secrets_of_the_real_stack_stay_where_they_are() -> None:
    text = (
        "encryptedkey: abc\nconfig:\n  neurmatic:sendgrid_api_key:\n    secure: v1:xyz\n  neurmatic:data: protected\n"
    )
    assert yaml.safe_load(stackfile.rehearse(text, "neurmatic")) == {"config": {"neurmatic:data": "disposable"}}


def test_secrets_within_a_section_stay_there_too() -> None:
    text = (
        "config:\n  neurmatic:containers:\n    registry:\n      user: ada\n      token:\n        secure: v1:xyz\n"
        "    several:\n      - secure: v1:abc\n      - plain\n"
    )
    rehearsed = stackfile.rehearse(text, "neurmatic")
    assert "secure" not in rehearsed
    containers = {"registry": {"user": "ada"}, "several": ["plain"]}
    assert yaml.safe_load(rehearsed)["config"]["neurmatic:containers"] == containers


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
