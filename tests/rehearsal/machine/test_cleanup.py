"""`down --all` finds everything by label and folder. It works on labels of this test's own: the cache is shared."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.docker import docker
from rehearsal.images import throwaway
from rehearsal.machine import cleanup, container, image, store
from rehearsal.neighbours import namespace

pytestmark = [pytest.mark.rehearsal, pytest.mark.alone]

NAME = "neurmatic-rehearsal-cleanup/debian-12"
# Of a process that began at the first tick of the machine: it cannot be alive under this number.
ORPHAN = "rh-4194304-1-ghost-1"


@pytest.fixture
def litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What several crashes may have left: containers, images built upon each other, a build, folders, a namespace."""
    throwaway.sweep()
    namespace.sweep()
    monkeypatch.setattr(container, "CHECKOUT_LABEL", "neurmatic.rehearsal.checkout=cleanup-test")
    for label in ("IMAGE_LABEL", "STAND_IN_LABEL", "BUILDER_LABEL"):
        monkeypatch.setattr(image, label, f"neurmatic.rehearsal.cleanup-test.{label.lower()}")
    monkeypatch.setattr(image, "LOCKS", tmp_path / "locks")
    monkeypatch.setattr(store, "MACHINES", tmp_path / "machines")
    monkeypatch.setattr("rehearsal.docker.STATE", tmp_path / "docker")

    docker("import", "--change", f"LABEL {image.IMAGE_LABEL}=x", "-", f"{NAME}:base", stdin=_empty_archive())
    machine = docker(*_create("test-all", f"{NAME}:base"))
    docker("commit", machine, f"{NAME}:base-more")
    build = docker("create", "--label", f"{image.BUILDER_LABEL}=debian-12", f"{NAME}:base-more", "none")
    store.make_keys("test-ghost")
    namespace.ip("netns", "add", ORPHAN)
    yield
    if ORPHAN in namespace.existing():
        namespace.remove(ORPHAN)
    for one in (machine, build):
        if one in docker("ps", "--all", "--quiet", "--no-trunc"):
            docker("rm", "--force", "--volumes", one)
    for name in (f"{NAME}:base-more", f"{NAME}:base"):
        if docker("image", "ls", "--quiet", name):
            docker("image", "rm", "--force", name)


def _create(name: str, of: str) -> list[str]:
    labels = ["--label", container.CHECKOUT_LABEL, "--label", f"{container.MACHINE_LABEL}={name}"]
    return ["create", *labels, "--volume", "/data", of, "none"]


def _empty_archive() -> bytes:
    archive = io.BytesIO()
    tarfile.open(fileobj=archive, mode="w").close()
    return archive.getvalue()


def test_everything_goes_and_is_named(litter: None) -> None:
    others = {*docker("ps", "--all", "--quiet", "--no-trunc").split()} - {*container.find()}
    others -= {*docker("ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={image.BUILDER_LABEL}").split()}
    layers = {docker("image", "inspect", "--format", "{{.Id}}", f"{NAME}:{tag}") for tag in ("base", "base-more")}
    mounts = container.inspect(container.find("test-all")[0])["Mounts"]

    assert any(line.startswith("test-ghost  left over by a crash") for line in cleanup.status())
    assert {*cleanup.remove_everything()} == {
        "Machine 'test-all' is gone.",
        "Machine 'test-ghost' is gone.",
        f"Image {NAME}:base-more is gone.",
        f"Image {NAME}:base is gone.",
        f"Namespace {ORPHAN} of a run that has ended is gone.",
    }

    assert container.find() == cleanup.all_names() == image.cached_images() == []
    assert docker("ps", "--all", "--quiet", "--filter", f"label={image.BUILDER_LABEL}") == ""
    assert not layers & {*docker("image", "ls", "--all", "--quiet", "--no-trunc").split()}
    assert str(mounts[0]["Name"]) not in docker("volume", "ls", "--quiet").split()
    assert others <= {*docker("ps", "--all", "--quiet", "--no-trunc").split()}, "what is not ours must stay"
    assert cleanup.remove_everything() == ["There was nothing to remove."]
