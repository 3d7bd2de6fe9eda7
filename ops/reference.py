"""docs/settings.md: every setting with its type, its default and its meaning, from the models."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from components.leaves import Leaf, Written
from components.sentences import model_of
from components.settings import StackSettings

HEAD = """\
# Settings

Every setting that a stack file can have: `Pulumi.<stack>.yaml` for Neurmatic, `neuropilot/Pulumi.<stack>.yaml` for
NeuroPilot. A stack file says only what differs from the default. `./infra check FILE` names every mistake at once.
An editor that reads JSON Schema checks while you type: the first line of each stack file names the schema.

This page is written by `make generated` from the models in `components/*/config.py`; change those.
"""


_PLAIN: dict[type, str] = {bool: "true or false"}


def reference(models: Iterable[type[StackSettings]]) -> str:
    return "\n".join([HEAD, *(line for model in models for line in _system(model))])


def _system(model: type[StackSettings]) -> Iterator[str]:
    yield f"## {model.PROJECT}\n"
    yield f"{model.__doc__}\n"
    yield from _table(f"{model.PROJECT}:", model, plain_only=True)
    for name, field in model.model_fields.items():
        part = model_of(field.annotation)
        if part:
            yield f"### {model.PROJECT}:{name}\n"
            optional = "" if field.is_required() or field.default is not None else " Unset by default."
            yield f"{_cell(field.description or '')}{optional}\n"
            yield from _table("", part, _default_of(field))
    yield f"### Secrets of {model.PROJECT}\n"
    yield "Set each with `pulumi config set --secret KEY --stack STACK`; `./infra check` names what is missing.\n"
    yield from ("| key | what for |", "|---|---|")
    yield from (f"| `{model.PROJECT}:{spec.key}` | {_cell(spec.why)} |" for spec in model.SECRETS)
    yield ""


def _table(prefix: str, model: type[BaseModel], defaults: Any = None, plain_only: bool = False) -> Iterator[str]:
    yield from ("| key | type | default | meaning |", "|---|---|---|---|")
    yield from _rows(prefix, model, defaults, plain_only)
    yield ""


def _rows(prefix: str, model: type[BaseModel], defaults: Any, plain_only: bool) -> Iterator[str]:
    """One row for each setting; what an outer default says about an inner setting counts."""
    written = (defaults or model.model_construct()).model_dump(mode="json", warnings=False)
    for name, field in model.model_fields.items():
        part, key, meaning = model_of(field.annotation), f"{prefix}{name}", _cell(field.description or "")
        many = get_origin(field.annotation) is tuple
        if part is None:
            yield f"| `{key}` | {_cell(kind(field))} | {_default(field, written.get(name))} | {meaning} |"
        elif not plain_only:
            if many or field.default is None:
                yield f"| `{key}` | {'list of mappings' if many else 'mapping'} | unset | {meaning} |"
            inner = getattr(defaults, name, None) if defaults else _default_of(field)
            below = f"{key}[]." if many else f"{key}."
            yield from _rows(below, part, inner if isinstance(inner, part) else None, plain_only)


def kind(field: FieldInfo) -> str:
    leaf = next((each for each in field.metadata if isinstance(each, Leaf)), None)
    return leaf.allowed if leaf else _kind_of(field.annotation)


def _kind_of(annotation: Any) -> str:
    leaf = next((each for each in getattr(annotation, "__metadata__", ()) if isinstance(each, Leaf)), None)
    if leaf:
        return leaf.allowed
    # By its arguments, because tuple[...] counts as a class in Python 3.10.
    return _kind_of_container(annotation) if get_args(annotation) else _kind_of_class(annotation)


def _kind_of_class(annotation: type) -> str:
    if issubclass(annotation, Enum):
        values = [each.value for each in annotation]
        return f"{', '.join(values[:-1])} or {values[-1]}"
    if issubclass(annotation, Written):
        return annotation.kind().allowed
    return _PLAIN[annotation]


def _kind_of_container(annotation: Any) -> str:
    """Lists, mappings, and what may be unset; a type that is none of them fails here, before it fails a reader."""
    inner = [_kind_of(each) for each in get_args(annotation) if each not in (type(None), Ellipsis)]
    if get_origin(annotation) is tuple:
        return f"list: each {inner[0]}"
    if get_origin(annotation) is dict:
        return f"mapping: {inner[0]}; to {inner[1]}"
    return inner[0]


def _default(field: FieldInfo, written: Any) -> str:
    if field.is_required():
        return "required"
    if written in (None, [], {}):
        return "unset" if written is None else "empty"
    if isinstance(written, list):
        return ", ".join(f"`{_cell(str(each))}`" for each in written)
    text = written if isinstance(written, str) else json.dumps(written)
    return f"`{_cell(text)}`" if text else "empty"


def _default_of(field: FieldInfo) -> Any:
    return None if field.default is PydanticUndefined else field.default


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
