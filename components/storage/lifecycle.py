"""When objects move to cheaper storage and when they go, in the order and with the distances that S3 accepts."""

from __future__ import annotations

from dataclasses import dataclass

from components.storage.config import BackupBucket, MediaBucket


@dataclass(frozen=True)
class LifecycleRule:
    """One rule. Days count from an object's creation, `old_versions` from when it was replaced or deleted."""

    id: str
    prefix: str = ""
    archive: tuple[int, str] | None = None
    delete_after: int | None = None
    old_versions: int | None = None
    unfinished_uploads: int | None = None


def media_rules(bucket: MediaBucket) -> list[LifecycleRule]:
    return [LifecycleRule("tidy-up", old_versions=bucket.old_versions, unfinished_uploads=bucket.unfinished_uploads)]


def backup_rules(bucket: BackupBucket) -> list[LifecycleRule]:
    """Dumps arrive as STANDARD_IA, so the first move is the one to the archive."""
    return [
        LifecycleRule(
            "dumps",
            prefix=bucket.prefix,
            archive=(bucket.archive_after, bucket.archive_class.value),
            delete_after=bucket.delete_after,
            old_versions=bucket.old_versions,
        ),
        LifecycleRule("tidy-up", unfinished_uploads=7),
    ]
