"""Read YAML or JSON and remember on which line everything stands.

The YAML is 1.2 as people mean it: only `true` and `false` are booleans, so that `tls_1_3: on` and the
country `NO` stay text. Duplicate keys, endless aliases and bombs are refused with a sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Key = str | int
Path_ = tuple[Key, ...]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})")
_DECIMAL = re.compile(r"[-+]?[0-9]+\.[0-9]+")
_MOST_VALUES = 500_000
_DEEPEST = 60


class InputError(ValueError):
    """What is wrong with a file, as sentences `file:line: ...`."""

    def __init__(self, *sentences: str) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


@dataclass(frozen=True)
class Document:
    """The plain values of a file, and the line of every key and item."""

    name: str
    value: Any
    lines: dict[Path_, int] = field(default_factory=dict)

    def line(self, *path: Key) -> int:
        """The line of the deepest part of `path` that exists."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 1

    def where(self, *path: Key) -> str:
        return f"{self.name}:{self.line(*path)}"


def read(path: str | Path) -> Document:
    """The document in the file `path`."""
    return parse(read_text(path), str(path))


def read_text(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text (byte {error.start}).") from None
    except ValueError:
        raise InputError(f"{str(path)!r} is not a file name.") from None


def parse(text: str, name: str) -> Document:
    """The document in `text`; `name` stands for the file in errors."""
    document = Document(name, None)
    builder = _Builder(name, document.lines)
    try:
        # JSON may indent with tabs, YAML may not; in JSON a raw tab is never part of a value.
        root = yaml.compose(text.replace("\t", " ") if text.lstrip()[:1] in "{[" else text, Loader=_LOADER)
        value = builder.build(root, ()) if root is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InputError(f"{name}:{mark.line + 1 if mark else 1}: {_plain(error)}.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name}:1: is neither YAML nor JSON: {_first_line(error)}.") from None
    return Document(name, value, document.lines)


def _plain(error: yaml.MarkedYAMLError) -> str:
    words = [part for part in (error.context, error.problem) if part]
    return "is neither YAML nor JSON: " + ", ".join(words)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


class _Builder:
    """Nodes -> values, with a budget so that a few aliases cannot become a billion values."""

    def __init__(self, name: str, lines: dict[Path_, int]) -> None:
        self.name = name
        self.lines = lines
        self.left = _MOST_VALUES

    def build(self, node: yaml.Node, path: Path_) -> Any:
        self.left -= 1
        if self.left < 0 or len(path) > _DEEPEST:
            raise self.problem(node, "is too large or nested too deeply")
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            places = ((*path, index) for index in range(len(node.value)))
            return [self.item(child, place) for child, place in zip(node.value, places, strict=True)]
        return _scalar(node)

    def item(self, node: yaml.Node, path: Path_) -> Any:
        self.lines[path] = node.start_mark.line + 1
        return self.build(node, path)

    def mapping(self, node: yaml.MappingNode, path: Path_) -> dict[Key, Any]:
        values: dict[Key, Any] = {}
        for key_node, value_node in node.value:
            key = _scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str | int) or isinstance(key, bool):
                raise self.problem(key_node, "a key must be text or a number")
            if key in values:
                raise self.problem(key_node, f"the key {key!r} stands here for the second time")
            below = (*path, key)
            self.lines[below] = key_node.start_mark.line + 1
            values[key] = self.build(value_node, below)
        return values

    def problem(self, node: yaml.Node, message: str) -> InputError:
        return InputError(f"{self.name}:{node.start_mark.line + 1}: {message}.")


def _scalar(node: Any) -> Any:
    text = str(node.value)
    if node.style in ("'", '"', "|", ">"):
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
