"""When objects move to cheaper storage and when they go, in the order and with the distances that S3 accepts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components.storage.config import BackupBucket, MediaBucket

# An object moves down this ladder and never up.
LADDER = ("STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
INFREQUENT = ("STANDARD_IA", "ONEZONE_IA")
LEAST_DAYS = 30
# An upload that has taken a week will not be finished, and a log that was replaced for a week is not missed.
WEEK = 7


@dataclass(frozen=True)
class Step:
    """One move: so many days after an object was created, to a storage class."""

    days: int
    storage_class: str


@dataclass(frozen=True)
class LifecycleRule:
    """One rule. Days count from an object's creation, `old_versions` from when it was replaced or deleted."""

    id: str
    prefix: str = ""
    steps: tuple[Step, ...] = ()
    delete_after: int | None = None
    old_versions: int | None = None
    unfinished_uploads: int | None = None
    markers: bool = False
    """Remove what is left of a deleted object once its versions have gone."""


def media_rules(bucket: MediaBucket) -> list[LifecycleRule]:
    steps = () if bucket.infrequent_after is None else (Step(bucket.infrequent_after, "STANDARD_IA"),)
    return [
        LifecycleRule(
            "tidy-up",
            steps=steps,
            old_versions=bucket.old_versions,
            unfinished_uploads=bucket.unfinished_uploads,
            markers=True,
        )
    ]


def backup_rules(bucket: BackupBucket) -> list[LifecycleRule]:
    """Dumps arrive as STANDARD_IA, so the first move is the one to the archive."""
    steps = [Step(bucket.archive_after, bucket.archive_class.value)]
    if bucket.deep_archive_after is not None:
        steps.append(Step(bucket.deep_archive_after, "DEEP_ARCHIVE"))
    return [
        LifecycleRule(
            "dumps",
            prefix=bucket.prefix,
            steps=tuple(steps),
            delete_after=bucket.delete_after,
            old_versions=bucket.old_versions,
        ),
        LifecycleRule("tidy-up", unfinished_uploads=WEEK),
    ]


def log_rules(kept: int) -> list[LifecycleRule]:
    return [LifecycleRule("logs", delete_after=kept, old_versions=WEEK, unfinished_uploads=WEEK)]


def refusals(rule: LifecycleRule) -> Iterator[str]:
    """Why S3 would not take the rule, in its order: each class once, downwards, later, and gone last.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
    """
    if not (rule.steps or rule.delete_after or rule.old_versions or rule.unfinished_uploads or rule.markers):
        yield f"the rule {rule.id} does nothing"
    if rule.markers and rule.delete_after is not None:
        yield f"the rule {rule.id} deletes by age, which removes the markers by itself: one of the two is allowed"
    classes = [step.storage_class for step in rule.steps]
    if len(set(classes)) < len(classes):
        yield f"a dump moves to {classes[-1]} already: each class once"
        return
    yield from _order(sorted(rule.steps, key=lambda step: LADDER.index(step.storage_class)))
    last = max((step.days for step in rule.steps), default=-1)
    if rule.delete_after is not None and rule.delete_after <= last:
        yield f"deleted after {rule.delete_after}d; allowed is after the last move, later than {last}d"


def _order(steps: Sequence[Step]) -> Iterator[str]:
    for step in steps:
        if step.storage_class in INFREQUENT and step.days < LEAST_DAYS:
            yield f"to {step.storage_class} after {step.days}d; S3 allows {LEAST_DAYS}d or later"
    for earlier, later in itertools.pairwise(steps):
        least = earlier.days + (LEAST_DAYS if earlier.storage_class in INFREQUENT else 1)
        if later.days < least:
            allowed = f"allowed after {earlier.storage_class} is {least}d or later"
            yield f"to {later.storage_class} after {later.days}d; {allowed}"
