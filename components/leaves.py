"""How a single value of a stack file is read: each kind says in words what it allows.

A kind is metadata of an `Annotated` type. It does its own type check, so that a wrong value always gets the same one
sentence, and it writes its own JSON Schema, so that an editor refuses what the program refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

NOT_ALLOWED = "not_allowed"


class NotAllowedError(ValueError):
    """Raised by `Leaf.read`; the text, when there is one, says more than the kind's own sentence."""


@dataclass(frozen=True)
class Leaf:
    """A kind of value: `allowed` completes the sentence "allowed is ..."."""

    allowed: str

    def read(self, given: Any) -> Any:
        raise NotImplementedError

    def admit(self, value: Any) -> Any:
        """The same for a value that Python code gives: kinds with a form of their own accept that as well."""
        return self.read(value)

    def write(self, value: Any) -> Any:
        return value

    def json_schema(self) -> dict[str, Any]:
        raise NotImplementedError

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(self.write, when_used="json"),
        )

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**self.json_schema(), "description": self.allowed}

    def _validate(self, given: Any, info: ValidationInfo) -> Any:
        try:
            return self.read(given) if info.mode == "json" else self.admit(given)
        except NotAllowedError as refusal:
            raise PydanticCustomError(NOT_ALLOWED, "{allowed}", {"allowed": str(refusal) or self.allowed}) from None


@dataclass(frozen=True)
class Text(Leaf):
    """A string of one shape. `check` refuses what a pattern cannot tell, `tidy` gives it its normal form."""

    pattern: str = r"[\s\S]+"
    longest: int = 255
    check: Callable[[str], bool] | None = None
    tidy: Callable[[str], str] | None = None

    def read(self, given: Any) -> str:
        if not isinstance(given, str) or len(given) > self.longest or not re.fullmatch(self.pattern, given):
            raise NotAllowedError
        if self.check is not None and not self.check(given):
            raise NotAllowedError
        return self.tidy(given) if self.tidy else given

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^(?:{self.pattern})$", "maxLength": self.longest}


@dataclass(frozen=True)
class Whole(Leaf):
    """A whole number within bounds."""

    low: int = 0
    high: int = 2**31 - 1

    def read(self, given: Any) -> int:
        if type(given) is not int or not self.low <= given <= self.high:
            raise NotAllowedError
        return given

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


def whole(low: int, high: int) -> Whole:
    return Whole(f"a whole number from {low} to {high}", low, high)


@dataclass(frozen=True)
class Decimal(Leaf):
    """A number that may have a fraction, within bounds."""

    low: float = 0.0
    high: float = 1.0

    def read(self, given: Any) -> float:
        if type(given) not in (int, float) or not self.low <= given <= self.high:
            raise NotAllowedError
        return float(given)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": self.low, "maximum": self.high}


def decimal(low: float, high: float) -> Decimal:
    return Decimal(f"a number from {low:g} to {high:g}", low, high)


@dataclass(frozen=True)
class Quantity(Leaf):
    """A number with its unit, as people write it; the program sees a whole number of the smallest unit.

    Python code (defaults, tests) gives that whole number directly; a stack file cannot, because a bare 512 does not
    say what it counts.
    """

    noun: str = "a quantity"
    units: tuple[tuple[str, int], ...] = ()
    low: int = 0
    high: int = 2**53

    def read(self, given: Any) -> int:
        pattern = rf"([0-9]{{1,15}}) ?({self._unit_pattern()})"
        found = re.fullmatch(pattern, given) if isinstance(given, str) else None
        if found is None:
            raise NotAllowedError
        return self.admit(int(found[1]) * dict(self.units)[found[2]])

    def admit(self, value: Any) -> int:
        if type(value) is not int:
            return self.read(value)
        if not self.low <= value <= self.high:
            raise NotAllowedError
        return value

    def write(self, value: int) -> str:
        for unit, size in sorted(self.units, key=lambda each: -each[1]):
            if value and value % size == 0:
                return f"{value // size}{unit}"
        return f"{value}{self.units[0][0]}"

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": rf"^[0-9]{{1,15}} ?({self._unit_pattern()})$"}

    def between(self, low: str, high: str) -> Quantity:
        """The same kind of quantity within bounds, which are written as a stack file writes them."""
        return Quantity(f"{self.noun} from {low} to {high}", self.noun, self.units, self.read(low), self.read(high))

    def _unit_pattern(self) -> str:
        return "|".join(sorted((re.escape(unit) for unit, _ in self.units), key=len, reverse=True))


class Written:
    """A value of several parts that a stack file writes as one string: a base for `ImageRef` and `Rate`."""

    @classmethod
    def kind(cls) -> Leaf:
        raise NotImplementedError

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return cls.kind().__get_pydantic_core_schema__(source, handler)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return cls.kind().__get_pydantic_json_schema__(core, handler)


@dataclass(frozen=True)
class Parts(Leaf):
    """Reads such a string into an instance of `into`, by the named groups of `pattern`."""

    into: type[Any] = str
    pattern: str = ""

    def read(self, given: Any) -> Any:
        found = re.fullmatch(self.pattern, given) if isinstance(given, str) and len(given) < 600 else None
        if found is None:
            raise NotAllowedError
        return self.into.from_parts(found.groupdict())

    def admit(self, value: Any) -> Any:
        return value if isinstance(value, self.into) else self.read(value)

    def write(self, value: Any) -> str:
        return str(value)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^(?:{re.sub(r'[?]P<[a-z]+>', '?:', self.pattern)})$"}
