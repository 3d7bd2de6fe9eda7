"""Single values of a stack file, written in place: comments, order and everything else stay byte for byte."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from ops.errors import OperatorError


def written(path: Path, section: tuple[str, ...], values: Mapping[str, str]) -> str:
    """The file's text with these values in the section below `config`, which is made when there is none."""
    text = path.read_text()
    for key, value in values.items():
        text = _with(text, path, section, key, value)
    return text


def _with(text: str, path: Path, section: tuple[str, ...], key: str, value: str) -> str:
    node, above = _root(text, path), 0
    for part in section:
        deeper = dict(_pairs(node)).get(part)
        if deeper is None or _is_empty(deeper):
            break
        node, above = _block(deeper, path, section[: above + 1]), above + 1
    there = dict(_pairs(node)).get(key) if above == len(section) else None
    if there is not None:
        return text[: there.start_mark.index] + value + text[there.end_mark.index :]
    return _inserted(text, node, section[above:], key, value)


def _inserted(text: str, node: yaml.MappingNode, missing: tuple[str, ...], key: str, value: str) -> str:
    """First in its section, where no comment of what follows can come between."""
    first = node.value[0][0].start_mark
    empty = _empty_line(text, node, missing[0]) if missing else None
    at, column = (empty, first.column + 2) if empty is not None else (first.index - first.column, first.column)
    missing = missing[1:] if empty is not None else missing
    lines = [f"{' ' * (column + 2 * depth)}{part}:" for depth, part in enumerate(missing)]
    lines.append(f"{' ' * (column + 2 * len(missing))}{key}: {value}")
    return text[:at] + "\n".join(lines) + "\n" + text[at:]


def _empty_line(text: str, node: yaml.MappingNode, key: str) -> int | None:
    """Where the line after `key:` begins, which stands there without a value."""
    for name, value in node.value:
        if name.value == key and _is_empty(value):
            return text.index("\n", name.end_mark.index) + 1
    return None


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and not node.value


def _root(text: str, path: Path) -> yaml.MappingNode:
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise OperatorError(
            f"{path.name} is not readable as YAML: `./infra check {path}` says where. {error}"
        ) from None
    config = dict(_pairs(root)).get("config") if isinstance(root, yaml.MappingNode) else None
    return _block(config, path, ("config",))


def _block(node: yaml.Node | None, path: Path, place: tuple[str, ...]) -> yaml.MappingNode:
    if not isinstance(node, yaml.MappingNode) or node.flow_style or not node.value:
        raise OperatorError(
            f"{path.name}: {' > '.join(place)} is not written as lines of `key: value`: write it so, or change it "
            "by hand."
        )
    return node


def _pairs(node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
    return ((str(key.value), value) for key, value in node.value)
