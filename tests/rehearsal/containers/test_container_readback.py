"""What a container was made with is what is read back from the engine, whatever the settings say: no preview shows a
change for ever. The reading is the stand-in's, which agrees with the recordings of the real plugin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker as engine_client
import pytest
from container_changes import AROUND, RELEASE, SERVICES, SETTINGS, camel

from components.containers.application import backend, frontend, load_balancer
from components.containers.config import ContainersSettings
from components.containers.docker import container_arguments
from components.containers.services import postgres, redis
from ops.changes import settings_with, variants
from rehearsal.docker import docker
from rehearsal.images import ensure_image
from rehearsal.offline.plugins.behaviour import NESTED_DEFAULTS, RULES
from rehearsal.offline.plugins.container_json import description, found_there
from rehearsal.offline.plugins.diff import compare

pytestmark = pytest.mark.rehearsal
NAME = "x-readback"
# Of one that was never started, the engine says no ports, and that it does not run.
OF_RUNNING_ONES = ("ports", "mustRun")


def all_changed() -> ContainersSettings:
    """As many settings as go together have another value; a machine of one CPU takes it."""
    pairs: list[Any] = []
    for key, value in variants():
        fits = 1.0 if key.endswith("cpus") else "640MB" if key.endswith(".memory") else value
        if settings_with(*pairs, key, fits) is not None:
            pairs += [key, fits]
    found = settings_with(*pairs)
    assert found is not None
    assert len(pairs) > 2 * 80
    return found


def arguments(settings: ContainersSettings) -> dict[str, dict[str, Any]]:
    made = (
        postgres(settings.postgres, "/data"),
        redis(settings.redis, "/data"),
        backend(settings, settings.release or RELEASE, 1, AROUND),
        frontend(settings, settings.release or RELEASE),
        load_balancer(settings, "/nginx", ipv6=True),
    )
    return {each.name: container_arguments(each, settings, "/secrets") for each in made}


@pytest.fixture(scope="module")
def image(engine: str) -> Iterator[str]:
    yield docker("image", "inspect", "--format", "{{.Id}}", ensure_image("redis").tag)
    docker("rm", "--force", "--volumes", NAME)


@pytest.mark.parametrize("which", ["as committed", "all changed"])
@pytest.mark.parametrize("name", [service.name for service in SERVICES])
def test_what_is_read_back_is_what_was_given(image: str, tmp_path: Path, name: str, which: str) -> None:
    settings = SETTINGS if which == "as committed" else all_changed()
    given = {**camel(arguments(settings)[name]), "image": image, "cpus": "1.0"}
    given["healthcheck"] = {**NESTED_DEFAULTS["ContainerHealthcheckArgs"], **given["healthcheck"]}
    for mount in given["mounts"]:
        mount["source"] = f"{tmp_path}{mount['source']}"
        Path(mount["source"]).mkdir(parents=True)
    client: Any = engine_client.APIClient()
    docker("rm", "--force", "--volumes", NAME)
    identity = client.create_container_from_config(description(given), NAME)["Id"]

    seen = found_there(client.inspect_container(identity), given)
    there = {key: seen.get(key, value) for key, value in given.items() if key not in OF_RUNNING_ONES}
    wanted = {key: value for key, value in given.items() if key not in OF_RUNNING_ONES}
    found = compare(there, wanted, RULES["docker:index/container:Container"], [])
    assert found.paths == {}
