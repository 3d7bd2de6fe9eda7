"""SQL injection in the address: a short list of shapes that no honest address has.

Cloudflare's managed rules know many more and weigh them; this rule is for plans and days without them, so it only
stops what is certain. Shapes that prose can have ("the union select committee", "the boys' or girls' team") are left
out: each one here holds a quote beside an operator, a call, a comment, or words that only a database knows.
"""

from __future__ import annotations

from components.edge.rules.words import Rule, any_of, quote, rule

ADDRESS = 'lower(url_decode(http.request.uri, "r"))'
"""Decoded again and again, so that %2527 hides nothing."""

_TAUTOLOGIES = (
    "' or '",
    "' and '",
    '" or "',
    '" and "',
    "' or 1",
    '" or 1',
    " or 1=1",
    " and 1=1",
    "' or true",
    "'or'",
)
_UNIONS = ("union select null", "union all select", "union/**/", "union(select")
_CALLS = ("sleep(", "benchmark(", "waitfor delay", "extractvalue(", "updatexml(", "load_file(", "xp_cmdshell")
_STACKED = ("; drop table ", ";drop table ", "'; delete ", "'; insert ", "'; update ", "'; exec ")
_TABLES = ("information_schema.", "pg_catalog.", "sqlite_master", "into outfile", "into dumpfile")
_ENDS = ("'--", "' --", "'/*", "'||'")

SHAPES = (*_TAUTOLOGIES, *_UNIONS, *_CALLS, *_STACKED, *_TABLES, *_ENDS)


def sql_injection() -> Rule:
    expression = any_of(f"{ADDRESS} contains {quote(shape)}" for shape in SHAPES)
    return rule("sql-injection", "SQL injection in the address", expression, "block")
