"""The backup before anything is touched: all of the old cluster as SQL, read back from its first byte to its last."""

import gzip
import re
import zlib
from pathlib import Path
from typing import Any

from components.containers.onhost.takeover.docker import Docker
from components.containers.onhost.takeover.problem import TakeoverError

LAST = b"-- PostgreSQL database cluster dump complete"
TABLE = re.compile(rb"^COPY \S+ .*FROM stdin;$")


def back_up(docker: Docker, container: str, user: str, folder: Path, stamp: str) -> "dict[str, Any]":
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"adoption_{stamp}.sql.gz"
    docker.dump(container, user, path)
    tables, rows = read(path)
    return {"path": str(path), "size": path.stat().st_size, "tables": tables, "rows": rows}


def read(path: Path) -> "tuple[int, int]":
    """Tables and rows in it. Cut off, damaged, or without its last line it is no backup."""
    tables, rows, inside, complete = 0, 0, False, False
    try:
        with gzip.open(path, "rb") as lines:
            for line in lines:
                text = line.rstrip(b"\n")
                if inside:
                    inside = text != b"\\."
                    rows += inside
                elif TABLE.match(text):
                    tables, inside = tables + 1, True
                complete = complete or text == LAST
    except (OSError, EOFError, zlib.error) as error:
        raise TakeoverError(f"The backup {path} cannot be read: {error}") from None
    if not complete or inside:
        raise TakeoverError(f"The backup {path} is not complete: its last line is missing.")
    return tables, rows
