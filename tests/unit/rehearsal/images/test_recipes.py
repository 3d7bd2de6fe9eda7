"""What goes into an image decides its tag; nothing else does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rehearsal import RehearsalError
from rehearsal.images import RECIPES, backend, build, frontend
from rehearsal.images.catalogue import HERE, Recipe, recipe_named
from rehearsal.images.upstream import Source

BUILT = [name for name in RECIPES if name != "base"]
SCRIPTS = [
    path
    for path in sorted((HERE / "recipes").rglob("*"))
    if path.is_file() and path.read_bytes().startswith((b"#!/bin/sh", b"#!/bin/bash"))
]


def hashed(recipe: Recipe, folder: Path, parent: str = "rehearsal/base:1") -> str:
    build._assemble(recipe, folder)
    return build._content_hash(recipe, parent, folder)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    build._assemble(RECIPES["redis"], tmp_path)
    return tmp_path


def test_the_same_content_has_the_same_tag(tmp_path: Path) -> None:
    assert hashed(RECIPES["redis"], tmp_path / "a") == hashed(RECIPES["redis"], tmp_path / "b")


def test_parent_version_and_faults_count(tmp_path: Path) -> None:
    recipes = [
        frontend("1.0.0"),
        frontend("1.0.1"),
        backend("1.0.0"),
        backend("1.0.1"),
        backend("1.0.0", {"FAULT_UNHEALTHY": "1"}),
    ]
    tags = {hashed(recipe, tmp_path / str(number)) for number, recipe in enumerate(recipes)}
    tags.add(hashed(recipes[0], tmp_path / "other", parent="rehearsal/base:2"))
    assert len(tags) == len(recipes) + 1


@pytest.mark.parametrize("change", ["content", "mode", "name", "new file"])
def test_every_change_of_the_context_counts(context: Path, change: str) -> None:
    before = build._content_hash(RECIPES["redis"], "p", context)
    script = context / "docker-entrypoint.sh"
    if change == "content":
        script.write_text(script.read_text() + "\n")
    elif change == "mode":
        script.chmod(0o644)
    elif change == "name":
        script.rename(context / "entrypoint.sh")
    else:
        (context / "more").touch()
    assert build._content_hash(RECIPES["redis"], "p", context) != before


def test_time_does_not_count(context: Path) -> None:
    before = build._content_hash(RECIPES["redis"], "p", context)
    os.utime(context / "Dockerfile", (0, 0))
    assert build._content_hash(RECIPES["redis"], "p", context) == before


def test_compiled_files_of_this_checkout_stay_out(tmp_path: Path) -> None:
    build._assemble(RECIPES["backend"], tmp_path)
    assert not list(tmp_path.rglob("__pycache__"))
    assert (tmp_path / "stub" / "app.py").exists()


def test_a_fault_is_baked_in_and_a_declared_argument_is_not_repeated(tmp_path: Path) -> None:
    build._assemble(backend("1.4.3", {"FAULT_DIE_AFTER": "20"}), tmp_path)
    assert (tmp_path / "Dockerfile").read_text().endswith('ENV APP_VERSION="1.4.3"\nENV FAULT_DIE_AFTER="20"\n')
    build._assemble(Recipe("frontend", arguments=(("APP_VERSION", "2.0.0"),)), tmp_path / "frontend")
    assert "2.0.0" not in (tmp_path / "frontend" / "Dockerfile").read_text()


@pytest.mark.parametrize("value", ['a"b', "a\nb", "$HOME", "a\\"])
def test_a_value_that_would_break_the_dockerfile_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(RehearsalError, match="APP_VERSION"):
        build._assemble(backend(value), tmp_path)


@pytest.mark.parametrize(
    ("name", "source", "user", "pulls"),
    [
        ("redis", Source.AUTO, 0, True),
        ("redis", Source.OFFICIAL, 0, True),
        ("redis", Source.BUILT, 0, False),
        ("redis", Source.BUILT, 1000, False),
        ("base", Source.BUILT, 0, False),
        ("base", Source.BUILT, 1000, True),
    ],
)
def test_built_means_built_except_a_base_that_takes_root(
    monkeypatch: pytest.MonkeyPatch, name: str, source: Source, user: int, pulls: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert build._may_pull(RECIPES[name], source) is pulls


def test_an_unknown_image_is_a_sentence() -> None:
    with pytest.raises(RehearsalError, match="no image 'mysql' to rehearse with; there are base, postgres"):
        recipe_named("mysql")


@pytest.mark.parametrize("name", BUILT)
def test_every_recipe_stands_on_its_parent(name: str) -> None:
    recipe = RECIPES[name]
    assert recipe.parent in RECIPES
    lines = (recipe.folder / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith(("FROM", "ARG PARENT"))] == ["ARG PARENT", "FROM ${PARENT}"]


def test_there_are_scripts_to_check() -> None:
    assert len(SCRIPTS) >= 8


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_scripts_are_sound_and_executable(script: Path) -> None:
    assert os.access(script, os.X_OK)
    checker = Path(sys.executable).parent / "shellcheck"
    done = subprocess.run([checker, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
