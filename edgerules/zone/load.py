"""Make a Zone of a file, or of the rulesets that a Pulumi program declared; every mistake is one sentence."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from edgerules.zone import model, parameters
from edgerules.zone.shapes import by_phase
from edgerules.zone.source import Document, InputError, read


def _keys(*modules: ModuleType) -> set[str]:
    models = (kind for module in modules for kind in vars(module).values() if isinstance(kind, type))
    return {name for kind in models if issubclass(kind, BaseModel) for name in kind.model_fields}


_KNOWN_KEYS = sorted(_keys(model, parameters))


def load(path: str | Path) -> tuple[model.Zone, Document]:
    """The zone in a YAML or JSON file, with the places of its parts."""
    document = by_phase(read(path))
    return build(document), document


def build(document: Document) -> model.Zone:
    """The zone that `document` describes; InputError with one sentence for each mistake otherwise."""
    if not isinstance(document.value, dict):
        raise InputError(f"{document.name}:1: a zone is a mapping with the keys plan and rules.")
    return validate(model.Zone, document)


Kind = TypeVar("Kind", bound=BaseModel)


def validate(kind: type[Kind], document: Document, keys: Iterable[str] = _KNOWN_KEYS) -> Kind:
    """`document` as a model; InputError with one sentence for each mistake. `keys`: what may be meant."""
    try:
        return kind.model_validate(document.value)
    except ValidationError as error:
        sentences = (_sentence(document, item, keys) for item in error.errors(include_url=False))
        raise InputError(*dict.fromkeys(sentences)) from None


def zone_from_rulesets(rulesets: Iterable[Mapping[str, Any]], **zone: Any) -> model.Zone:
    """A zone from resources as they are: each ruleset a mapping with `phase` and `rules`.

    Accepts what pulumi_cloudflare's mocks record (camelCase, whole numbers as floats, nulls) and what the
    API answers. The other parts of the zone (plan, settings, records, lists ...) are keyword arguments.
    """
    value = {**zone, "rulesets": [dict(ruleset) for ruleset in rulesets]}
    return build(by_phase(Document("rulesets", plain(value))))


_NAMES_INSIDE = ("headers", "lists", "rules")
"""Below these stand names that people chose, not the API's: they are kept as they are."""


def plain(value: Any, *, keep_keys: bool = False) -> Any:
    """API names in snake case, no nulls, whole numbers as integers."""
    if isinstance(value, Mapping):
        return {
            key if keep_keys else _snake(str(key)): plain(item, keep_keys=key in ("headers", "lists", "rules"))
            for key, item in value.items()
            if item is not None
        }
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


_PULUMI_NAMES = {"status_code_ttls": "status_code_ttl", "from_": "from"}


def _snake(key: str) -> str:
    name = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match[0].lower(), key)
    return _PULUMI_NAMES.get(name, name)


_UNION_MEMBERS = ("[key]", "str", "int", "float", "dict[str,any]", "Redirect", "ListItem")
"""Pydantic names the member of a union in the location of an error; files have no such key."""


def _sentence(document: Document, error: Any, keys: Iterable[str]) -> str:
    path = tuple(part for part in error["loc"] if part not in _UNION_MEMBERS)
    key = ".".join(str(part) for part in path) or "the zone"
    return f"{document.where(*path)}: {key}: {_explain(error, str(path[-1]) if path else '', keys)}."


def _explain(error: Any, key: str, keys: Iterable[str]) -> str:
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, list(keys), n=1)
        return f"this key is not known here{f'; did you mean {near[0]}?' if near else ''}".rstrip("?")
    if error["type"] == "missing":
        return "this key is required and not there"
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[0].lower() + message[1:]
