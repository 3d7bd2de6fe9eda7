"""Which images may go: never those that a rollback needs, never those of others."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from components.containers.onhost import cleanup_images as cleanup

BACKEND, FRONTEND = "ghcr.io/alexbaum-ai/neurm-backend", "ghcr.io/alexbaum-ai/neurm-frontend"
OURS = (BACKEND, FRONTEND)


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def release(number: int, **more: Any) -> dict[str, Any]:
    return {
        "at": "2026-11-21T20:00:00Z",
        "version": f"1.4.{number}",
        "backend": f"{BACKEND}@{digest(number)}",
        "frontend": f"{FRONTEND}@{digest(100 + number)}",
        "irreversible": False,
        **more,
    }


def written(folder: Path, *lines: object) -> Path:
    path = folder / "releases.jsonl"
    path.write_text("".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in lines))
    return path


def image(number: int, *names: str, age: float = 1e6) -> cleanup.Image:
    return cleanup.Image(f"sha256:{number}", frozenset(names), time.time() - age)


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "used", lambda: {"sha256:7"})


def goes(one: cleanup.Image, releases: list[dict[str, Any]], count: int = 2) -> bool:
    return cleanup.may_go(one, [one], OURS, cleanup.newest(releases, count), 86400)


def test_the_newest_releases_stay_and_older_ones_go() -> None:
    releases = [release(number) for number in (1, 2, 3)]
    found = {number: goes(image(number, f"{BACKEND}@{digest(number)}"), releases) for number in (1, 2, 3)}
    assert found == {1: True, 2: False, 3: False}
    assert not goes(image(9, f"{FRONTEND}@{digest(102)}"), releases)


def test_going_back_and_forth_uses_up_no_release() -> None:
    releases = [release(number) for number in (1, 2, 3, 2, 3, 2)]
    assert not goes(image(1, f"{BACKEND}@{digest(3)}"), releases)
    assert not goes(image(1, f"{BACKEND}@{digest(1)}"), releases, count=3)


def test_a_tag_beside_the_digest_is_the_same_image() -> None:
    given = release(1, backend=f"{BACKEND}:1.4.1@{digest(1)}")
    assert not goes(image(1, f"{BACKEND}@{digest(1)}"), [given])
    assert not goes(image(1, f"{BACKEND}:1.4.1", f"{BACKEND}@{digest(1)}"), [given])


def test_what_runs_what_is_new_and_what_is_not_ours_stays() -> None:
    old = f"{BACKEND}@{digest(50)}"
    assert goes(image(1, old), [release(1)])
    assert not goes(image(7, old), [release(1)])
    assert not goes(image(1, old, age=3600), [release(1)])
    assert not goes(image(1, old, "somebody/else:kept"), [release(1)])
    assert not goes(image(1, "postgres:15"), [release(1)])
    assert not goes(image(1, f"{BACKEND}-other:1"), [release(1)])
    assert not goes(image(1), [release(1)])


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '"x"',
        release(1, backend=None),
        release(1, backend=f"{BACKEND}:latest"),
        {"version": "1.4.2"},
        release(1, version=""),
    ],
)
def test_a_broken_history_removes_nothing(tmp_path: Path, line: object) -> None:
    with pytest.raises(cleanup.FailureError, match=r"Line 2 of .* is no release: nothing was removed"):
        cleanup.history(written(tmp_path, release(1), line, release(2)))


@pytest.mark.parametrize("text", ["", None])
def test_no_history_removes_nothing(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "releases.jsonl"
    if text is not None:
        path.write_text(text)
    with pytest.raises(cleanup.FailureError, match="nothing was removed"):
        cleanup.history(path)


@pytest.mark.parametrize(
    ("name", "repository"),
    [
        (f"{BACKEND}@{digest(1)}", BACKEND),
        (f"{BACKEND}:1.4.2", BACKEND),
        (f"registry.test:5000/a/b:1@{digest(1)}", "registry.test:5000/a/b"),
        ("postgres", "postgres"),
    ],
)
def test_repositories_are_read_from_names(name: str, repository: str) -> None:
    assert cleanup.repository_of(name) == repository
