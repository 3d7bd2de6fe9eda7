"""Addresses and packets."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address


def cidr(address: IPv4Address | IPv6Address, v4_bits: int, v6_bits: int) -> IPv4Address | IPv6Address:
    """The network address of `address` under the prefix length of its family."""
    bits = v4_bits if address.version == 4 else v6_bits
    keep = address.max_prefixlen - bits
    return type(address)(int(address) >> keep << keep)


def cidr6(address: IPv4Address | IPv6Address, v6_bits: int) -> IPv4Address | IPv6Address:
    return cidr(address, 32, v6_bits)


def bit_slice(packet: bytes, start: int, end: int) -> int | None:
    """The bits from `start` up to `end`, the first byte's highest bit being 0; missing beyond the packet."""
    size = len(packet) * 8
    if end > size:
        return None
    return (int.from_bytes(packet, "big") >> (size - end)) & ((1 << (end - start)) - 1)
