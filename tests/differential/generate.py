"""Random expressions and requests of the subset that edgerules shares with wirefilter-engine 0.6.1.

Left out, because the engine of 2019 has none of it: functions, arrays, lists, raw strings, wildcard. Left out, because
it reads them as UTF-16 style characters where today's reads bytes: string escapes from \\x80 on. Left out, because the
documentation forbids what the engine does: order of addresses.
Values are drawn from the expression's own literals, so that comparisons are as often true as false.
"""

from __future__ import annotations

import random
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

from tests.differential.regexes import pattern

TEXT_FIELDS = ("http.host", "http.request.uri.path", "http.user_agent")
NUMBER_FIELDS = ("cf.edge.server_port", "http.response.code")
TRUTH_FIELDS = ("ssl", "cf.client.bot")
_ORDER = (("eq", "=="), ("ne", "!="), ("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">="))
_ALPHABET = 'aAbBzZ019-_./%"\\ \N{LATIN SMALL LETTER E WITH ACUTE}\N{SNOWMAN}'


class Generator:
    """One seed, one sequence of pairs."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311  # repeatable, not secret
        self.texts: list[bytes] = []
        self.numbers: list[int] = []
        self.addresses: list[IPv4Address | IPv6Address] = []

    def pair(self) -> tuple[str, dict[str, Any]]:
        self.texts, self.numbers, self.addresses = [b"", b"a"], [0, 80], [IPv4Address("10.0.0.1"), IPv6Address("::1")]
        return self.expression(self.random.randint(0, 4)), self.request()

    # Expressions

    def expression(self, depth: int) -> str:
        roll = self.random.random()
        if depth == 0 or roll < 0.25:
            return self.comparison()
        if roll < 0.4:
            return self.random.choice(("not ", "!")) + self.operand(depth - 1)
        words = self.random.choice((("and", "&&"), ("or", "||"), ("xor", "^^"), ("and", "or", "xor", "&&", "||", "^^")))
        count = self.random.randint(2, 4)
        text = self.operand(depth - 1)
        for _ in range(count - 1):
            text += f" {self.random.choice(words)} {self.operand(depth - 1)}"
        return text

    def operand(self, depth: int) -> str:
        inner = self.expression(depth)
        return f"({self.space()}{inner}{self.space()})" if self.random.random() < 0.5 else inner

    def space(self) -> str:
        return self.random.choice(("", "", " ", "\n", "  "))

    def comparison(self) -> str:
        makers = (self.text_comparison, self.text_comparison, self.number_comparison, self.address_comparison)
        if self.random.random() < 0.15:
            return self.random.choice(TRUTH_FIELDS)
        return self.random.choice(makers)()

    def text_comparison(self) -> str:
        field, roll = self.random.choice(TEXT_FIELDS), self.random.random()
        if roll < 0.2:
            items = " ".join(self.text_literal() for _ in range(self.random.randint(1, 5)))
            return f"{field} in {{{self.space()}{items}{self.space()}}}"
        if roll < 0.4:
            return f"{field} contains {self.text_literal()}"
        if roll < 0.65:
            body = pattern(self.random)
            return f'{field} {self.random.choice(("matches", "~"))} "{body}"'
        return f"{field} {self.order()} {self.text_literal()}"

    def order(self) -> str:
        return self.random.choice(self.random.choice(_ORDER))

    def number_comparison(self) -> str:
        field, roll = self.random.choice(NUMBER_FIELDS), self.random.random()
        if roll < 0.3:
            items = " ".join(self.number_item() for _ in range(self.random.randint(1, 5)))
            return f"{field} in {{{items}}}"
        if roll < 0.4:
            return f"{field} {self.random.choice(('&', 'bitwise_and'))} {self.number_literal()}"
        return f"{field} {self.order()} {self.number_literal()}"

    def address_comparison(self) -> str:
        if self.random.random() < 0.3:
            return f"ip.src {self.random.choice(('eq', '==', 'ne', '!='))} {self.address()}"
        items = " ".join(self.address_item() for _ in range(self.random.randint(1, 5)))
        return f"ip.src in {{{items}}}"

    # Literals; each one is remembered for the requests

    def text(self) -> str:
        return "".join(self.random.choice(_ALPHABET) for _ in range(self.random.choice((0, 1, 1, 2, 3, 6))))

    def text_literal(self) -> str:
        text = self.text()
        self.texts.append(text.encode())
        return '"' + "".join(self.escaped(char) for char in text) + '"'

    def escaped(self, char: str) -> str:
        if char in '"\\':
            return self.random.choice(("\\" + char, f"\\x{ord(char):02x}", f"\\{ord(char):03o}"))
        if ord(char) < 128 and self.random.random() < 0.1:
            return self.random.choice((f"\\x{ord(char):02X}", f"\\{ord(char):03o}"))
        return char

    def number(self) -> int:
        value = self.random.choice((0, 1, -1, 80, 443, 2**31 - 1, -(2**31), self.random.randint(-300, 600)))
        self.numbers.append(value)
        return value

    def number_literal(self) -> str:
        value = self.number()
        if value > 0 and self.random.random() < 0.2:
            return self.random.choice((hex(value), f"0{value:o}"))
        return str(value)

    def number_item(self) -> str:
        if self.random.random() < 0.5:
            return self.number_literal()
        low, high = sorted((self.number(), self.number()))
        return f"{low}..{high}"

    def address(self) -> IPv4Address | IPv6Address:
        if self.random.random() < 0.6:
            value: IPv4Address | IPv6Address = IPv4Address(
                f"10.0.{self.random.randint(0, 3)}.{self.random.randint(0, 7)}"
            )
        else:
            value = IPv6Address(f"2001:db8::{self.random.randint(0, 3):x}:{self.random.randint(0, 7):x}")
        self.addresses.append(value)
        return value

    def address_item(self) -> str:
        roll, first = self.random.random(), self.address()
        if roll < 0.4:
            return str(first)
        if roll < 0.7:
            size = self.random.choice(
                (0, 8, 16, 24, 29, 30, 31, 32) if first.version == 4 else (0, 32, 64, 112, 125, 128)
            )
            return str(ip_network(f"{first}/{size}", strict=False))
        last = type(first)(min(int(first) + self.random.randint(0, 300), 2**first.max_prefixlen - 1))
        self.addresses.append(last)
        return f"{first}..{last}"

    # Requests

    def request(self) -> dict[str, Any]:
        return {
            **{name: self.near_text() for name in TEXT_FIELDS},
            **{name: self.near_number() for name in NUMBER_FIELDS},
            **{name: self.random.random() < 0.5 for name in TRUTH_FIELDS},
            "ip.src": self.near_address(),
        }

    def near_text(self) -> bytes:
        """A literal of the expression, as it is or slightly changed, or some other bytes."""
        text = self.random.choice(self.texts)
        roll = self.random.random()
        if roll < 0.5:
            return text
        extra = bytes(self.random.choice(b"aAbzZ019-/\n\x00\xff\xc3 ") for _ in range(self.random.randint(0, 3)))
        if roll < 0.8:
            return extra + text if roll < 0.65 else text + extra
        return text.swapcase() if roll < 0.9 else extra * 2

    def near_number(self) -> int:
        value = self.random.choice(self.numbers) + self.random.choice((-1, 0, 0, 1))
        return max(-(2**31), min(2**31 - 1, value))

    def near_address(self) -> IPv4Address | IPv6Address:
        address = self.random.choice(self.addresses)
        value = int(address) + self.random.choice((-1, 0, 0, 0, 1, 256))
        return type(address)(max(0, min(2**address.max_prefixlen - 1, value)))
