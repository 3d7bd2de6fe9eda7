"""How long something may take of which is known how long it takes on a quiet machine."""

from __future__ import annotations

import os


def allowed(seconds: float) -> float:
    """So long; and longer by as much as processes wait in line here, which no figure of ours can help."""
    return seconds * max(1.0, max(os.getloadavg()[0], _in_line()) / (os.cpu_count() or 1))


def _in_line() -> int:
    """Processes that run or want to at this moment: the average of a minute learns late that it has become busy."""
    try:
        with open("/proc/loadavg") as averages:
            return int(averages.read().split()[3].partition("/")[0])
    except OSError:
        return 0
