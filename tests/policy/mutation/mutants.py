"""Every way of changing one input or option of one resource."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.policy.mutation.hostile import IN_LISTS, by_kind, usual
from tests.policy.mutation.sdk import Documented, documented, resource_type

ABSENT = object()
DEEPEST = 6
OPTIONS = "(options)"
Step = str | int


@dataclass(frozen=True)
class Mutant:
    """One resource of a stack, changed in one place. `value` is ABSENT where something was taken away."""

    resource: dict[str, Any]
    path: tuple[Step, ...]
    flip: str
    value: Any = field(compare=False, hash=False)

    @property
    def pattern(self) -> str:
        """The path with * for each index: the same for every item of a list."""
        return ".".join("*" if isinstance(step, int) else step for step in self.path)

    @property
    def place(self) -> str:
        return ".".join(str(step) for step in self.path)

    def __str__(self) -> str:
        return f"{self.resource['type']} {self.resource['name']}: {self.place} {self.flip}"

    def changed(self) -> dict[str, Any] | None:
        """The resource as it would be declared; None if it would not be."""
        if not self.path:
            return None
        if self.path[0] == OPTIONS:
            return {**self.resource, str(self.path[1]): self.value}
        if self.flip == "in plain text":
            kept = [path for path in self.resource["secrets"] if path != self.place]
            return {**self.resource, "secrets": kept}
        inputs = readable(self.resource)
        _put(inputs, self.path, self.value)
        return {**self.resource, "inputs": _written(self.resource, inputs)}


def _put(place: Any, path: tuple[Step, ...], value: Any) -> None:
    for step, following in itertools.pairwise(path):
        if isinstance(place, dict) and step not in place:
            place[step] = [] if isinstance(following, int) else {}
        if isinstance(place, list) and step == len(place):
            place.append([] if isinstance(following, int) else {})
        place = place[step]
    if value is ABSENT:
        del place[path[-1]]
    elif isinstance(place, list) and path[-1] == len(place):
        place.append(value)
    else:
        place[path[-1]] = value


def mutants(resource: dict[str, Any]) -> Iterator[Mutant]:
    yield Mutant(resource, (), "removed", ABSENT)
    yield from _options(resource)
    for secret in resource["secrets"]:
        yield Mutant(resource, tuple(_step(step) for step in secret.split(".")), "in plain text", None)
    for path, flip, value in _Walk(resource).inputs():
        yield Mutant(resource, path, flip, value)


def _step(text: str) -> Step:
    return int(text) if text.isdigit() else text


def _options(resource: dict[str, Any]) -> Iterator[Mutant]:
    if resource["protect"]:
        yield Mutant(resource, (OPTIONS, "protect"), "dropped", False)
    if resource["retain"]:
        yield Mutant(resource, (OPTIONS, "retain"), "dropped", False)
    yield Mutant(resource, (OPTIONS, "ignoreChanges"), "of everything", ["*"])
    if resource["secretOutputs"]:
        yield Mutant(resource, (OPTIONS, "secretOutputs"), "dropped", [])


Change = tuple[tuple[Step, ...], str, Any]


class _Walk:
    """Every input of one resource, absent ones included, by the type that the SDK gives it."""

    def __init__(self, resource: dict[str, Any]) -> None:
        self.token, self.given = resource["type"], readable(resource)
        self.type = resource_type(self.token)

    def inputs(self) -> Iterator[Change]:
        yield from self._object(self.type["inputs"], self.given, (), documented(self.token))

    def _object(
        self, types: dict[str, Any], given: dict[str, Any], path: tuple[Step, ...], docs: dict[str, Documented]
    ) -> Iterator[Change]:
        for name, (kind, required) in types.items():
            doc = docs.get(name, Documented())
            if name in given:
                yield from self._present(kind, given[name], (*path, name), doc, required)
            else:
                yield from self._absent(kind, (*path, name), doc)

    def _present(
        self, kind: Any, now: Any, path: tuple[Step, ...], doc: Documented, required: bool = False
    ) -> Iterator[Change]:
        name = _name(path)
        if not required and not isinstance(path[-1], int) and now != usual(kind, doc.default):
            yield path, "removed", ABSENT
        if isinstance(now, dict):
            yield from self._inside(kind, now, path)
        elif isinstance(now, list):
            yield from self._items(kind, now, path)
        else:
            yield from ((path, flip, value) for flip, value in by_kind(kind, name, now, doc.values, doc.default))

    def _inside(self, kind: Any, now: dict[str, Any], path: tuple[Step, ...]) -> Iterator[Change]:
        nested = _nested(kind)
        if nested:
            yield from self._object(self.type["objects"][nested], now, path, documented(self.token, nested))
            return
        inner = kind[1] if isinstance(kind, list) and kind[0] == "map" else "any"
        if len(now) > 1:
            yield path, "emptied", {}
        for key, value in now.items():
            yield from self._present(inner, value, (*path, key), Documented())

    def _items(self, kind: Any, now: list[Any], path: tuple[Step, ...]) -> Iterator[Change]:
        inner = kind[1] if isinstance(kind, list) and kind[0] == "list" else "any"
        yield path, "emptied", []
        for value in IN_LISTS.get(_name(path), ()):
            if value not in now:
                yield path, f"with {value}", [*now, value]
        shapes: set[str] = set()
        for index, value in enumerate(now):
            if len(now) > 1:
                yield (*path, index), "removed", ABSENT
            # What is absent from one rule of a kind is absent from the next: it is tried on the first.
            shape = _shape(value)
            alike = shape in shapes
            shapes.add(shape)
            for change in self._present(inner, value, (*path, index), Documented()):
                if not (alike and _adds(value, change[0][len(path) + 1 :])):
                    yield change
        if _nested(inner) and not self._repeats(inner, path):
            yield from self._absent(inner, (*path, len(now)), Documented())

    def _absent(self, kind: Any, path: tuple[Step, ...], doc: Documented) -> Iterator[Change]:
        tag = kind if isinstance(kind, str) else kind[0]
        nested = _nested(kind)
        if nested:
            yield from self._new_object(nested, path)
        elif tag == "list":
            yield from self._new_list(kind[1], path)
        elif tag == "map":
            yield path, "given", {"any": "thing"}
        else:
            yield from (
                (path, flip, value) for flip, value in by_kind(kind, _name(path), None, doc.values, doc.default)
            )

    def _new_list(self, inner: Any, path: tuple[Step, ...]) -> Iterator[Change]:
        if _nested(inner):
            yield from self._absent(inner, (*path, 0), Documented())
            return
        for value in IN_LISTS.get(_name(path), ("anything",)):
            yield path, f"with {value}", [value]

    def _new_object(self, nested: str, path: tuple[Step, ...]) -> Iterator[Change]:
        """An object that is not there: with what it requires, and with each of its inputs in turn."""
        types, docs = self.type["objects"][nested], documented(self.token, nested)
        if self._repeats(["obj", nested], path):
            return
        least = {name: _least(kind, name) for name, (kind, required) in types.items() if required}
        yield path, "given", least
        for name, (kind, _) in types.items():
            for inner, flip, value in self._absent(kind, (*path, name), docs.get(name, Documented())):
                whole = copy.deepcopy(least)
                whole.pop(name, None)
                _put(whole, inner[len(path) :], value)
                yield path, f"with {'.'.join(map(str, inner[len(path) :]))} {flip}", whole

    def _repeats(self, kind: Any, path: tuple[Step, ...]) -> bool:
        return len([step for step in path if isinstance(step, str)]) > DEEPEST


def _nested(kind: Any) -> str | None:
    if isinstance(kind, list) and kind[0] == "either":
        return next((found for each in kind[1:] if (found := _nested(each))), None)
    return str(kind[1]) if isinstance(kind, list) and kind[0] == "obj" else None


def _shape(value: Any) -> str:
    return f"{sorted(value)} {value.get('action')}" if isinstance(value, dict) else ""


def _adds(value: Any, path: tuple[Step, ...]) -> bool:
    """Whether a change puts something where nothing is."""
    for step in path:
        if isinstance(value, dict) and step not in value:
            return True
        if isinstance(value, list) and int(step) >= len(value):
            return True
        value = value[step] if isinstance(value, dict) else value[int(step)] if isinstance(value, list) else None
    return False


def _least(kind: Any, name: str) -> Any:
    tag = kind if isinstance(kind, str) else kind[0]
    simple = {"bool": True, "int": 1.0, "float": 1.0, "list": [], "map": {}, "obj": {}}
    return simple.get(tag, "anything")


def _name(path: tuple[Step, ...]) -> str:
    """What an input is called: items of a list are called as the list is."""
    return next(str(step) for step in reversed(path) if isinstance(step, str))


def readable(resource: dict[str, Any]) -> dict[str, Any]:
    """A copy of the inputs; a provider's own settings arrive as JSON in texts."""
    inputs = copy.deepcopy(resource["inputs"])
    if not resource["type"].startswith("pulumi:providers:"):
        return dict(inputs)
    return {key: _decoded(value) if isinstance(value, str) else value for key, value in inputs.items()}


def _written(resource: dict[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
    if not resource["type"].startswith("pulumi:providers:"):
        return inputs
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in inputs.items()}


def _decoded(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | dict | list) else text
