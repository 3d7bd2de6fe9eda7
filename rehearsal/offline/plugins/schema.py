"""The types of resources, read from the source of the installed SDKs without importing them.

Importing an SDK costs a second or more; its generated source is regular enough to be read as text. What was read once
is kept in a JSON file per SDK version, so that a warm preview opens six small files.
"""

import ast
import contextlib
import json
import os
import re
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from rehearsal.offline.plugins.refusal import Refusal

# A type is "str", "int", "float", "bool", "asset" or "any", or a list: ["list", T], ["map", T], ["obj", NAME],
# ["enum", VALUES], ["either", T, ...].
Type = Any
_Entry = TypeVar("_Entry", dict[str, Any], list[str])

_GETTER = re.compile(
    r"@pulumi\.getter(?:\(name=\"(?P<wire>\w+)\"\))?\n(?:    @.*\n(?:(?!    (?:def|@)).*\n)*)*"
    r"    def (?P<name>\w+)\(self\) -> (?P<type>.+):\n"
)
_PARAMETER = re.compile(r"^ {17}(?P<name>\w+): .+?(?P<default> = .+?)?(?:,|\):)$", re.MULTILINE)
_SECRETS = re.compile(r"additional_secret_outputs=\[(.*?)\]")
_MEMBER = re.compile(r"^    [A-Z_0-9]+ = (.+)$", re.MULTILINE)
_ARGUMENT = re.compile(r"__args__\['(\w+)'\]")
_BLOCK_END = re.compile(r"^(?:@pulumi\.\w+|class \w+[:(]|def \w+\()", re.MULTILINE)
_SCALARS = {"str": "str", "int": "int", "float": "float", "bool": "bool", "Asset": "asset", "Archive": "asset"}
_WRAPPERS = ("Input", "Output", "Optional")


class Schema:
    """One SDK's resource types, compiled when first asked for."""

    def __init__(self, name: str, version: str, site: Path, cache: Path) -> None:
        self.name, self.root = name, site / f"pulumi_{name}"
        compiler = zlib.crc32(Path(__file__).read_bytes())
        self._file = cache / f"{name}-{version}-{compiler:08x}.json"
        self._lock = threading.Lock()
        self._known: dict[str, Any] = self._load()
        self._sources: dict[Path, str] = {}

    def resource(self, token: str) -> dict[str, Any]:
        """Give a resource's type: its inputs, its outputs and which of them are secret."""
        return self._entry(token, self._compile_resource)

    def arguments(self, token: str) -> list[str]:
        """Give the names of a function's arguments."""
        return list(self._entry(token, self._compile_function))

    def config(self) -> dict[str, Any]:
        """Give the provider's own settings, in the shape of a resource."""
        return self._entry(f"pulumi:providers:{self.name}", self._compile_resource)

    def _entry(self, token: str, compile_: Callable[[str], _Entry]) -> _Entry:
        with self._lock:
            if token not in self._known:
                self._known[token] = compile_(token)
                self._save()
            found: _Entry = self._known[token]
            return found

    def _load(self) -> dict[str, Any]:
        try:
            known = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def _save(self) -> None:
        with contextlib.suppress(OSError):  # a checkout that cannot be written to is only slower
            self._write()

    def _write(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(self._known, separators=(",", ":")))
        temporary.replace(self._file)

    def _source(self, path: Path) -> str:
        if path not in self._sources:
            self._sources[path] = path.read_text(encoding="utf-8") if path.exists() else ""
        return self._sources[path]

    def _compile_resource(self, token: str) -> dict[str, Any]:
        path = self._file_of(token)
        source, cls = self._source(path), self._class_of(token)
        body, types = _block(source, cls), _Types(self, path.parent)
        arguments = _block(source, f"{cls}Args") or _block(source, f"{cls}InitArgs")
        if not body or not arguments:
            raise Refusal(f"{token} is not a resource type of pulumi-{self.name} as installed ({self.root.name})")
        secrets = _SECRETS.search(body)
        return {
            "inputs": types.properties(arguments),
            "outputs": {wire: facts for wire, *facts in _outputs(body)},
            "secrets": re.findall(r'"(\w+)"', secrets.group(1)) if secrets else [],
            "objects": types.objects,
        }

    def _compile_function(self, token: str) -> list[str]:
        return sorted(set(_ARGUMENT.findall(self._source(self._file_of(token)))))

    def _class_of(self, token: str) -> str:
        return "Provider" if token.startswith("pulumi:providers:") else token.rsplit(":", 1)[-1]

    def _file_of(self, token: str) -> Path:
        cls = self._class_of(token)
        package, _, rest = token.partition(":")
        module = "" if package == "pulumi" else rest.split(":")[0].split("/")[0]
        folder = self.root if module in ("", "index") else self.root / module.lower()
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls).lower()
        exact = folder / f"{snake}.py"
        if f"class {cls}(" in self._source(exact) or f"def {snake}(" in self._source(exact):
            return exact
        for path in sorted(folder.glob("*.py")):
            if path.stem.replace("_", "") == cls.lower():
                return path
        raise Refusal(f"{token} is unknown: pulumi-{self.name} as installed has no such type")


