"""What each function of the language computes, once its arguments are known and not missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgerules.language.functions import arrays, crypto, lookup, network, text

IMPLEMENTATIONS: dict[str, Callable[..., Any]] = {
    "any": arrays.any_of,
    "all": arrays.all_of,
    "bit_slice": network.bit_slice,
    "cidr": network.cidr,
    "cidr6": network.cidr6,
    "concat": arrays.concat,
    "decode_base64": crypto.decode_base64,
    "encode_base64": crypto.encode_base64,
    "ends_with": text.ends_with,
    "has_key": arrays.has_key,
    "has_value": arrays.has_value,
    "is_timed_hmac_valid_v0": crypto.is_timed_hmac_valid_v0,
    "join": arrays.join,
    "len": len,
    "lookup_json_integer": lookup.lookup_json_integer,
    "lookup_json_string": lookup.lookup_json_string,
    "lower": bytes.lower,
    "regex_replace": text.regex_replace,
    "remove_bytes": text.remove_bytes,
    "remove_query_args": text.remove_query_args,
    "sha256": crypto.sha256,
    "split": arrays.split,
    "starts_with": text.starts_with,
    "substring": text.substring,
    "to_string": text.to_string,
    "upper": bytes.upper,
    "url_decode": text.url_decode,
    "uuidv4": text.uuidv4,
    "wildcard_replace": text.wildcard_replace,
}

KEEPS_MISSING = frozenset({"concat"})
"""Functions that are called even if an argument is missing; all others are then missing themselves."""
