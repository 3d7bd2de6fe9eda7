"""Values that stand for another one.

Two kinds. A placeholder is text that somebody forgot to replace ("yourdomain.com"): never accepted. A reserved value
(192.0.2.0/24, 2001:db8::/32, names under .invalid, an id of zeros) says openly that the real one is not known yet:
a rehearsal accepts it, a real stack does not. docs/decisions/0002-unknown-addresses.md has the reasons.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from components.mistakes import Mistake, Path, shown

_PLACEHOLDER = re.compile(
    r"your[-_ ]?(?:app|api|bucket|company|domain|host|key|name|org|project|server|site|token|zone)s?\b"
    r"|\bexample\.(?:com|net|org)\b|change[-_ ]?me\b|replace[-_ ]?me\b|<[A-Za-z][^>]*>|\bx{4,}\b"
    r"|\$\{[^}]*\}|\{\{[^}]*\}\}|\b(?:todo|tbd|fixme|placeholder)\b",
    re.IGNORECASE,
)
_RESERVED_NAME = re.compile(r"(?:^|[.@/])[a-z0-9-]+\.(?:example|invalid|test)\b(?![.-])", re.IGNORECASE)
_ZEROS = re.compile(r"(?:sha256:)?0{32,64}|ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA{43}(?: .*)?")
_RESERVED_NETWORKS = tuple(
    ipaddress.ip_network(each)
    for each in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
)


def find(data: Any, rehearsal: bool, path: Path = ()) -> Iterator[Mistake]:
    """One mistake for each string that stands for another value. Keys are settings' names and not looked at."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from find(value, rehearsal, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from find(value, rehearsal, (*path, index))
    elif isinstance(data, str):
        if _PLACEHOLDER.search(data):
            yield Mistake(path, f"given {shown(path, data)}, a placeholder from documentation; set the real value")
        elif not rehearsal and is_reserved(data):
            text = f"given {shown(path, data)}, which stands for a value that is not known yet; set the real one"
            yield Mistake(path, f"{text} (a rehearsal accepts this one)")


def is_reserved(text: str) -> bool:
    if _RESERVED_NAME.search(text) or _ZEROS.fullmatch(text):
        return True
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return any(network.version == each.version and network.subnet_of(each) for each in _RESERVED_NETWORKS)  # type: ignore[arg-type]
