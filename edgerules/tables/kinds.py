"""The types of the Rules language: five scalars, and arrays and maps of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A scalar type, or `Array<inner>` or `Map<inner>` (keys are always strings)."""

    name: str
    inner: Kind | None = None

    def __str__(self) -> str:
        return f"{self.name}<{self.inner}>" if self.inner else self.name

    @property
    def is_array(self) -> bool:
        return self.name == "Array"

    @property
    def is_map(self) -> bool:
        return self.name == "Map"

    @property
    def is_text(self) -> bool:
        """Strings and bytes compare and combine freely: both are sequences of bytes."""
        return self.name in ("String", "Bytes")


STRING = Kind("String")
BYTES = Kind("Bytes")
INTEGER = Kind("Integer")
BOOLEAN = Kind("Boolean")
IP = Kind("IP address")


def array_of(inner: Kind) -> Kind:
    return Kind("Array", inner)


def map_of(inner: Kind) -> Kind:
    return Kind("Map", inner)


_CODES = {"S": STRING, "Y": BYTES, "I": INTEGER, "B": BOOLEAN, "P": IP}


def kind_from_code(code: str) -> Kind:
    """Read the notation of the field table: `MAS` is a map of arrays of strings."""
    head, rest = code[0], code[1:]
    if head == "A":
        return array_of(kind_from_code(rest))
    if head == "M":
        return map_of(kind_from_code(rest))
    return _CODES[head]
