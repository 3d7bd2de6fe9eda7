"""Files that are shipped as they are (files/) or filled in (templates/); both mirror the server's tree."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent
MANAGED = "# Written by ./infra up: a change by hand is put back by the next one.\n"


def shipped(path: str) -> str:
    return (HERE / "files" / path.lstrip("/")).read_text()


def filled(path: str, **values: object) -> str:
    return (HERE / "templates" / path.lstrip("/")).read_text().format(**values)
