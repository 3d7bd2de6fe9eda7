"""Build an image once: its tag is a hash of everything that goes into it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rehearsal import TOOLCHAIN, RehearsalError
from rehearsal.docker import DockerError, docker, ensure_docker
from rehearsal.images import base, unused, upstream
from rehearsal.images.catalogue import Recipe, recipe_named

LABEL = "neurmatic.rehearsal.image"
BUILD_SECONDS = 900
IGNORED = {"__pycache__", ".mypy_cache", ".ruff_cache"}


@dataclass(frozen=True)
class Image:
    """An image that this engine holds, under a tag that changes with its content."""

    name: str
    tag: str
    official: bool
    """Pulled from its registry, not built here."""


def ensure_image(wanted: str | Recipe, source: upstream.Source | None = None) -> Image:
    """The image by that name on this engine: pulled where its registry answers, else built, once."""
    recipe = recipe_named(wanted) if isinstance(wanted, str) else wanted
    ensure_docker()
    source = source or upstream.source_from_environment()
    if recipe.official and _may_pull(recipe, source):
        pulled = upstream.pulled(recipe.official, source)
        if pulled:
            return Image(recipe.name, pulled, official=True)
    if recipe.parent is None:
        return Image(recipe.name, _base(), official=False)
    return _built(recipe, ensure_image(recipe.parent, source).tag)


def _base() -> str:
    tag = base.tag()
    unused.used(tag)
    if not present(tag):
        with _one_build_at_a_time():
            base.ensure_base()
    return tag


def _may_pull(recipe: Recipe, source: upstream.Source) -> bool:
    """Who wants built images, but may not make a base (in CI, without root), builds on the official base."""
    return source is not upstream.Source.BUILT or (recipe.parent is None and not base.can_build())


def _built(recipe: Recipe, parent: str) -> Image:
    with tempfile.TemporaryDirectory(prefix="rehearsal-image-") as scratch:
        context = Path(scratch)
        _assemble(recipe, context)
        tag = f"rehearsal/{recipe.name}:{_content_hash(recipe, parent, context)}"
        unused.used(tag)  # before it is looked for, so that no sweep takes it after that
        if not present(tag):
            with _one_build_at_a_time():
                if not present(tag):
                    _docker_build(recipe, parent, context, tag)
    return Image(recipe.name, tag, official=False)


def present(tag: str) -> bool:
    return bool(docker("image", "ls", "--quiet", tag))


def _assemble(recipe: Recipe, context: Path) -> None:
    """Everything the build may see, and nothing else."""
    ignore = shutil.ignore_patterns(*IGNORED)
    shutil.copytree(recipe.folder, context, dirs_exist_ok=True, ignore=ignore)
    for name, folder in (recipe.extra or {}).items():
        shutil.copytree(folder, context / name, ignore=ignore)
    environment = _baked_environment(recipe)
    if environment:
        with (context / "Dockerfile").open("a") as dockerfile:
            dockerfile.write(environment)


def _baked_environment(recipe: Recipe) -> str:
    """Arguments that the Dockerfile does not declare become the image's environment."""
    declared = (recipe.folder / "Dockerfile").read_text()
    lines = []
    for name, value in recipe.arguments:
        if any(character in value for character in '\n"\\$'):
            raise RehearsalError(f"{recipe.name}: the value of {name} holds a character that an image cannot carry.")
        if f"ARG {name}" not in declared:
            lines.append(f'ENV {name}="{value}"\n')
    return "".join(lines)


def _content_hash(recipe: Recipe, parent: str, context: Path) -> str:
    digest = hashlib.sha256(repr((parent, recipe.arguments)).encode())
    for path in sorted(context.rglob("*")):
        if path.is_file():
            executable = os.access(path, os.X_OK)
            digest.update(repr((str(path.relative_to(context)), executable)).encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _docker_build(recipe: Recipe, parent: str, context: Path, tag: str) -> None:
    declared = (recipe.folder / "Dockerfile").read_text()
    arguments = [("PARENT", parent), *(pair for pair in recipe.arguments if f"ARG {pair[0]}" in declared)]
    flags = [flag for name, value in arguments for flag in ("--build-arg", f"{name}={value}")]
    try:
        docker("build", "--tag", tag, "--label", f"{LABEL}={recipe.name}", *flags, str(context), timeout=BUILD_SECONDS)
    except DockerError as error:
        raise RehearsalError(f"The image '{recipe.name}' could not be built: {error}") from None


@contextmanager
def _one_build_at_a_time() -> Iterator[None]:
    """Test workers that want the same image must not build it twice."""
    TOOLCHAIN.mkdir(parents=True, exist_ok=True)
    with (TOOLCHAIN / "images.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
