"""Pulumi's property values on the wire and as plain Python data."""

from dataclasses import dataclass
from typing import Any

from google.protobuf import struct_pb2

Values = dict[str, Any]
Sides = tuple[Values, Values]
Found = Sides | None

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the protocol's marker, not a secret
RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
ASSETS = ("c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7")
UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
UNKNOWN_WORDS = frozenset(
    (
        UNKNOWN_STRING,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    )
)


class Unknown:
    """The one value that is not known yet."""

    def __repr__(self) -> str:
        return "<unknown>"


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value the engine must encrypt in its state and never print."""

    value: Any

    def __repr__(self) -> str:
        return "<secret>"


def plain(value: Any) -> Any:
    """Drop the secret marks, at every depth."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def is_unknown(value: Any) -> bool:
    """Say whether a value is unknown as a whole (a secret unknown counts)."""
    return value is UNKNOWN or (isinstance(value, Secret) and is_unknown(value.value))


def decode(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Turn a request's properties into Python data; null properties are absent ones."""
    items = ((key, _decode(value)) for key, value in struct.fields.items())
    return {key: value for key, value in items if value is not None}


def _decode(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value in UNKNOWN_WORDS else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    return _decode_object(decode(value.struct_value)) if kind == "struct_value" else None


def _decode_object(fields: dict[str, Any]) -> Any:
    signature = fields.get(SIGNATURE)
    if signature == SECRET:
        return Secret(fields["value"]) if "value" in fields else None
    if signature == OUTPUT:
        value = fields.get("value", UNKNOWN)
        return Secret(value) if fields.get("secret") else value
    if signature == RESOURCE:
        return fields.get("id", UNKNOWN)
    return fields


def encode(properties: dict[str, Any]) -> struct_pb2.Struct:
    """Turn Python data into properties for an answer."""
    return struct_pb2.Struct(fields={key: _encode(value) for key, value in properties.items()})


def _encode(value: Any) -> struct_pb2.Value:  # noqa: PLR0911 - one line per kind of value
    if value is UNKNOWN:
        return struct_pb2.Value(string_value=UNKNOWN_STRING)
    if isinstance(value, Secret):
        return struct_pb2.Value(struct_value=encode({SIGNATURE: SECRET, "value": value.value}))
    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, (int, float)):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, dict):
        return struct_pb2.Value(struct_value=encode(value))
    return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[_encode(item) for item in value]))
