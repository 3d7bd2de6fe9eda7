"""What the validation found, said as sentences: what was given, what is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from components.leaves import NOT_ALLOWED
from components.mistakes import Mistake, Path, shown, unknown_key

_ALLOWED = {
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of settings",
    "model_type": "a mapping of settings",
    "model_attributes_type": "a mapping of settings",
    "string_type": "text",
    "too_short": "a list of at least one entry",
}


def sentences(model: type[BaseModel], error: ValidationError) -> Iterator[Mistake]:
    """One mistake for each thing that is wrong; a part that is missing as a whole, one for each setting it needs."""
    for each in error.errors(include_url=False):
        path: Path = tuple(part for part in each["loc"] if part != "[key]")
        if each["type"] == "missing":
            yield from _missing(model, path)
        elif each["type"] == "extra_forbidden":
            yield Mistake(path, unknown_key(str(path[-1]), _known(model, path[:-1])))
        else:
            yield Mistake(path, f"given {shown(path, each['input'])}; allowed is {_allowed(each)}")


def _allowed(error: ErrorDetails) -> str:
    if error["type"] == NOT_ALLOWED:
        return str(error["ctx"]["allowed"])
    if error["type"] in ("enum", "literal_error"):
        return str(error["ctx"]["expected"]).replace("'", "")
    return _ALLOWED.get(error["type"], error["msg"])


def _missing(model: type[BaseModel], path: Path) -> Iterator[Mistake]:
    field = _field(model, path)
    part = model_of(field.annotation) if field else None
    if part is None:
        meaning = field.description if field and field.description else "it is required"
        yield Mistake(path, f"not set; {meaning[0].lower()}{meaning[1:]}")
        return
    for name, inner in part.model_fields.items():
        if inner.is_required():
            yield from _missing(model, (*path, name))


def _known(model: type[BaseModel], path: Path) -> list[str]:
    if not path:
        return list(model.model_fields)
    field = _field(model, path)
    part = model_of(field.annotation) if field else None
    return list(part.model_fields) if part else []


def _field(model: type[BaseModel], path: Path) -> FieldInfo | None:
    """The field at a path; positions in lists lead nowhere of their own."""
    part: type[BaseModel] | None = model
    field = None
    for name in path:
        if isinstance(name, int):
            continue
        field = part.model_fields.get(name) if part else None
        part = model_of(field.annotation) if field else None
    return field


def model_of(annotation: Any) -> type[BaseModel] | None:
    """The model in `Model`, `Model | None` or `tuple[Model, ...]`."""
    inner = get_args(annotation)
    if not inner and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in inner if (found := model_of(each))), None)
