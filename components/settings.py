"""From a stack's configuration to typed settings: all of it, or every mistake at once.

    settings = load(NeurmaticSettings, pulumi.Config())
    values = read_secrets(pulumi.Config(), required_secrets(NeurmaticSettings, settings))

Both raise one `SettingsError` whose text has one line for each mistake; a program ends with it as a `pulumi.RunError`,
which is printed without a traceback. Nothing here imports pulumi, so that `./infra check` needs no engine.
"""

from __future__ import annotations

import inspect
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from components import placeholders
from components.mistakes import Mistake, Path, SettingsError, unknown_key
from components.section import Section
from components.sentences import sentences

__all__ = [
    "Mistake",
    "SecretSpec",
    "SettingsError",
    "StackSettings",
    "load",
    "notes",
    "parse",
    "read_secrets",
    "required_secrets",
]

DEEPEST = 16


@dataclass(frozen=True)
class SecretSpec:
    """A secret that somebody has to set; what the program generates itself is none."""

    key: str
    why: str
    needed: Callable[[Any], bool] = lambda settings: True

    def command(self, project: str, stack: str | None = None) -> str:
        return f"pulumi config set --secret {project}:{self.key}" + (f" --stack {stack}" if stack else "")


class StackSettings(Section):
    """All settings of one system: the base of NeurmaticSettings and NeuropilotSettings."""

    PROJECT: ClassVar[str]
    SECRETS: ClassVar[tuple[SecretSpec, ...]] = ()
    # A check names the sections it needs as parameters, and `rehearsal` if it matters; it runs when they are readable.
    CHECKS: ClassVar[tuple[Callable[..., Iterable[Mistake]], ...]] = ()
    NOTES: ClassVar[tuple[Callable[..., Iterable[str]], ...]] = ()


Settings = TypeVar("Settings", bound=StackSettings)


class Config(Protocol):
    """What is used of pulumi.Config."""

    def get(self, key: str) -> str | None: ...


class SecretConfig(Protocol):
    """What is used of pulumi.Config to read secrets."""

    def get_secret(self, key: str) -> Any: ...


def load(model: type[Settings], config: Config, *, rehearsal: bool = False) -> Settings:
    """The settings of the stack that a program runs for."""
    given = {name: _value(config.get(name)) for name in model.model_fields}
    data = {name: value for name, value in given.items() if value is not None}
    return parse(model, {**_other_keys(model), **data}, rehearsal=rehearsal, plain_secrets=_plain_secrets(model))


def parse(
    model: type[Settings], data: Mapping[str, Any], *, rehearsal: bool = False, plain_secrets: Iterable[str] = ()
) -> Settings:
    """The settings that plain data describes: a section each, by name."""
    found = inspect_data(model, data, rehearsal)
    mistakes = [*(plain_secret(model, key) for key in plain_secrets), *found.mistakes]
    if found.settings is None or mistakes:
        raise SettingsError(model.PROJECT, mistakes)
    return found.settings


@dataclass(frozen=True)
class Inspection(Generic[Settings]):
    """What could be read: all settings, or at least those sections that are sound by themselves."""

    settings: Settings | None
    readable: Mapping[str, Any]
    mistakes: list[Mistake]


def inspect_data(model: type[Settings], data: Mapping[str, Any], rehearsal: bool) -> Inspection[Settings]:
    """The settings as far as they can be read, and every mistake."""
    shape = list(_shape(data))
    if shape:
        return Inspection(None, {}, shape)
    known = {*model.model_fields, *(spec.key for spec in model.SECRETS)}
    unknown = [Mistake((key,), unknown_key(key, known)) for key in data if key not in known]
    sections = {name: data[name] for name in model.model_fields if name in data}
    settings, invalid = _validate(model, sections)
    wrong = {each.path for each in invalid}
    unset = [each for each in placeholders.find(sections, rehearsal) if each.path not in wrong]
    readable = dict(settings) if settings else _readable(model, sections, list(wrong))
    told = {each.path for each in unset}
    crossed = [each for each in _run_checks(model, readable, rehearsal) if not each.touches(wrong)]
    return Inspection(
        settings, readable, [*unknown, *invalid, *unset, *(each for each in crossed if each.path not in told)]
    )


def notes(settings: StackSettings) -> list[str]:
    """What is allowed and still worth saying, one sentence each."""
    return [text for note in settings.NOTES for text in _call(note, dict(settings))]


def required_secrets(model: type[Settings], settings: Settings) -> list[SecretSpec]:
    """The secrets that these settings need; a provider that is not used asks for none."""
    return [spec for spec in model.SECRETS if spec.needed(settings)]


def read_secrets(
    config: SecretConfig, specs: Sequence[SecretSpec], *, project: str | None = None, stack: str | None = None
) -> dict[str, Any]:
    """Each secret as an Output; those that are not set are named together."""
    values = {spec.key: config.get_secret(spec.key) for spec in specs}
    name = project or str(getattr(config, "name", ""))
    missing = [missing_secret(spec, name, stack) for spec in specs if values[spec.key] is None]
    if missing:
        raise SettingsError(name, missing)
    return values


