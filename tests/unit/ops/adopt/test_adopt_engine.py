"""What the engine makes before the outage, and what leaves its state on the way back."""

from __future__ import annotations

from typing import Any

from ops.adopt.engine import CONTAINER, IMAGE, STACK, before_the_outage, of_containers

STACK_URN = f"urn:pulumi:production::neurmatic::{STACK}::stack"


def made(urn: str, type_: str = "command:remote:Command", *needs: str, parent: str = "") -> dict[str, Any]:
    return {"urn": urn, "type": type_, "parent": parent, "dependencies": list(needs)}


RESOURCES = [
    made("host"),
    made(STACK_URN, STACK),
    made("image", IMAGE, parent=STACK_URN),
    made("postgres", CONTAINER, "image", parent=STACK_URN),
    {**made("certificate"), "propertyDependencies": {"stdin": ["postgres"]}},
    made("timer", "command:remote:Command", "certificate"),
    {**made("probe"), "provider": "host::id"},
]


def steps(*same: str) -> list[dict[str, Any]]:
    """As a plan tells of them: not of those that stay."""
    return [{"op": "create", "urn": each["urn"], "newState": each} for each in RESOURCES if each["urn"] not in same]


def test_images_and_the_server_come_first() -> None:
    assert before_the_outage(steps()) == ["host", STACK_URN, "image", "probe"]


def test_so_they_do_after_a_way_back_which_leaves_the_component_in_the_state() -> None:
    gone = {"op": "delete", "urn": "old"}
    assert before_the_outage([*steps("host", STACK_URN), gone]) == ["image", "probe"]


def test_containers_and_what_follows_from_them_are_forgotten() -> None:
    assert of_containers(RESOURCES) == ["postgres", "certificate", "timer"]
