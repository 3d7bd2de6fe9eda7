"""What the installed SDKs say of a type: its inputs, and the values and defaults that their documentation names."""

from __future__ import annotations

import functools
import json
import re
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.offline.plugins.behaviour import NESTED_DEFAULTS, RULES
from rehearsal.offline.plugins.schema import Schema

ROOT = Path(__file__).resolve().parents[3]
SITE = Path(sysconfig.get_paths()["purelib"])

_GETTER = re.compile(
    r"@pulumi\.getter(?:\(name=\"(?P<wire>\w+)\"\))?\n(?:    @.*\n(?:(?!    (?:def|@)).*\n)*)*"
    r"    def (?P<name>\w+)\(self\) -> .+:\n        \"\"\"(?P<text>(?:.|\n)*?)\"\"\""
)
_ALLOWED = re.compile(
    r"(?:[Aa]vailable values|[Vv]alid (?:values|options)|[Pp]ossible values|[Mm]ust be one of)([^\n]*)"
)
# Up to the end of the sentence: what comes after names other things in quotes.
_SENTENCE = re.compile(r"^(?:[^.`\"']|\.(?! |$)|`[^`]*`|\"[^\"]*\"|'[^']*')*")
_QUOTED = re.compile(r"`([^`\n]+)`|\"([^\"\n]+)\"|'([^'\n]+)'")
_DEFAULT = re.compile(r"[Dd]efaults?(?: value)?(?: to| is|:) [`\"']?([\w.-]+)")


@dataclass(frozen=True)
class Documented:
    """What the documentation of one input says."""

    values: tuple[str, ...] = ()
    default: str | None = None


@functools.cache
def _schema(package: str) -> Schema:
    version = json.loads((SITE / f"pulumi_{package}" / "pulumi-plugin.json").read_text())["version"]
    return Schema(package, version, SITE, ROOT / ".toolchain" / "schemas")


@functools.cache
def resource_type(token: str) -> dict[str, Any]:
    """Inputs, outputs, secrets and nested objects of a resource type or of a provider's own settings."""
    if token.startswith("pulumi:providers:"):
        return _schema(token.rsplit(":", 1)[-1]).config()
    return _schema(token.partition(":")[0]).resource(token)


@functools.cache
def documented(token: str, nested: str | None = None) -> dict[str, Documented]:
    """By input: of the resource itself, or of a nested object of its."""
    schema = _schema(token.rsplit(":", 1)[-1] if token.startswith("pulumi:providers:") else token.partition(":")[0])
    file = schema._file_of(token)
    block = (
        _class(file, f"{schema._class_of(token)}Args") if nested is None else _class(file.parent / "_inputs.py", nested)
    )
    given = RULES[token].defaults if token in RULES and nested is None else NESTED_DEFAULTS.get(nested or "", {})
    found = {match["wire"] or match["name"]: _read(match["text"]) for match in _GETTER.finditer(block)}
    for name, value in given.items():
        found[name] = Documented(found.get(name, Documented()).values, _plain(value))
    return found


def _read(text: str) -> Documented:
    allowed = _ALLOWED.search(text)
    sentence = _SENTENCE.match(allowed[1]) if allowed else None
    # Cloudflare's documentation went through a Markdown writer that took underscores for emphasis.
    found = [next(filter(None, groups)) for groups in _QUOTED.findall(sentence[0])] if sentence else []
    values = [value.strip('"').replace("*", "_") for value in found]
    default = _DEFAULT.search(text)
    return Documented(tuple(dict.fromkeys(values)), default[1].rstrip(".") if default else None)


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@functools.cache
def _source(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _class(file: Path, name: str) -> str:
    source = _source(file)
    start = max(source.find(f"\nclass {name}:"), source.find(f"\nclass {name}("))
    if start < 0:
        return ""
    end = re.compile(r"^(?:@pulumi\.\w+|class |def )", re.MULTILINE).search(source, start + 2)
    return source[start : end.start() if end else len(source)]