def missing_secret(spec: SecretSpec, project: str, stack: str | None) -> Mistake:
    return Mistake((spec.key,), f"not set; {spec.why} Set it with: {spec.command(project, stack)}")


def plain_secret(model: type[StackSettings], key: str, stack: str | None = None) -> Mistake:
    spec = next(spec for spec in model.SECRETS if spec.key == key)
    return Mistake(
        (key,), f"given in plain text; a secret is encrypted. Set it with: {spec.command(model.PROJECT, stack)}"
    )


def _value(raw: str | None) -> Any:
    """Pulumi hands over objects as JSON and everything else as it is written."""
    if raw is None or not raw.lstrip().startswith(("{", "[")):
        return raw
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw


def _other_keys(model: type[StackSettings]) -> dict[str, Any]:
    """Keys of this project that no field reads: the language host hands the program all there are."""
    prefix = f"{model.PROJECT}:"
    keys = json.loads(os.environ.get("PULUMI_CONFIG") or "{}")
    return {key.removeprefix(prefix): None for key in keys if key.startswith(prefix)}


def _plain_secrets(model: type[StackSettings]) -> list[str]:
    """Secrets that are set, but in plain text. Only known inside a program that an engine runs."""
    if "PULUMI_CONFIG_SECRET_KEYS" not in os.environ:
        return []
    secret = set(json.loads(os.environ["PULUMI_CONFIG_SECRET_KEYS"] or "[]"))
    given = _other_keys(model)
    return [spec.key for spec in model.SECRETS if spec.key in given and f"{model.PROJECT}:{spec.key}" not in secret]


def _shape(data: Any, path: Path = ()) -> Iterator[Mistake]:
    """What no setting can be, and what would bring the validation itself down."""
    if len(path) > DEEPEST:
        yield Mistake(path[:3], f"nested more than {DEEPEST} deep; no setting is")
    elif isinstance(data, Mapping):
        for key, value in data.items():
            if isinstance(key, str) and _encodable(key):
                yield from _shape(value, (*path, key))
            else:
                yield Mistake(path, f"the key {ascii(key)[:40]} is not text; put it in quotes")
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _shape(value, (*path, index))
    elif isinstance(data, str) and not _encodable(data):
        yield Mistake(path, "given text with half a character (a surrogate)")
    elif isinstance(data, float) and not math.isfinite(data):
        yield Mistake(path, "given a number that is not finite")
    elif isinstance(data, int) and abs(data) >= 2**63:
        yield Mistake(path, "given a number of more than 18 digits")


def _encodable(text: str) -> bool:
    return not any("\ud800" <= each <= "\udfff" for each in text)


def _validate(model: type[Settings], sections: Mapping[str, Any]) -> tuple[Settings | None, list[Mistake]]:
    # By way of JSON, because only there strict means what a stack file means: a list is a tuple, text may be an enum.
    try:
        return model.model_validate_json(_json(sections), strict=True), []
    except ValidationError as error:
        return None, list(sentences(model, error))


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=True)


def _readable(model: type[StackSettings], sections: Mapping[str, Any], wrong: Sequence[Path]) -> dict[str, Any]:
    """The sections without what is wrong in them, so that one mistake does not hide the checks of all the others."""
    readable = {}
    for name, field in model.model_fields.items():
        if name not in sections and not field.is_required():
            readable[name] = field.get_default(call_default_factory=True)
            continue
        repaired = _without(sections.get(name, {}), [path[1:] for path in wrong if path[0] == name and path[1:]])
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(cast(Any, field.annotation))
            readable[name] = adapter.validate_json(_json(repaired), strict=True)
        except ValidationError:
            continue
    return readable


def _without(data: Any, paths: Sequence[Path]) -> Any:
    """A copy without the entries at these paths; a list loses as a whole what one of its entries gets wrong."""
    if not isinstance(data, Mapping):
        return data
    gone = {path[0] for path in paths if len(path) == 1 or not isinstance(data.get(str(path[0])), Mapping)}
    return {
        key: _without(value, [path[1:] for path in paths if path[0] == key and path[1:]])
        for key, value in data.items()
        if key not in gone
    }


def _run_checks(model: type[StackSettings], sections: Mapping[str, Any], rehearsal: bool) -> Iterator[Mistake]:
    for check in model.CHECKS:
        yield from _call(check, {**sections, "rehearsal": rehearsal})


def _call(check: Callable[..., Iterable[Any]], known: Mapping[str, Any]) -> Iterable[Any]:
    wanted = list(inspect.signature(check).parameters)
    return check(**{name: known[name] for name in wanted}) if all(name in known for name in wanted) else ()
