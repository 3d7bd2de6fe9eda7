"""The stack file after a change that failed: it says what serves, whatever went wrong."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ops.deploy import change, mend
from ops.deploy.failure import Failure
from ops.deploy.onserver import Serving
from ops.errors import OperatorError

DIGESTS = {version: "sha256:" + letter * 64 for version, letter in {"1.4.1": "a", "1.4.2": "b", "1.4.3": "c"}.items()}
NEW = {"version": "1.4.3", "backend": DIGESTS["1.4.3"], "frontend": DIGESTS["1.4.3"]}


def text(version: str) -> str:
    lines = [f"      {kind}: {DIGESTS[version]}   # {kind}" for kind in ("backend", "frontend")]
    top = f"config:\n  neurmatic:containers:\n    # What runs.\n    release:\n      version: {version}\n"
    return top + "\n".join(lines) + "\n    network: n\n"


def serving(version: str) -> Serving:
    images = {kind: f"ghcr.io/o/{kind}@{DIGESTS[version]}" for kind in ("backend", "frontend")}
    return Serving(frozenset({"backend-1"}), {"version": version, **images})


class Stack:
    """A stack file, and a server that says what serves before and after."""

    def __init__(self, folder: Path, written: str, before: str, after: str) -> None:
        self.file, self._serving, self._settled = folder / "Pulumi.production.yaml", serving(before), serving(after)
        self.file.write_text(text(written))
        release = SimpleNamespace(version=written, backend=DIGESTS[written], frontend=DIGESTS[written])
        self.settings = SimpleNamespace(containers=SimpleNamespace(release=release))
        target = SimpleNamespace(rehearsal=None, stack="production", system="neurmatic", stack_file=lambda: self.file)
        host: Any = SimpleNamespace(serving=lambda: self._serving, settle=lambda: self._settled, containers=frozenset)
        self.place = change.Place(target, self.settings, host)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change, "open_session", lambda target: None)
    monkeypatch.setattr(mend, "mend", lambda session, there, serving: True)


def fails(monkeypatch: pytest.MonkeyPatch, stack: Stack, how: BaseException | None = None) -> str:
    def run(target: object) -> Failure:
        assert stack.file.read_text() == text("1.4.3")
        if how:
            raise how
        return Failure("health", "backend-1 has died")

    monkeypatch.setattr(change, "_run", run)
    with pytest.raises(OperatorError) as error:
        change.make(stack.place, "release", NEW, "The deploy of 1.4.3")
    return str(error.value)


def test_what_served_goes_on_serving_and_the_file_is_byte_for_byte_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack(tmp_path, "1.4.2", before="1.4.2", after="1.4.2")
    said = fails(monkeypatch, stack)
    assert said.startswith("The deploy of 1.4.3 failed at the gate health: backend-1 has died\n1.4.2 serves")
    assert stack.file.read_text() == text("1.4.2")


def test_an_interrupt_is_a_failure_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Stack(tmp_path, "1.4.2", before="1.4.2", after="1.4.2")
    assert "failed at the gate stop: it was interrupted." in fails(monkeypatch, stack, KeyboardInterrupt())
    assert stack.file.read_text() == text("1.4.2")


def test_when_the_engine_does_not_begin_nothing_stays_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Stack(tmp_path, "1.4.2", before="1.4.2", after="1.4.2")
    assert fails(monkeypatch, stack, OperatorError("somebody else is at work")) == "somebody else is at work"
    assert stack.file.read_text() == text("1.4.2")


def test_a_failure_after_the_switch_keeps_what_serves_by_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Stack(tmp_path, "1.4.2", before="1.4.2", after="1.4.3")
    assert "\n1.4.3 serves" in fails(monkeypatch, stack)
    assert stack.file.read_text() == text("1.4.3")


def test_a_file_that_named_something_else_before_agrees_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack(tmp_path, "1.4.1", before="1.4.2", after="1.4.2")
    fails(monkeypatch, stack)
    assert stack.file.read_text() == text("1.4.2")


def test_what_hands_have_changed_is_put_right_by_the_same_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, ...]] = []
    for name in ("recover", "backend_of", "finder", "mend_after_failure"):
        monkeypatch.setattr(change, name, lambda *_: None)
    monkeypatch.setattr(change, "seen_at", lambda session: (session, "a report"))
    monkeypatch.setattr(change, "repairs", lambda session, report: ["--replace", f"what {report} says"])
    monkeypatch.setattr(change, "watched", lambda session, *words: ran.append(words) or (0, ""))
    assert change._run(SimpleNamespace(system="neurmatic")) is None  # type: ignore[arg-type]
    assert ran == [("up", "--yes", "--skip-preview", "--replace", "what a report says")]
