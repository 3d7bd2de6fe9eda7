"""What somebody changes about the product's containers is found, and what needs no other container is put right.

The drifts are made from the services themselves: every argument that a container is made with gets another value.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import docker as engine_client
import pytest
from container_changes import OF_THE_PLUGIN, SERVICES, another, arguments_of, camel

from components.containers.drift import SCRIPT, facts
from components.containers.onhost import drift
from components.containers.services import Service
from rehearsal.docker import docker
from rehearsal.images import ensure_image
from rehearsal.offline.plugins.container_json import description

pytestmark = pytest.mark.rehearsal
NETWORK = "x-drift-network"


@dataclass
class Ground:
    """A folder that stands for the server's, and containers of this test alone."""

    folder: Path
    image: str

    def made(self, arguments: dict[str, Any], name: str = "x-drift-one") -> dict[str, Any]:
        """A container as the plugin makes it, and what the record says of it."""
        docker("rm", "--force", "--volumes", name)
        for mount in arguments["mounts"]:
            Path(mount["source"]).mkdir(parents=True, exist_ok=True)
        given = {"image": self.image, **camel(arguments)}
        client: Any = engine_client.APIClient()
        identity = client.create_container_from_config(description(given), name)["Id"]
        client.disconnect_container_from_network(identity, "bridge")
        docker("network", "connect", "--alias", "one", NETWORK, identity)
        wanted = {**facts(arguments, NETWORK), "image": self.image, "labels": {}}
        return {"id": identity, "name": name, "service": "one", "resource": "stack-one", "wanted": wanted}

    def document(self, *made: dict[str, Any]) -> dict[str, Any]:
        nginx = self.folder / "nginx"
        files = {"nginx.conf": "events {}\n"}
        name = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:16]
        shutil.rmtree(nginx, ignore_errors=True)
        (nginx / "generations" / name).mkdir(parents=True)
        (nginx / "generations" / name / "nginx.conf").write_text(files["nginx.conf"])
        (nginx / "current").symlink_to(f"generations/{name}")
        secret = self.folder / "secret"
        secret.unlink(missing_ok=True)
        secret.write_text("known")
        secret.chmod(0o400)
        known = hashlib.sha256(b"known").hexdigest()
        return {
            "containers": list(made),
            "files": [{"path": str(secret), "sha256": known, "uid": 0, "resource": "stack-secret"}],
            "nginx": {"folder": str(nginx), "resources": ["stack-configuration"]},
            "network": NETWORK,
            "prefix": "x-drift-",
        }

    def script(self, verb: str, *more: str, stdin: str = "") -> list[str]:
        command = [sys.executable, "-I", str(self.folder / "scripts" / "drift"), verb, *more]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("drift")
    (folder / "scripts").mkdir()
    shutil.copy(SCRIPT, folder / "scripts" / "drift")
    image = docker("image", "inspect", "--format", "{{.Id}}", ensure_image("redis").tag)
    clean_up()  # a run that was killed may have left something under the same names
    docker("network", "create", NETWORK)
    docker("network", "create", f"{NETWORK}-2")
    yield Ground(folder, image)
    clean_up()


def clean_up() -> None:
    for identity in docker("ps", "--all", "--quiet", "--filter", "name=x-drift-").split():
        docker("rm", "--force", "--volumes", identity)
    for identity in docker("network", "ls", "--quiet", "--filter", f"name=^{NETWORK}").split():
        docker("network", "rm", identity)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_argument_is_compared_with_what_the_engine_has(ground: Ground, service: Service) -> None:
    arguments = arguments_of(service, ground.folder)
    made = ground.made(arguments)
    raw = drift.containers()[made["id"]]
    assert [field for field, _, _ in drift.compared(made, raw)] == ["state"]  # it was never started

    changed = {name: another(name, value) for name, value in arguments.items()}
    other = ground.made(changed)
    found = {field.split()[0] for field, _, _ in drift.compared(made, drift.containers()[other["id"]])}
    before, after = facts(arguments, NETWORK), facts(changed, NETWORK)
    assert found == {"state", *(name for name in before if before[name] != after[name])}


