"""The shapes in which people and programs hand over rules; all become `rules: {phase: [...]}`."""

from __future__ import annotations

from typing import Any

from edgerules.zone.source import Document, InputError, Path_


def by_phase(document: Document) -> Document:
    """`rulesets: [{phase, rules}]`, as the API has them, and a flat list of rules that name their phase."""
    value = document.value
    if not isinstance(value, dict):
        return document
    if isinstance(value.get("rulesets"), list):
        return _from_rulesets(document, value)
    if isinstance(value.get("rules"), list):
        return _from_list(document, value)
    return document


def _from_rulesets(document: Document, value: dict[Any, Any]) -> Document:
    if value.get("rules"):
        raise InputError(f"{document.where('rulesets')}: give either rules or rulesets, not both.")
    rules: dict[str, Any] = {}
    lines = dict(document.lines)
    for index, ruleset in enumerate(value["rulesets"]):
        where = document.where("rulesets", index)
        phase = ruleset.get("phase") if isinstance(ruleset, dict) else None
        if not isinstance(phase, str):
            raise InputError(f"{where}: a ruleset needs the keys phase and rules.")
        if phase in rules:
            raise InputError(
                f"{where}: there is a second ruleset for the phase {phase}; "
                "Cloudflare keeps one for each phase and zone: merge their rules."
            )
        rules[phase] = ruleset.get("rules") or []
        lines |= _moved(document, ("rulesets", index, "rules"), ("rules", phase))
    rest = {key: item for key, item in value.items() if key != "rulesets"}
    return Document(document.name, {**rest, "rules": rules}, lines)


def _from_list(document: Document, value: dict[Any, Any]) -> Document:
    rules: dict[str, list[Any]] = {}
    lines = dict(document.lines)
    for index, rule in enumerate(value["rules"]):
        phase = rule.get("phase") if isinstance(rule, dict) else None
        if not isinstance(phase, str):
            where = document.where("rules", index)
            raise InputError(f"{where}: rules stand under their phase, or each names it with the key phase.")
        here = rules.setdefault(phase, [])
        lines |= _moved(document, ("rules", index), ("rules", phase, len(here)))
        here.append({key: item for key, item in rule.items() if key != "phase"})
    return Document(document.name, {**value, "rules": rules}, lines)


def _moved(document: Document, old: Path_, new: Path_) -> dict[Path_, int]:
    """The lines of everything below `old`, as places below `new`."""
    return {new + path[len(old) :]: line for path, line in document.lines.items() if path[: len(old)] == old}
