"""A few values that an adoption writes into the stack file, or into a rehearsal's own settings."""

from __future__ import annotations

from collections.abc import Mapping

from ops.deploy import stackedit
from ops.deploy.change import Place
from rehearsal.stackfile import laid_over
from rehearsal.workspace import Workspace, write

TYPED: Mapping[str, bool] = {"true": True, "false": False}


def keep(place: Place, section: tuple[str, ...], values: Mapping[str, str]) -> None:
    target = place.target
    if target.rehearsal:
        nested: dict[str, object] = {key: TYPED.get(value, value) for key, value in values.items()}
        for part in reversed(section):
            nested = {part: nested}
        workspace = Workspace(target.source, target.rehearsal)
        workspace.keep(laid_over(workspace.kept, nested))
        return
    path = target.stack_file()
    write(path, stackedit.written(path, section, values))
