"""What functions accept: how many arguments, of which type and form, with which meaning."""

from __future__ import annotations

import re

from edgerules.language.errors import ExpressionError, Finding
from edgerules.language.operands import check_regex, check_wildcard
from edgerules.language.printer import to_text
from edgerules.language.regex import group_count
from edgerules.language.syntax import AddressLiteral, Call, Expr, Field, Node, Number, Text, walk
from edgerules.language.wildcard import split_pattern
from edgerules.tables.functions import FUNCTIONS, Function, Param
from edgerules.tables.kinds import STRING, Kind

_CODES = {"String": "S", "Bytes": "S", "Integer": "I", "Boolean": "B", "IP address": "P", "Array": "A", "Map": "M"}
_NAMES = {
    "S": "a String",
    "I": "an Integer",
    "B": "a Boolean",
    "P": "an IP address",
    "A": "an Array",
    "AB": "a comparison with [*] or an Array<Boolean>",
    "AS": "an Array<String>",
    "M": "a Map",
}
_OPTIONS = {"url_decode": (1, "ru"), "encode_base64": (1, "up"), "wildcard_replace": (3, "s")}
_OPTIONS["is_timed_hmac_valid_v0"] = (5, "s")
_QUERY_FIELDS = ("http.request.uri.query", "raw.http.request.uri.query")
_REPLACERS = ("regex_replace", "wildcard_replace")
_MAX_REFERENCES = 8


def check_count(node: Call, function: Function) -> None:
    count, most = len(node.args), function.most
    if function.least <= count and (most is None or count <= most):
        return
    wanted = f"{function.least}" if most == function.least else f"{function.least} to {most}"
    if most is None:
        wanted = f"at least {function.least}"
    raise error(node, f"{node.name} was given {count} arguments", f"{wanted}: {function.signature()}", node=node)


def check_argument(node: Call, function: Function, index: int, arg: Expr, kind: Kind) -> None:
    param = function.params[min(index, len(function.params) - 1)]
    if not any(_accepts(code, kind) for code in param.takes):
        _fail_type(node, param, arg, kind)
    literal = isinstance(arg, (Text, Number, AddressLiteral))
    if param.form == "literal" and not literal:
        raise error(node, f"{param.name} of {node.name} is computed", "a literal", node=arg)
    if param.form == "computed" and literal:
        message = f"{param.name} of {node.name} is a literal"
        raise error(node, message, "a field, or a function of one", node=arg)
    if isinstance(arg, Number):
        _check_bounds(node, param, arg)


def _accepts(code: str, kind: Kind) -> bool:
    if code in ("AB", "AS"):
        wanted = "B" if code == "AB" else "S"
        return kind.is_array and kind.inner is not None and _CODES[kind.inner.name] == wanted
    return _CODES[kind.name] == code


def _fail_type(node: Call, param: Param, arg: Expr, kind: Kind) -> None:
    wanted = " or ".join(_NAMES[code] for code in param.takes)
    hint = None
    if kind.is_array and "A" not in param.takes and "AB" not in param.takes:
        hint = f"write {to_text(arg)}[*] to call {node.name} for every element, or [0] for the first"
    elif kind.is_array and kind.inner and kind.inner.name != "Boolean" and "AB" in param.takes:
        hint = f'compare its elements, as in {node.name}({to_text(arg)}[*] eq "...")'
    elif param.takes == ("S",) and isinstance(arg, Number):
        hint = f'write "{arg.value}"'
    raise error(node, f"{param.name} of {node.name} is of type {kind}", wanted, hint, node=arg)


def _check_bounds(node: Call, param: Param, arg: Number) -> None:
    low, high = param.low, param.high
    if (low is None or arg.value >= low) and (high is None or arg.value <= high):
        return
    wanted = f"{low} to {high}" if high is not None else f"{low} or more"
    raise error(node, f"{param.name} of {node.name} is {arg.value}", wanted, node=arg)


def concat_kind(node: Call, kinds: list[Kind]) -> Kind:
    """concat joins strings (and integers) into a string, or arrays of one type into an array."""
    first = kinds[0]
    for arg, kind in zip(node.args, kinds, strict=True):
        if kind.is_array != first.is_array or (first.is_array and kind != first):
            raise error(node, f"concat joins {first} with {kind}", "arguments of one type", node=arg)
    return first if first.is_array else STRING


