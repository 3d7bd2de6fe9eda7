"""The releases that a provider delivers beside Debian 12: converged, converged again, changed by hand, repaired."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from drifts import of
from host_stage import IMAGE, HostStage

from components.host.desired import desired_state
from components.host.report import CHANGED, COMPARED, EXTRA, FAILED
from rehearsal.machine import Machine

pytestmark = pytest.mark.rehearsal


@pytest.fixture(scope="module", params=["ubuntu-22.04", "ubuntu-24.04"])
def stage(
    request: pytest.FixtureRequest, boot: Callable[..., Machine], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HostStage]:
    name = request.param.replace(".", "-")
    machine = boot(f"host-{name}", release=request.param, memory_mb=1536, packages=IMAGE)
    made = HostStage(machine, tmp_path_factory.mktemp("host"))
    yield made
    made.machine.down()


def test_it_is_converged_and_stays_so(stage: HostStage) -> None:
    first = stage.apply()
    assert not first.of(FAILED), first.of(FAILED)
    second = stage.apply()
    assert not second.of(CHANGED, FAILED, EXTRA), second.of(CHANGED, FAILED, EXTRA)
    assert "Server Version" in stage.machine.ssh("sudo -u deploy docker info").stdout
    assert "Cgroup Driver: systemd" in stage.machine.ssh("sudo docker info").stdout
    assert "Status: active" in stage.machine.ssh("sudo ufw status").stdout
    assert "permitrootlogin no" in stage.root("sshd -T")
    assert "Currently banned" in stage.root("fail2ban-client status sshd")


def test_changes_by_hand_are_found_and_repaired(stage: HostStage) -> None:
    compared = {line.item for line in stage.check().of(COMPARED)}
    kinds = ("file", "keys", "group", "unit", "user")
    items = [item for item in desired_state(stage.settings).items if item.kind in kinds and item.key not in compared]
    made = [drift for item in items for drift in of(item, stage.machine.user)[:1]]
    stage.root("\n".join(f"( {each.command} ) >/dev/null 2>&1" for each in made))
    found = {line.item for line in stage.check().drift}
    assert {each.key for each in made} <= found
    assert not stage.apply().of(FAILED)
    assert not stage.check().drift
