"""`make lint`: style, types and shell scripts; all of them, then the verdict."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def main() -> int:
    checks = {
        "style": [BIN / "ruff", "check", "--quiet"],
        "format": [BIN / "ruff", "format", "--check", "--quiet"],
        "types": [BIN / "mypy", "--no-error-summary"],
        "shell": [BIN / "shellcheck", *shell_scripts()],
    }
    failed = [name for name, command in checks.items() if not passes(name, [str(word) for word in command])]
    if failed:
        print(f"lint: {', '.join(failed)} failed", file=sys.stderr)
    return 1 if failed else 0


def passes(name: str, command: list[str]) -> bool:
    started = time.monotonic()
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    print(f"lint {name}: {'ok' if status == 0 else 'FAILED'} ({time.monotonic() - started:.1f} s)", flush=True)
    return status == 0


def shell_scripts() -> list[str]:
    """Found by their first line, so that a new script cannot be forgotten."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [name for name in names if name and is_shell(ROOT / name)]


def is_shell(path: Path) -> bool:
    if path.suffix in {".py", ".md", ".json", ".txt"} or not path.is_file():
        return False
    with path.open("rb") as file:
        first = file.readline(80)
    return first.startswith(b"#!") and first.rstrip().endswith(b"sh")


if __name__ == "__main__":
    sys.exit(main())