def check_meaning(node: Call) -> None:
    """The rules of single functions, beyond types."""
    _check_options(node)
    if node.name == "regex_replace":
        _check_regex_replace(node)
    elif node.name == "wildcard_replace":
        _check_wildcard_replace(node)
    elif node.name == "remove_query_args":
        _check_query_field(node)
    elif node.name == "bit_slice":
        _check_slice(node)
    elif node.name == "split" and _text(node, 1) == b"":
        raise error(node, "the separator of split is empty", "at least one character", node=node.args[1])
    elif node.name.startswith("lookup_json_"):
        for arg in node.args[1:]:
            if isinstance(arg, Number) and arg.value < 0:
                raise error(node, f"the position {arg.value} is negative", "a position from 0", node=arg)


def _check_options(node: Call) -> None:
    index, known = _OPTIONS.get(node.name, (0, ""))
    if not known or len(node.args) <= index:
        return
    given = (_text(node, index) or b"").decode("ascii", "replace")
    if not given or set(given) - set(known) or len(set(given)) < len(given):
        wanted = " and ".join(f'"{letter}"' for letter in known)
        message = f'"{given}" is no option of {node.name}'
        raise error(node, message, f"letters out of {wanted}", node=node.args[index])


def _check_regex_replace(node: Call) -> None:
    pattern = node.args[1]
    if isinstance(pattern, Text):
        check_regex(pattern)
        _check_references(node, group_count(pattern.value))


def _check_wildcard_replace(node: Call) -> None:
    pattern = node.args[1]
    if isinstance(pattern, Text):
        check_wildcard(pattern)
        _check_references(node, len(split_pattern(pattern.value)) - 1)


def _check_references(node: Call, groups: int) -> None:
    """`${1}` names a group that exists, `$$` is a dollar sign, anything else after $ is a slip."""
    replacement = _text(node, 2) or b""
    rest = replacement.replace(b"$$", b"")
    references = re.findall(rb"\$\{(\d+)\}", rest)
    if b"$" in re.sub(rb"\$\{\d+\}", b"", rest):
        hint = "write ${1} for the first group, or $$ for a dollar sign"
        raise error(node, "a $ without a number in braces", None, hint, node=node.args[2])
    if len(references) > _MAX_REFERENCES:
        message = f"{len(references)} references in the replacement"
        raise error(node, message, f"at most {_MAX_REFERENCES}", node=node.args[2])
    for reference in references:
        if not 0 < int(reference) <= groups:
            message = f"${{{int(reference)}}} refers to a group that the pattern does not have"
            raise error(node, message, f"a number from 1 to {groups}", node=node.args[2])


def _check_query_field(node: Call) -> None:
    field = node.args[0]
    if not isinstance(field, Field) or field.name not in _QUERY_FIELDS:
        raise error(node, f"remove_query_args works on {to_text(field)}", " or ".join(_QUERY_FIELDS), node=field)


def _check_slice(node: Call) -> None:
    start, end = node.args[1], node.args[2]
    if isinstance(start, Number) and isinstance(end, Number) and not 0 < end.value - start.value <= 32:
        message = f"bit_slice reads {end.value - start.value} bits"
        raise error(node, message, "1 to 32 bits", "join several calls with and", node=end)


def check_replacements(expr: Expr) -> None:
    """regex_replace and wildcard_replace stand once each, and never inside each other."""
    seen: set[str] = set()
    for node in walk(expr):
        if not isinstance(node, Call) or node.name not in _REPLACERS:
            continue
        if node.name in seen:
            raise error(node, f"{node.name} stands twice in one expression", "one call", node=node)
        seen.add(node.name)
        inside = [part.name for arg in node.args for part in walk(arg) if isinstance(part, Call)]
        nested = [name for name in inside if name in _REPLACERS]
        if nested:
            raise error(node, f"{nested[0]} is nested in {node.name}", "a call of its own", node=node)


def _text(node: Call, index: int) -> bytes | None:
    arg = node.args[index]
    return arg.value if isinstance(arg, Text) else None


def error(
    call: Call, message: str, expected: str | None = None, suggestion: str | None = None, *, node: Node
) -> ExpressionError:
    docs = FUNCTIONS[call.name].docs
    return ExpressionError(Finding("argument", message, node.at, expected, suggestion, docs))