def test_one_that_removes_itself_meanwhile_is_in_nobodys_way(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    made, ask = ground.made(running(ground)), drift.run
    gone = f"{'f' * 64}\n"
    monkeypatch.setattr(drift, "run", lambda *words, **more: ask(*words, **more) + (gone if words[1] == "ps" else ""))
    there = drift.containers()
    assert made["id"] in there
    assert gone.strip() not in there


def test_what_needs_no_other_container_is_put_right(ground: Ground) -> None:
    made = ground.made(running(ground))
    docker("start", made["id"])
    ground.script("record", stdin=json.dumps(ground.document(made)))
    assert ground.script("show") == []

    docker("update", "--memory", "80m", "--memory-swap", "90m", "--cpus", "0.3", "--restart", "always", made["id"])
    docker("network", "connect", f"{NETWORK}-2", made["id"])
    docker("network", "disconnect", NETWORK, made["id"])
    docker("run", "--detach", "--name", "x-drift-stranger", "--network", NETWORK, ground.image, "sleep", "600")
    docker("pause", made["id"])
    (ground.folder / "secret").chmod(0o644)
    shown = "\n".join(ground.script("show"))
    expected = ("cpus", "memory is", "memory_swap", "restart", f"networks {NETWORK} is", f"networks {NETWORK}-2")
    assert all(f"x-drift-one: {each}" in shown for each in expected), shown
    assert "x-drift-one: state is paused instead of running" in shown
    assert f"x-drift-stranger: is in {NETWORK}, and no setting names it" in shown
    assert "is 0644 of 0 instead of 0400 of 0" in shown
    assert "anew" not in shown

    ground.script("repair")
    assert ground.script("show") == [
        "x-drift-stranger: is called like a container of the product, and no setting names it"
    ]
    docker("rm", "--force", "--volumes", "x-drift-stranger")
    docker("stop", "--time", "1", made["id"])
    assert "state is exited instead of running" in "\n".join(ground.script("show"))
    ground.script("repair")
    assert ground.script("show") == []


def test_a_restart_by_hand_is_seen_once(ground: Ground) -> None:
    made = ground.made(running(ground))
    docker("start", made["id"])
    ground.script("record", stdin=json.dumps(ground.document(made)))
    time.sleep(1.1)
    docker("restart", "--time", "1", made["id"])
    assert "was started again by hand, at" in "\n".join(ground.script("show"))
    ground.script("repair")
    assert ground.script("show") == []


def test_what_only_an_up_can_put_right_names_who_has_to(ground: Ground) -> None:
    made = ground.made(running(ground))
    docker("start", made["id"])
    document = ground.document(made)
    ground.script("record", stdin=json.dumps(document))
    (ground.folder / "secret").write_text("other")
    (ground.folder / "nginx" / "current" / "nginx.conf").write_text("events { }\n")
    ground.made({**running(ground), "envs": ["A=2"]})  # under the same name, as by hand
    docker("start", "x-drift-one")
    shown = ground.script("show")
    assert [line.partition("(")[2] for line in shown] == [
        "`up` makes it anew: stack-one)",
        "`up` writes it again: stack-secret)",
        "`up` writes it again: stack-configuration)",
    ]
    assert "x-drift-one: is another container than `up` made" in shown[0]

    ground.script("repair")  # nobody has allowed to stop it
    assert docker("inspect", "--format", "{{.State.Running}}", "x-drift-one") == "true"
    ground.script("repair", "one")
    names = docker("ps", "--all", "--format", "{{.Names}} {{.State}}", "--filter", "name=x-drift-one").splitlines()
    assert len(names) == 1
    assert names[0].startswith("set-aside-")
    assert names[0].endswith("exited")
    assert ground.script("show")[0].startswith("x-drift-one: is gone")


def test_before_the_first_up_there_is_nothing_to_compare(ground: Ground) -> None:
    (ground.folder / "containers.json").unlink(missing_ok=True)
    assert ground.script("show") == []
    assert ground.script("repair") == []


# As the first process of a container nothing ends by a signal that it does not wait for.
SLEEPER = ("sh", "-c", "trap 'exit 0' TERM INT QUIT; sleep 600 & wait")


def running(ground: Ground) -> dict[str, Any]:
    """A service that lives without anything else, fenced in as all are."""
    service = replace(SERVICES[-1], command=SLEEPER, folders={}, ports=(), memory=64, cpus=0.5)
    arguments = arguments_of(service, ground.folder)
    return {**arguments, "user": "0:0", "envs": ["A=1"], "cgroup_parent": "", "mounts": []}


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_no_argument_is_left_out_of_the_comparison(service: Service) -> None:
    arguments = arguments_of(service, Path("/folder"))
    before = facts(arguments, NETWORK)
    compared = {
        name for name in arguments if facts({**arguments, name: another(name, arguments[name])}, NETWORK) != before
    }
    # Of the bridge as such nothing is left: a container is in the product's network instead.
    same = {name for name, value in arguments.items() if another(name, value) == value}
    assert compared == set(arguments) - OF_THE_PLUGIN - {"network_mode"} - same
