"""Rate limit counters on a virtual clock.

The model is the documented one (waf/rate-limiting-rules/request-rate): a counter for each rule, data centre
and value of the characteristics; a request that brings the counter above the limit meets the action, and for
`mitigation_timeout` seconds every further match does too. The period is an exact sliding window. Cloudflare
itself is less exact ("delays of up to a few seconds"), so a case should not depend on a single second.

What is not known for certain is counted apart: `certain` is the least that the counter can hold,
`certain + doubtful` the most, and only when both lead to the same answer there is one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from edgerules.language import UNKNOWN, Unknown
from edgerules.zone import RateLimit

_NEVER = float("-inf")


@dataclass(slots=True)
class Bucket:
    certain: deque[float] = field(default_factory=deque)
    doubtful: deque[float] = field(default_factory=deque)
    until: float = _NEVER  # the action applies before this time
    perhaps_until: float = _NEVER

    def forget(self, before: float) -> None:
        for times in (self.certain, self.doubtful):
            while times and times[0] <= before:
                times.popleft()

    def count(self, at: float, certain: bool) -> None:
        (self.certain if certain else self.doubtful).append(at)


class Counters:
    """All counters of one rule."""

    def __init__(self, limit: RateLimit) -> None:
        self.limit = limit
        self.most = limit.requests_per_period
        self.buckets: dict[tuple[Any, ...], Bucket] = {}
        self.anyone = Bucket()  # requests whose characteristics are not known: they may belong to any bucket

    def bucket(self, key: tuple[Any, ...], at: float) -> Bucket:
        self.anyone.forget(at - self.limit.period)
        if UNKNOWN in key:
            return self.anyone
        bucket = self.buckets.get(key)
        if bucket is None:
            bucket = self.buckets[key] = Bucket()
        bucket.forget(at - self.limit.period)
        return bucket

    def count(self, key: tuple[Any, ...], at: float, certain: bool) -> None:
        bucket = self.bucket(key, at)
        bucket.count(at, certain and bucket is not self.anyone)

    def exceeded(self, key: tuple[Any, ...], at: float, certain: bool) -> bool | Unknown:
        """Whether the action applies to a matching request now. `certain`: it matches beyond doubt."""
        bucket = self.bucket(key, at)
        if at < bucket.until:
            return True if certain else UNKNOWN
        if self.most is None:
            return UNKNOWN  # complexity based: the score comes from the origin
        if len(bucket.certain) > self.most:
            return self.mitigate(bucket, at, certain)
        if at < bucket.perhaps_until or self.highest(bucket, at) > self.most:
            bucket.perhaps_until = max(bucket.perhaps_until, at + self.limit.mitigation_timeout)
            return UNKNOWN
        return False

    def mitigate(self, bucket: Bucket, at: float, certain: bool) -> bool | Unknown:
        if not certain:
            bucket.perhaps_until = at + self.limit.mitigation_timeout
            return UNKNOWN
        bucket.until = at + self.limit.mitigation_timeout
        if not self.limit.mitigation_timeout and bucket.certain[-1] == at:
            bucket.certain.pop()  # throttling: what was refused does not count against what follows
        return True

    def highest(self, bucket: Bucket, at: float) -> int:
        """The most that the counter can hold."""
        here = len(bucket.certain) + len(bucket.doubtful)
        if bucket is not self.anyone:
            return here + len(self.anyone.doubtful)
        for other in self.buckets.values():
            other.forget(at - self.limit.period)
            if at < other.until or at < other.perhaps_until:
                return (self.most or 0) + 1
        return here + max((len(b.certain) + len(b.doubtful) for b in self.buckets.values()), default=0)
