"""What is wrong in a stack file: its shape, its keys, its settings, its secrets, and what it shares with others."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from types import SimpleNamespace
from typing import Any

from components.clashes import clashes
from components.edge.plan import plan_notes
from components.mistakes import Mistake, Path, dotted, printable, unknown_key
from components.settings import StackSettings, inspect_data, missing_secret, notes, plain_secret
from components.values import Environment
from neurmatic.settings import NeurmaticSettings
from neuropilot.settings import NeuropilotSettings
from ops.policycheck import policy_mistakes
from ops.stackfile import StackFile, read

MODELS: dict[str, type[StackSettings]] = {each.PROJECT: each for each in (NeurmaticSettings, NeuropilotSettings)}
# What Pulumi itself keeps in a stack file beside the configuration.
PULUMI_KEYS = ("config", "secretsprovider", "encryptedkey", "encryptionsalt", "environment")


@dataclass
class Report:
    """What there is to say about one stack file."""

    path: FilePath
    project: str = ""
    settings: StackSettings | None = None
    mistakes: list[Mistake] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def lines(self) -> Iterable[str]:
        for each in sorted(self.mistakes, key=lambda mistake: mistake.line or 0):
            place = f"{self.path}:{each.line}" if each.line else str(self.path)
            key = f" {dotted(self.project, each.path)}:" if each.path else ""
            yield f"{printable(place, 300)}:{key} {each.text}"

    def as_data(self) -> dict[str, Any]:
        listed = [
            {"key": dotted(self.project, each.path) if each.path else None, "line": each.line, "text": each.text}
            for each in sorted(self.mistakes, key=lambda mistake: mistake.line or 0)
        ]
        return {"file": str(self.path), "ok": not listed, "mistakes": listed, "notes": self.notes}


def check_files(files: Sequence[FilePath], rehearsal: bool) -> list[Report]:
    """A report on each file. The stacks beside them are read as well: some things may not be shared."""
    reports = [check_file(path, rehearsal) for path in files]
    known = {path.resolve() for path in files}
    beside = sorted({other for path in files for other in path.parent.glob("Pulumi.*.yaml")})
    others = [*reports, *(check_file(path, rehearsal) for path in beside if path.resolve() not in known)]
    for report in reports:
        for other in others:
            if other.path.resolve() != report.path.resolve() and report.settings and other.settings:
                stack = read(report.path)
                found = clashes(report.settings, other.settings, str(other.path))
                report.mistakes += [_placed(stack, report.project, each) for each in found]
    return reports


def check_file(path: FilePath, rehearsal: bool) -> Report:
    file = read(path)
    report = Report(path)
    config = file.data.get("config")
    model = None if file.refused else _model(path, config)
    if file.refused:
        report.mistakes = list(file.mistakes)
    elif model is None:
        report.mistakes.append(Mistake((), _no_model(config), file.line(("config",))))
    else:
        report.project = model.PROJECT
        report.mistakes += [_in_project(model.PROJECT, each) for each in file.mistakes]
        _check_top(file, report)
        if config is None or isinstance(config, dict):
            _check_config(file, model, config or {}, rehearsal, report)
    return report


def _model(path: FilePath, config: Any) -> type[StackSettings] | None:
    """By the project beside the file, or by the keys themselves."""
    project = read(path.parent / "Pulumi.yaml").data.get("name")
    if isinstance(project, str) and project in MODELS:
        return MODELS[project]
    prefixes = [str(key).split(":")[0] for key in config] if isinstance(config, dict) else []
    return next((MODELS[prefix] for prefix in prefixes if prefix in MODELS), None)


def _no_model(config: Any) -> str:
    if not isinstance(config, dict):
        return "config: is missing or no mapping; settings are written below it, such as neurmatic:host"
    return (
        f"no key below config: says which system this is; keys begin with {' or '.join(f'{name}:' for name in MODELS)}"
    )


def _check_top(file: StackFile, report: Report) -> None:
    for key in file.data:
        if key not in PULUMI_KEYS:
            text = f"{printable(key, 60)}: {unknown_key(key, PULUMI_KEYS)}"
            report.mistakes.append(Mistake((), text, file.line((key,))))
    if not isinstance(file.data.get("config"), dict | None):
        report.mistakes.append(Mistake((), "config: has to be a mapping of settings", file.line(("config",))))


def _check_config(
    file: StackFile, model: type[StackSettings], config: dict[str, Any], rehearsal: bool, report: Report
) -> None:
    names, strangers = _split(model.PROJECT, config)
    strangers += policy_mistakes(config)
    report.mistakes += [replace(Mistake((), text), line=file.line(("config", key))) for key, text in strangers]
    misplaced = list(_misplaced_secrets(model, names, file))
    found = inspect_data(model, names, rehearsal)
    others = [each for each in found.mistakes if not each.touches(wrong.path for wrong in misplaced)]
    missing = list(_missing_secrets(model, found.readable, names, file))
    optional = rehearsal or "environment" in file.data
    mistakes = [*misplaced, *others, *_wrong_stack(found.readable, file), *([] if optional else missing)]
    report.mistakes += [_placed(file, model.PROJECT, each) for each in mistakes]
    report.settings = found.settings
    if found.settings:
        report.notes += [*notes(found.settings), *edge_notes(found.settings)]
    if optional and missing:
        report.notes.append("secrets still to set: " + ", ".join(each.key(model.PROJECT) for each in missing))


def _split(project: str, config: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """This project's settings by name, and a sentence for every other key."""
    names: dict[str, Any] = {}
    strangers: list[tuple[str, str]] = []
    for key, value in config.items():
        prefix, colon, name = key.partition(":")
        if prefix == project and colon:
            names[name] = value
        elif prefix not in ("pulumi", "policy"):
            strangers.append((key, f"{printable(key, 60)}: {_stranger(project, prefix, name if colon else prefix)}"))
    return names, strangers


