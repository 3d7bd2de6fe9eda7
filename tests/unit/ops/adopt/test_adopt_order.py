"""In which order a take-over asks whom, and that the old stack comes back whatever fails after it has stopped."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from ops.adopt import stack
from ops.errors import OperatorError
from ops.target import Target

TARGET = Target("neurmatic", "production", "x")
STEPS = ("forget", "prepare", "take", "up", "answered", "done")


class Said:
    """Who was asked what; the step that is told to fails."""

    def __init__(self, failing: str = "") -> None:
        self.steps: list[str] = []
        self.failing = failing

    def does(self, name: str, answer: Any = None) -> Any:
        def run(*_: Any) -> Any:
            self.steps.append(name)
            if name == self.failing:
                raise OperatorError(f"{name} failed")
            return answer

        return run


def taking_over(monkeypatch: pytest.MonkeyPatch, said: Said, phase: str = "nothing") -> stack.Stack:
    server = SimpleNamespace(
        back_up=said.does("back_up", {"path": "/x", "size": 1, "tables": 1, "rows": 1}),
        ready=said.does("ready", {"certificate": True, "outlives": True}),
        take=said.does("take"),
        sweep=said.does("sweep", []),
        done=said.does("done", {"began": 0.0, "ended": 30.0}),
        back=said.does("back", {"kept": ["/mnt/data/.takeover-redis-until-x"]}),
    )
    settings = SimpleNamespace(host=SimpleNamespace(adopt=True), containers=SimpleNamespace(release="1.0.0"))
    place = SimpleNamespace(settings=settings, target=TARGET)
    monkeypatch.setattr(stack, "Takeover", lambda _: server)
    monkeypatch.setattr(stack, "place_of", lambda _: place)
    monkeypatch.setattr(stack, "ready_session", lambda _: None)
    monkeypatch.setattr(stack, "answered", said.does("answered"))
    for name in ("forget", "prepare", "up"):
        monkeypatch.setattr(stack.engine, name, said.does(name))
    monkeypatch.setattr(stack.engine, "known", lambda _: [])
    return stack.Stack(cast(Any, place), {"phase": phase, "containers": []})


def test_everything_that_can_be_is_done_before_the_old_stack_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Said()
    stack.take_over(taking_over(monkeypatch, said), None)
    assert said.steps == ["back_up", "ready", *STEPS]


@pytest.mark.parametrize("failing", ["back_up", "ready", "prepare"])
def test_what_fails_before_leaves_it_serving(monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    said = Said(failing)
    with pytest.raises(OperatorError, match=f"{failing} failed"):
        stack.take_over(taking_over(monkeypatch, said), None)
    assert not {"take", "back"} & set(said.steps)


@pytest.mark.parametrize("failing", ["take", "up", "answered"])
def test_what_fails_afterwards_brings_it_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failing: str
) -> None:
    said = Said(failing)
    with pytest.raises(OperatorError, match="the old one does again"):
        stack.take_over(taking_over(monkeypatch, said), None)
    assert said.steps[-2:] == ["back", "forget"]
    assert "WHAT WAS WRITTEN SINCE is not in the old stack: it lies in /mnt/data" in capsys.readouterr().out


def test_a_way_back_that_fails_as_well_is_said_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Said("up")
    old = taking_over(monkeypatch, said)
    monkeypatch.setattr(stack, "lead_back", Said("lead_back").does("lead_back"))
    with pytest.raises(OperatorError, match="NEITHER STACK SERVES"):
        stack.take_over(old, None)


@pytest.mark.parametrize("phase", ["taking", "taken"])
def test_one_that_was_interrupted_prepares_nothing_twice(monkeypatch: pytest.MonkeyPatch, phase: str) -> None:
    said = Said()
    stack.take_over(taking_over(monkeypatch, said, phase), None)
    assert said.steps == ["sweep", "take", "up", "answered", "done"]


def test_a_way_back_that_was_interrupted_goes_on_back(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Said()
    stack.take_over(taking_over(monkeypatch, said, "leading back"), None)
    assert said.steps == ["back", "forget"]
