"""`make generated`: everything in the repository that is written by a program."""

from __future__ import annotations

import sys

from ops import changes, contract, schemas
from ops.edge.export import as_text, zone_from_stack
from ops.target import PROJECTS, ROOT


def main() -> int:
    schemas.main()
    (ROOT / "docs" / "changes.md").write_text(changes.page())
    for system, folder in PROJECTS.items():
        zone = zone_from_stack(folder / "Pulumi.production.yaml")
        (ROOT / system / "edge.zone.yaml").write_text(as_text(zone))
    return contract.main()


if __name__ == "__main__":
    sys.exit(main())
