"""Which stack a verb is about, and the environment in which the engine works on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ops.errors import OperatorError

ROOT = Path(__file__).resolve().parent.parent
PROJECTS = {"neurmatic": ROOT, "neuropilot": ROOT / "neuropilot"}
POLICY_PACK = ROOT / "policy"


@dataclass(frozen=True)
class Target:
    system: str
    stack: str
    rehearsal: str | None = None

    @property
    def source(self) -> Path:
        return PROJECTS[self.system]

    def stack_file(self) -> Path:
        path = self.source / f"Pulumi.{self.stack}.yaml"
        if not path.is_file():
            known = ", ".join(sorted(file.name.split(".")[1] for file in self.source.glob("Pulumi.*.yaml")))
            raise OperatorError(f"{self.system} has no stack {self.stack!r}: there is {known}.")
        return path


def target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every verb about a stack shares; the verb receives one Target."""

    def with_target(stack: str, system: str, rehearsal: bool, name: str, **others: Any) -> Any:
        return command(target=Target(system, stack, name if rehearsal else None), **others)

    with_target.__doc__, with_target.__name__ = command.__doc__, command.__name__
    for decorate in reversed(
        [
            click.option("--stack", "-s", required=True, help="production or staging."),
            click.option(
                "--system",
                type=click.Choice(list(PROJECTS)),
                default=lambda: system_here(Path.cwd()),
                help="Which of the two systems; by default that of the current folder.",
            ),
            click.option("--rehearsal", is_flag=True, help="On the embedded clouds: no account, no credential."),
            click.option("--name", default="default", help="Which rehearsal, where there are several."),
        ]
    ):
        with_target = decorate(with_target)
    if hasattr(command, "__click_params__"):
        with_target.__click_params__ += command.__click_params__  # type: ignore[attr-defined]
    return with_target


def system_here(folder: Path) -> str:
    return "neuropilot" if PROJECTS["neuropilot"] in [folder, *folder.parents] else "neurmatic"
