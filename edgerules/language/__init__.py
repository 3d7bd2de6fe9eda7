"""Parse, check, print and evaluate expressions of Cloudflare's Rules language.

expr = parse('http.host eq "example.com" and ip.src in $office', phase="http_request_firewall_custom")
decide = compile_filter(expr, lists={"office": ["192.0.2.0/24"]})
decide({"http.host": b"example.com", "ip.src": ip_address("192.0.2.7")})  # True
"""

from edgerules.language.checker import kind_of
from edgerules.language.errors import ExpressionError, Finding, Position
from edgerules.language.evaluate import Filter, Lists, Request, ValueOf, compile_filter, compile_value
from edgerules.language.parse import check_all, parse
from edgerules.language.printer import to_text
from edgerules.language.syntax import Expr, fields_of, walk
from edgerules.language.unknown import UNKNOWN, Unknown
from edgerules.tables.plans import Plan

__all__ = [
    "UNKNOWN",
    "Expr",
    "ExpressionError",
    "Filter",
    "Finding",
    "Lists",
    "Plan",
    "Position",
    "Request",
    "Unknown",
    "ValueOf",
    "check_all",
    "compile_filter",
    "compile_value",
    "fields_of",
    "kind_of",
    "parse",
    "to_text",
    "walk",
]
