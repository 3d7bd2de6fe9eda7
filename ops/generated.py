"""`make generated`: everything in the repository that is written by a program."""

from __future__ import annotations

import sys

from ops import contract, schemas

if __name__ == "__main__":
    schemas.main()
    sys.exit(contract.main())
