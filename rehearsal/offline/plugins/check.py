"""Inputs against the SDK's types: every mistake with its path, defaults, and generated names."""

import difflib
import hashlib
import json
import math
import re
import secrets
from dataclasses import dataclass
from typing import Any

from rehearsal.offline.plugins.behaviour import NESTED_DEFAULTS, Rules
from rehearsal.offline.plugins.refusal import Refusal
from rehearsal.offline.plugins.schema import Type
from rehearsal.offline.plugins.wire import ASSETS, SIGNATURE, Secret, Values, is_unknown

DEFAULTS = "__defaults"
_WORDS = {"str": "a string", "int": "a whole number", "float": "a number", "bool": "true or false"}
_BOOLEANS = {"true": True, "false": False}


class Checker:
    """Validates one resource's inputs and collects what is wrong with them."""

    def __init__(self, schema: Values, bridged: bool, coerce: bool = True) -> None:
        self.schema, self.bridged, self.coerce = schema, bridged, bridged and coerce
        self.failures: list[str] = []

    def properties(self, values: Values, types: Values, path: str = "") -> Values:
        """Check an object's properties, give them back in the types that the plugin works with."""
        for name, (_, required) in types.items():
            if required and values.get(name) is None:
                self.failures.append(f"{path}{name} is required, but was not given.")
        return {name: self._property(name, value, types, path) for name, value in values.items()}

    def _property(self, name: str, value: Any, types: Values, path: str) -> Any:
        if name in types:
            return self._value(value, types[name][0], f"{path}{name}")
        if not name.startswith("__"):
            near = difflib.get_close_matches(name, types, 1)
            hint = f"Did you mean {path}{near[0]}?" if near else f"Known are: {', '.join(sorted(types))}."
            self.failures.append(f"{path}{name} is not a known property. {hint}")
        return value

    def _value(self, value: Any, type_: Type, path: str) -> Any:
        if isinstance(value, Secret):
            return Secret(self._value(value.value, type_, path))
        if value is None or is_unknown(value) or type_ == "any":
            return value
        return self._scalar(value, type_, path) if isinstance(type_, str) else self._compound(value, type_, path)

    def _scalar(self, value: Any, type_: str, path: str) -> Any:
        if type_ == "asset":
            if isinstance(value, dict) and value.get(SIGNATURE) in ASSETS:
                return value
            return self._wrong(value, "an asset or an archive", path)
        converted = _convert(value, type_, self.coerce)
        return self._wrong(value, _WORDS[type_], path) if converted is None else converted

    def _compound(self, value: Any, type_: Type, path: str) -> Any:
        kind = type_[0]
        if kind == "enum":
            allowed = ", ".join(str(option) for option in type_[1])
            closed = self.bridged and value not in type_[1]  # pulumi-command passes any value on
            return self._wrong(value, f"one of {allowed}", path) if closed else value
        if kind == "either":
            return self._either(value, type_[1:], path)
        if kind == "list" and isinstance(value, list):
            return [self._value(item, type_[1], f"{path}[{index}]") for index, item in enumerate(value)]
        if kind == "list" or not isinstance(value, dict):
            return self._wrong(value, {"list": "a list", "obj": "an object", "map": "a map"}[kind], path)
        if kind == "obj":
            return self.properties(value, self.schema["objects"][type_[1]], f"{path}.")
        return {key: self._value(item, type_[1], f"{path}.{key}") for key, item in value.items()}

    def _either(self, value: Any, options: list[Type], path: str) -> Any:
        best: Checker | None = None
        for option in options:
            trial = Checker(self.schema, self.bridged, coerce=False)
            result = trial._value(value, option, path)
            if not trial.failures:
                return result
            if best is None or len(trial.failures) > len(best.failures) or isinstance(value, dict):
                best = trial
        self.failures.extend(best.failures if best else [])
        return value

    def _wrong(self, value: Any, wanted: str, path: str) -> Any:
        self.failures.append(f"{path} must be {wanted}, but is {_name(value)}.")
        return value