class _Types:
    """Reads annotations of one module, and the nested types they name."""

    def __init__(self, schema: Schema, folder: Path) -> None:
        self.objects: dict[str, Any] = {}
        self._inputs = schema._source(folder / "_inputs.py")
        self._enums = schema._source(folder / "_enums.py")

    def properties(self, block: str) -> dict[str, Any]:
        """Map each property's wire name to its type and whether it is required."""
        signature = block[: block.find('"""')]
        required = {match["name"] for match in _PARAMETER.finditer(signature) if not match["default"]}
        return {
            match["wire"] or match["name"]: [self.read(match["type"]), match["name"] in required]
            for match in _GETTER.finditer(block)
        }

    def read(self, annotation: str) -> Type:
        """Turn an annotation's text into a type."""
        return self._node(ast.parse(annotation, mode="eval").body)

    def _node(self, node: ast.expr) -> Type:
        if isinstance(node, ast.Subscript):
            return self._generic(_tail(node.value), node.slice)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self._named(node.value.rsplit(".", 1)[-1])
        return _SCALARS.get(_tail(node), "any")

    def _generic(self, name: str, inner: ast.expr) -> Type:
        if name in _WRAPPERS:
            return self._node(inner)
        if name == "Sequence":
            return ["list", self._node(inner)]
        parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        if name == "Mapping":
            return ["map", self._node(parts[-1])]
        options = [self._node(part) for part in parts]
        return options[0] if all(option == options[0] for option in options) else ["either", *options]

    def _named(self, name: str) -> Type:
        if name in self.objects:
            return ["obj", name]
        if block := _block(self._inputs, name):
            self.objects[name] = {}  # first, so that a type that contains itself ends
            self.objects[name] = self.properties(block)
            return ["obj", name]
        values = [ast.literal_eval(text) for text in _MEMBER.findall(_block(self._enums, name))]
        return ["enum", values] if values else "any"


def _outputs(block: str) -> list[tuple[str, bool, str]]:
    """List each output: its name, whether it may be absent, and its kind."""
    found = []
    for match in _GETTER.finditer(block):
        inner = match["type"].replace("pulumi.Output[", "").replace("Optional[", "")
        scalar = re.match(r"_builtins\.(\w+)", inner)
        kind = scalar[1] if scalar else "list" if inner.startswith("Sequence") else "map"
        found.append((match["wire"] or match["name"], "Output[Optional[" in match["type"], kind))
    return found


def _tail(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _block(source: str, cls: str) -> str:
    """Cut one class out of a module's source."""
    start = max(source.find(f"\nclass {cls}:"), source.find(f"\nclass {cls}("))
    if start < 0:
        return ""
    end = _BLOCK_END.search(source, start + 2)
    return source[start + 1 : end.start() if end else len(source)]