def _stranger(project: str, prefix: str, name: str) -> str:
    if prefix in MODELS and prefix != project:
        return f"belongs to another system; this stack's keys begin with {project}:"
    if name in MODELS[project].model_fields and (prefix == name or difflib.get_close_matches(prefix, [project])):
        return f"nothing reads it; did you mean {project}:{name}?"
    return f"nothing reads it, the program makes its own providers; keys begin with {project}: or pulumi:"


def _misplaced_secrets(model: type[StackSettings], names: dict[str, Any], file: StackFile) -> Iterable[Mistake]:
    """Secrets in plain text, and encrypted values where a setting is read: a section would show them."""
    secrets = {spec.key for spec in model.SECRETS}
    stack = stack_name(file.path)
    for name, value in names.items():
        if name in secrets:
            if not is_secure(value):
                yield plain_secret(model, name, stack)
        else:
            for path in _secure_paths(value, (name,)):
                known = ", ".join(sorted(secrets))
                yield Mistake(
                    path, f"an encrypted value, but no setting is a secret; secrets have keys of their own: {known}"
                )


def _wrong_stack(readable: Mapping[str, Any], file: StackFile) -> Iterable[Mistake]:
    """A copied file that still says the other environment would deploy the wrong one's names."""
    environment, stack = readable.get("environment"), stack_name(file.path)
    if environment is not None and environment.value != stack and stack in {each.value for each in Environment}:
        yield Mistake(("environment",), f'given "{environment.value}", but this is the stack {stack}')


def _missing_secrets(
    model: type[StackSettings], readable: Any, names: dict[str, Any], file: StackFile
) -> Iterable[Mistake]:
    for spec in model.SECRETS:
        try:
            needed = spec.needed(SimpleNamespace(**readable))
        except AttributeError:  # the section that decides is not readable: its own mistakes come first
            continue
        if needed and spec.key not in names:
            yield missing_secret(spec, model.PROJECT, stack_name(file.path))


def edge_notes(settings: StackSettings) -> list[str]:
    """What the edge will do otherwise than asked. In a preview the component itself says it."""
    edge, site = getattr(settings, "edge", None), getattr(settings, "site", None)
    return plan_notes(edge, site) if edge and site else []


def stack_name(path: FilePath) -> str:
    return path.name.removeprefix("Pulumi.").removesuffix(".yaml")


def is_secure(value: Any) -> bool:
    """How Pulumi writes an encrypted value."""
    return isinstance(value, dict) and set(value) == {"secure"}


def _secure_paths(value: Any, path: Path) -> Iterable[Path]:
    if is_secure(value):
        yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _secure_paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _secure_paths(inner, (*path, index))


def _in_project(project: str, mistake: Mistake) -> Mistake:
    """The path in the document as a path of settings, where it is one."""
    config, name = [*mistake.path, "", ""][:2]
    if config == "config" and str(name).startswith(f"{project}:"):
        inner = mistake.path[2:]
        return replace(mistake, path=(str(name).removeprefix(f"{project}:"), *inner))
    return replace(mistake, path=(), text=f"{printable(str(mistake.path[-1]), 60)}: {mistake.text}")


def _placed(file: StackFile, project: str, mistake: Mistake) -> Mistake:
    if mistake.line is not None or not mistake.path:
        return mistake
    first, *rest = mistake.path
    return replace(mistake, line=file.line(("config", f"{project}:{first}", *rest)))
