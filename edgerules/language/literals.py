"""Numbers, addresses and ranges: from their text to values, with a sentence where that fails."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, ip_address, ip_network

from edgerules.language.errors import ExpressionError, Finding
from edgerules.language.lexer import VALUES, Token
from edgerules.language.syntax import Address, AddressLiteral, AddressRange, IntRange, Number, SetItem

_INT64 = range(-(2**63), 2**63)


def literal(token: Token) -> Number | AddressLiteral:
    """One number or one address."""
    item = set_item(token)
    if isinstance(item, (Number, AddressLiteral)):
        return item
    raise _error(
        token,
        f"{token.text} is a range and stands only in a set",
        "one value",
        f"write in {{{token.text}}}",
    )


def set_item(token: Token) -> SetItem:
    """A member of a set: a value, `1..9`, `a..b` of addresses, or a CIDR range."""
    text = token.text
    if ".." in text:
        return _range(token)
    if "/" in text:
        return _network(token)
    if ":" in text or text.count(".") == 3:
        return AddressLiteral(token.at, _address(token, text))
    return Number(token.at, _integer(token, text))


def _range(token: Token) -> SetItem:
    first, _, last = token.text.partition("..")
    if ":" in token.text or "." in first:
        low, high = _address(token, first), _address(token, last)
        if low.version != high.version or int(low) > int(high):
            raise _error(token, f"{token.text} is not a range", "two addresses of one family, the lower first")
        return AddressRange(token.at, low, high)
    start, end = _integer(token, first), _integer(token, last)
    if start > end:
        raise _error(token, f"{token.text} is empty", "the lower bound first", f"write {end}..{start}")
    return IntRange(token.at, start, end)


def _network(token: Token) -> AddressRange:
    try:
        network = ip_network(token.text)
    except ValueError:
        raise _bad_network(token) from None
    if not token.text.rpartition("/")[2].isdigit():
        raise _error(token, f"{token.text} has a netmask", "a prefix length", f"write {network}")
    return AddressRange(token.at, network.network_address, network.broadcast_address, network)


def _bad_network(token: Token) -> ExpressionError:
    try:
        network = ip_network(token.text, strict=False)
    except ValueError:
        return _error(token, f"{token.text} is no address range", "an address, a slash and a prefix length")
    bits = 32 if isinstance(network, IPv4Network) else 128
    message = f"{token.text} has bits set after the first {network.prefixlen} of {bits}"
    return _error(token, message, "a network address", f"write {network}")


def _address(token: Token, text: str) -> Address:
    try:
        if "%" not in text:
            return ip_address(text)
    except ValueError:
        pass
    raise _error(token, f"{text or token.text} is no IP address", "an IPv4 or IPv6 address")


def _integer(token: Token, text: str) -> int:
    """Decimal, 0x hexadecimal, or octal after a leading zero, as the engine reads them; 64 bits."""
    if re.fullmatch(r"0x[0-9A-Fa-f]+", text):
        value = int(text, 16)
    elif re.fullmatch(r"0[0-7]*", text):
        value = int(text, 8)
    elif re.fullmatch(r"-?[1-9][0-9]*|-0", text):
        value = int(text) if len(text) < 21 else 2**63
    else:
        raise _error(token, f"{text or token.text} is no number", "an integer or an IP address", _number_hint(text))
    if value not in _INT64:
        raise _error(token, f"{text} does not fit into 64 bits", "a smaller integer")
    return value


def _number_hint(text: str) -> str | None:
    if re.fullmatch(r"\d+\.\d+", text):
        return "the language has no fractions"
    if re.fullmatch(r"0\d+", text):
        return f"a leading zero means octal: write {text.lstrip('0') or '0'}"
    return "put strings in double quotes"


def _error(token: Token, message: str, expected: str | None = None, suggestion: str | None = None) -> ExpressionError:
    return ExpressionError(Finding("syntax", message, token.at, expected, suggestion, VALUES))
