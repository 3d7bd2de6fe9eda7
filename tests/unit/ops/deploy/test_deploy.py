"""What `deploy` and `scale` say before they do anything, and what they refuse."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from components.containers.config import ContainersSettings
from ops.deploy import deploy, scale
from ops.errors import OperatorError

OLD = {"version": "1.4.2", "backend": "ghcr.io/o/b@sha256:1", "frontend": "ghcr.io/o/f@sha256:9"}
NEW = {"version": "1.4.3", "backend": "sha256:2", "frontend": "sha256:9"}
LABEL = "neurmatic.migration.irreversible"


def containers(**backend: Any) -> ContainersSettings:
    return ContainersSettings.model_validate({"postgres": {"database": "d", "user": "u"}, "backend": backend})


def place(environment: str = "production", can_back_up: bool = True, memory: int = 32768, **backend: Any) -> Any:
    host = SimpleNamespace(address="vps.example", capacity=SimpleNamespace(memory=memory))
    settings = SimpleNamespace(
        containers=containers(**backend), environment=SimpleNamespace(value=environment), host=host
    )
    target = SimpleNamespace(stack=environment)
    return SimpleNamespace(target=target, settings=settings, host=SimpleNamespace(can_back_up=lambda: can_back_up))


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ({LABEL: "true"}, "THERE IS NO WAY BACK: after these migrations 1.4.2 does not work any more."),
        ({LABEL: "false"}, "1.4.2 works with the result, so `./infra rollback` stays possible."),
        ({}, f"The image has no label {LABEL}"),
    ],
    ids=["irreversible", "reversible", "unlabelled"],
)
def test_the_plan_says_what_changes_and_whether_there_is_a_way_back(labels: dict[str, str], sentence: str) -> None:
    text = "\n".join(deploy.plan(place(), OLD, NEW, labels))
    assert text.startswith("production runs 1.4.2; wanted is 1.4.3.")
    assert "neurm-backend@sha256:2\n" in text
    assert "neurm-frontend@sha256:9 (as it is)" in text
    assert sentence in text


def test_a_first_release_has_nothing_before_it() -> None:
    text = "\n".join(deploy.plan(place(), {}, NEW, {LABEL: "true"}))
    assert text.startswith("production runs no release yet; wanted is 1.4.3.")


def test_production_is_not_deployed_without_a_backup(capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy.must_back_up(place(), without=False)
    with pytest.raises(
        OperatorError, match=r"no neurmatic-backup-before-deploy.service on vps.example.*--without-backup"
    ):
        deploy.must_back_up(place(can_back_up=False), without=False)
    assert not deploy.must_back_up(place("staging", can_back_up=False), without=False)
    assert "deploying without a backup" in capsys.readouterr().err
    assert not deploy.must_back_up(place(can_back_up=False), without=True)
    assert "WITHOUT A BACKUP" in capsys.readouterr().err


def test_the_sums_are_shown_and_what_rolls_is_said() -> None:
    here = place()
    now, more = here.settings.containers, scale.resized(here.settings.containers, 3)
    text = "\n".join(scale.arithmetic(here, now, more))
    assert "2 -> 3 backends" in text
    assert "12GB backends (2 x 3 x 2GB)" in text
    assert "2 x 3 x 30 + 20 reserved = 200 of 200" in text
    assert "changes from 45 to 30, so all of them roll" in text


def test_a_fixed_pool_leaves_those_that_run_alone() -> None:
    here = place(pool=20)
    text = "\n".join(scale.arithmetic(here, here.settings.containers, scale.resized(here.settings.containers, 4)))
    assert "The pool of each stays 20: those that run are left alone." in text


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(OperatorError, match=r"^8 backends do not fit: .*but the host has 16GB"):
        scale.refuse(place(memory=16384), scale.resized(containers(), 8))
    with pytest.raises(OperatorError, match=r"^4 backends do not fit: .*max_connections"):
        scale.refuse(place(), scale.resized(containers(pool=45), 4))
    with pytest.raises(OperatorError, match="at least 2 backends"):
        scale.refuse(place(), scale.resized(containers(), 1))
