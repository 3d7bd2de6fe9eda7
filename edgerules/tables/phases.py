"""The phases of the ruleset engine: which side they see, and which products' limits they carry."""

from __future__ import annotations

from datetime import date

from edgerules.tables.source import Source

SOURCE = Source("ruleset-engine/reference/phases-list/", date(2026, 11, 1))

REQUEST_PHASES = (
    "http_request_sanitize",
    "http_request_dynamic_redirect",
    "http_request_transform",
    "http_config_settings",
    "http_request_origin",
    "ddos_l7",
    "http_request_firewall_custom",
    "http_ratelimit",
    "http_request_firewall_managed",
    "http_request_sbfm",
    "http_request_redirect",
    "http_request_late_transform",
    "http_request_cache_settings",
)
"""In the order in which a request passes them."""

RESPONSE_PHASES = (
    "http_custom_errors",
    "http_response_headers_transform",
    "http_response_cache_settings",
    "http_response_compression",
    "http_response_firewall_managed",
    "http_log_custom_fields",
)

PACKET_PHASES = (
    "ddos_l4",
    "magic_transit",
    "magic_transit_ids_managed",
    "magic_transit_managed",
    "magic_transit_ratelimit",
)

PHASES = REQUEST_PHASES + RESPONSE_PHASES + PACKET_PHASES

VALUE_PHASES = frozenset(
    {
        "http_request_dynamic_redirect",
        "http_request_transform",
        "http_request_late_transform",
        "http_response_headers_transform",
        "http_request_redirect",
    }
)
"""Phases whose rules can compute a string (a path, a header, a target URL)."""

_TRANSFORM = {"http_request_transform", "http_request_late_transform", "http_response_headers_transform"}
TRANSFORM = frozenset(_TRANSFORM)
HEADER_TRANSFORM = frozenset({"http_request_late_transform", "http_response_headers_transform"})
REWRITE_OR_REDIRECT = frozenset(_TRANSFORM | {"http_request_dynamic_redirect"})
CUSTOM_OR_RATELIMIT = frozenset({"http_request_firewall_custom", "http_ratelimit"})
PACKET = frozenset(PACKET_PHASES)
