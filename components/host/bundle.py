"""The converge script as one file: its modules, zipped the same way every time, so that equal code is equal text."""

from __future__ import annotations

import io
import zipfile
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# What runs on the server; `components` is empty there, and so is `components.host`.
SHARED = ("components/host/items.py", "components/host/report.py")
SHEBANG = b"#!/usr/bin/python3\n"
ENTRY = "from components.host.converge.main import run\n\nrun()\n"


@lru_cache(maxsize=1)
def bundle() -> bytes:
    """An executable zip file (PEP 441)."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, text in _contents().items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            pack.writestr(entry, text)
    return SHEBANG + archive.getvalue()


def _contents() -> dict[str, str]:
    modules = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "components/host/converge").glob("*.py"))
    texts = {name: (ROOT / name).read_text() for name in (*SHARED, *modules)}
    packages = {"components/__init__.py": "", "components/host/__init__.py": "", "__main__.py": ENTRY}
    return {**packages, **texts}
