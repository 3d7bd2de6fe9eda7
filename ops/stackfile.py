"""A stack file as data with line numbers, read as Pulumi's engine reads it.

PyYAML alone would read another language than the engine (YAML 1.1, where `02:00` is 120 and `no` is false), keep the
last of two equal keys in silence, and know no lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import yaml

from components.mistakes import Mistake, Path, printable

LONGEST = 1024 * 1024
DEEPEST = 24
_CORE = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """Scalars as in YAML 1.2. Numbers with leading zeros stay text: readers disagree about them."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # PyYAML's own declaration


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?", "-+0123456789"),
):
    _Loader.add_implicit_resolver(
        _CORE + _tag, re.compile(rf"^(?:{_pattern})$"), ["" if each == "\0" else each for each in _first]
    )


class _RefusedError(Exception):
    """The whole file cannot be read; the rest of it is not looked at."""

    def __init__(self, text: str, line: int | None = None):
        super().__init__(text)
        self.mistake = Mistake((), text, line)


@dataclass
class StackFile:
    """`lines` has the line of every key and list entry, by its path in the document."""

    path: FilePath
    data: dict[str, Any] = field(default_factory=dict)
    lines: dict[Path, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    refused: bool = False

    def line(self, path: Path) -> int | None:
        """Where something is written, or where it would belong."""
        found = (self.lines[path[:length]] for length in range(len(path), 0, -1) if path[:length] in self.lines)
        return next(found, None)


def read(path: FilePath) -> StackFile:
    """Whatever the file holds: its data, or `refused` and the reason as the one mistake."""
    file = StackFile(path)
    try:
        root = _compose(_text(path))
        if root is not None:
            if not isinstance(root, yaml.MappingNode):
                raise _RefusedError("a stack file is a mapping that begins with config:", 1)
            file.data = _build(file, root, ())
    except _RefusedError as refusal:
        file.data, file.mistakes, file.refused = {}, [refusal.mistake], True
    return file


def _text(path: FilePath) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(LONGEST + 1)
    except OSError as error:
        raise _RefusedError(f"cannot be read: {(error.strerror or 'no such file').lower()}") from None
    except ValueError:
        raise _RefusedError("cannot be read: that is no file name") from None
    if len(content) > LONGEST:
        raise _RefusedError(f"larger than {LONGEST // 1024} KB; that is no stack file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _RefusedError(f"byte {error.start + 1} is not UTF-8; save the file as UTF-8", line) from None


def _compose(text: str) -> yaml.Node | None:
    try:
        _refuse_unusual(text)
        root: yaml.Node | None = yaml.compose(text, _Loader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _RefusedError(
            f"the character U+{ord(text[error.position]):04X} does not belong in a stack file", line
        ) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = mark.line + 1 if mark else None
        raise _RefusedError(f"not readable as YAML: {_reason(error)}", where) from None
    except (yaml.YAMLError, ValueError, OverflowError):
        raise _RefusedError("not readable as YAML") from None
    return root


def _reason(error: yaml.MarkedYAMLError) -> str:
    problem = printable(error.problem or "something is out of place", 120)
    if "'\\t'" in problem:
        return "a tab; indent with spaces"
    return f"{error.context}, {problem}" if error.context else problem


def _refuse_unusual(text: str) -> None:
    """What Pulumi would accept but a reader or a diff does not see through, and nesting that no setting has."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _RefusedError("anchors and aliases are not used in stack files; write the value out", line)
        if isinstance(event, yaml.NodeEvent) and getattr(event, "tag", None):
            raise _RefusedError("tags (!...) are not used in stack files", line)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise _RefusedError(f"nested more than {DEEPEST} deep; no setting is", line)


def _build(file: StackFile, node: yaml.Node, path: Path) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(file, node, path)
    if isinstance(node, yaml.SequenceNode):
        entries = []
        for index, entry in enumerate(node.value):
            place: Path = (*path, index)
            file.lines[place] = entry.start_mark.line + 1
            entries.append(_build(file, entry, place))
        return entries
    return _scalar(node)


def _mapping(file: StackFile, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise _RefusedError("a key has to be text", line)
        place = (*path, key.value)
        if key.value in values:
            file.mistakes.append(Mistake(place, f"given twice, first in line {file.lines[place]}; keep one", line))
            continue
        file.lines[place] = line
        values[key.value] = _build(file, value, place)
    return values


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    kind = node.tag.removeprefix(_CORE)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        # Longer numbers are no setting, and Python refuses to read very long ones.
        return int(text) if len(text) < 20 else 2**64
    return float(text) if kind == "float" else text
