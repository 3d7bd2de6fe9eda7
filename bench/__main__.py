"""`make bench`: every benchmark of the project, one after the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    subjects = sorted(folder.name for folder in HERE.iterdir() if (folder / "__main__.py").is_file())
    failed = []
    for subject in subjects:
        print(f"\n## {subject}\n", flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.{subject}"], cwd=HERE.parent, check=False).returncode:
            failed.append(subject)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