def _name(value: Any) -> str:
    """Name the kind of a value, never the value: it may be a secret."""
    kinds = {bool: "a boolean", int: "a whole number", float: "a fraction", str: "a string", list: "a list"}
    name = kinds.get(type(value), "an object")
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,20}(\.\d+)?", value):
        return "a string of digits"
    return name


def _convert(value: Any, type_: str, coerce: bool) -> Any:
    """Give the value in this type, or None; "80" passes for 80 where the real plugin lets it pass."""
    if isinstance(value, bool):
        return value if type_ == "bool" else (str(value).lower() if type_ == "str" and coerce else None)
    if type_ == "str":
        return value if isinstance(value, str) else (str(value) if coerce and isinstance(value, (int, float)) else None)
    if isinstance(value, str) and coerce:
        value = _BOOLEANS.get(value) if type_ == "bool" else _number(value)
    if type_ == "bool":
        return value if isinstance(value, bool) else None
    if isinstance(value, float) and type_ == "int":
        return None
    return value if isinstance(value, (int, float)) else None


def _number(text: str) -> int | float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return (int(number) if number.is_integer() else number) if math.isfinite(number) else None


def normalise(values: Values) -> Values:
    """Write policy documents given as data in the form that the real plugin stores: JSON text."""
    policy = values.get("policy")
    if isinstance(policy, dict) and SIGNATURE not in policy:
        return {**values, "policy": json.dumps(policy, sort_keys=True, separators=(",", ":"))}
    return values


def nested_defaults(value: Any, type_: Type, objects: Values) -> Any:
    """Add the defaults within lists and objects, each object with its note of them, as the bridge does.

    For a property that the program ignores the engine gives the old inputs, which have their note already.
    """
    if isinstance(value, list) and type_[0] == "list":
        return [nested_defaults(item, type_[1], objects) for item in value]
    if not isinstance(value, dict) or type_[0] != "obj" or SIGNATURE in value:
        return value
    types, defaults = objects[type_[1]], NESTED_DEFAULTS.get(type_[1], {})
    added = {key: default for key, default in defaults.items() if value.get(key) is None}
    deep = {key: nested_defaults(item, types[key][0], objects) for key, item in value.items() if key != DEFAULTS}
    return {**deep, **added, DEFAULTS: sorted({*added, *value.get(DEFAULTS, ())})}


def with_defaults(values: Values, olds: Values, rules: Rules, named: "Naming") -> Values:
    """Add the defaults, and a generated name (the old one, while it was generated too)."""
    added = {key: value for key, value in rules.defaults.items() if values.get(key) is None}
    given = (values.get(rules.autoname), values.get(f"{rules.autoname}Prefix"))
    if rules.autoname and given == (None, None):
        old = olds.get(rules.autoname) if rules.autoname in olds.get(DEFAULTS, ()) else None
        added[rules.autoname] = old or named.generate(rules)
    return {**values, **added, DEFAULTS: sorted(added)}


@dataclass(frozen=True)
class Naming:
    """What the engine says about the name of a resource that the program did not name."""

    name: str
    seed: bytes = b""
    proposed: str = ""
    disabled: bool = False

    def generate(self, rules: Rules) -> str:
        """Give the engine's proposal, or the resource's name with seven hex digits (the seed makes it repeatable)."""
        if self.disabled:
            raise Refusal(f"{self.name} needs {rules.autoname}: pulumi:autonaming is disabled for this stack.")
        if self.proposed:
            return self.proposed
        random = hashlib.sha256(self.seed + self.name.encode()).hexdigest() if self.seed else secrets.token_hex(4)
        stem = self.name.lower() if rules.autoname == "bucket" else self.name
        return f"{stem[: rules.autoname_limit - 8]}-{random[:7]}"
