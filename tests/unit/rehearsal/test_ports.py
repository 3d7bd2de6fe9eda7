"""A port that is given out is free, and none that the kernel gives to the next connection."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from rehearsal import ports


def test_it_is_free_and_not_one_of_the_kernels() -> None:
    port = ports.free()
    kernels = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if kernels.exists():
        assert port < int(kernels.read_text().split()[0])
    with socket.create_server(("127.0.0.1", port)):
        assert isinstance(ports.can_be_taken(port), OSError)
    assert ports.can_be_taken(port) is None


def test_what_is_taken_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    one = ports.free()
    with socket.create_server(("127.0.0.1", one)):
        other = ports.free()
        monkeypatch.setattr(ports, "RANGE", [one, other])
        monkeypatch.setattr(ports, "TRIES", 2)
        assert {ports.free() for _ in range(5)} == {other}
