"""A claim in seconds is strict on a quiet machine and patient on a busy one."""

from __future__ import annotations

import pytest

from rehearsal import pace


@pytest.mark.parametrize(
    ("average", "now", "wanted"),
    [(0.0, 1, 3.0), (2.0, 2, 3.0), (8.0, 1, 12.0), (0.0, 8, 12.0), (30.0, 2, 45.0)],
)
def test_only_a_line_of_others_makes_it_longer(
    monkeypatch: pytest.MonkeyPatch, average: float, now: int, wanted: float
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr("os.getloadavg", lambda: (average, 0.0, 0.0))
    monkeypatch.setattr(pace, "_in_line", lambda: now)
    assert pace.allowed(3.0) == wanted
