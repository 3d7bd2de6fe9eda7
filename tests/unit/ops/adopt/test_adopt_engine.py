"""What the engine makes before the outage, and what leaves its state on the way back."""

from __future__ import annotations

from typing import Any

from ops.adopt.engine import CONTAINER, IMAGE, STACK, before_the_outage, of_containers


def made(urn: str, type_: str = "command:remote:Command", *needs: str, parent: str = "") -> dict[str, Any]:
    return {"urn": urn, "type": type_, "parent": parent, "dependencies": list(needs)}


RESOURCES = [
    made("host"),
    made("stack", STACK),
    made("image", IMAGE, parent="stack"),
    made("postgres", CONTAINER, "image", parent="stack"),
    {**made("certificate"), "propertyDependencies": {"stdin": ["postgres"]}},
    made("timer", "command:remote:Command", "certificate"),
    {**made("probe"), "provider": "host::id"},
]


def test_images_and_the_server_come_first() -> None:
    assert before_the_outage(RESOURCES) == ["host", "stack", "image", "probe"]


def test_containers_and_what_follows_from_them_are_forgotten() -> None:
    assert of_containers(RESOURCES) == ["postgres", "certificate", "timer"]
