"""`python -m ops.edge.export STACKFILE`: the zone as data, for `python -m edgerules`.

Production's zones are committed beside their cases, so that a pull request shows what becomes of the zone and
`edgerules diff` has both versions to compare; `make generated` writes them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml

from components.edge.config import EdgeSettings
from components.edge.zone_data import zone_of
from components.settings import SettingsError, StackSettings, parse
from components.site import SiteSettings


def zone_from_stack(path: Path) -> dict[str, Any]:
    """The zone of the stack file at `path`, which names its system by the prefix of its keys."""
    return zone_of(*stack_edge(path))


def stack_edge(path: Path) -> tuple[EdgeSettings, SiteSettings, str | None, str | None]:
    """What a stack file says of its edge: settings, site and the server's addresses."""
    model, data = _read(path)
    settings = dict(parse(model, data, rehearsal=True))
    host = settings.get("host")
    return settings["edge"], settings["site"], getattr(host, "ipv4", None), getattr(host, "ipv6", None)


def system_of(path: Path) -> str:
    """The project that a stack file belongs to."""
    return _read(path)[0].PROJECT


def _read(path: Path) -> tuple[type[StackSettings], dict[str, Any]]:
    from neurmatic.settings import NeurmaticSettings  # noqa: PLC0415 (only one of the two is needed)
    from neuropilot.settings import NeuropilotSettings  # noqa: PLC0415

    try:
        config = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("config") or {}
    except (OSError, ValueError, AttributeError, yaml.YAMLError) as error:
        raise SystemExit(f"{path}: cannot be read as a stack file: {error}") from None
    for model in (NeurmaticSettings, NeuropilotSettings):
        prefix = f"{model.PROJECT}:"
        data = {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}
        if data:
            keys = {*model.model_fields}
            return model, {key: value for key, value in data.items() if key in keys}
    raise SystemExit(f"{path}: has no keys of neurmatic or neuropilot: is it a stack file?")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("stackfile", type=Path)
    try:
        zone = zone_from_stack(arguments.parse_args().stackfile)
    except SettingsError as error:
        raise SystemExit(str(error)) from None
    sys.stdout.write(as_text(zone))


def as_text(zone: dict[str, Any]) -> str:
    head = "# Written by `make generated` from the stack file of production: do not edit.\n"
    return head + yaml.safe_dump(zone, sort_keys=False, width=120, allow_unicode=True)


if __name__ == "__main__":
    main()
