"""The clouds' own time: the real one plus what a rehearsal has skipped, so that 90 days pass in a moment."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone


class Clock:
    """Only what the clouds keep is in this time. Signatures are judged by the real one, which clients have."""

    def __init__(self, skipped: float = 0.0) -> None:
        self.skipped = skipped
        self._pinned: float | None = None
        self._keep: Callable[[float], None] = lambda skipped: None

    def kept_by(self, keep: Callable[[float], None]) -> None:
        """Who remembers, over a restart, how much has been skipped."""
        self._keep = keep

    def seconds(self) -> float:
        return self._pinned if self._pinned is not None else time.time() + self.skipped

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds(), timezone.utc)

    def skip(self, seconds: float) -> None:
        """Forwards only: what has expired does not come back."""
        if not 0 <= seconds <= timedelta(days=20 * 366).total_seconds():
            raise ValueError("time goes forwards, by at most 20 years")
        self.skipped += seconds
        self._keep(self.skipped)

    @contextlib.contextmanager
    def at(self, seconds: float) -> Iterator[None]:
        """For a call that is being repeated: it is the time at which it happened."""
        self._pinned = seconds
        try:
            yield
        finally:
            self._pinned = None
