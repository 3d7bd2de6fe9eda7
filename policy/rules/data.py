"""What cannot be made again is not lost to a typing mistake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any

from .documents import statements
from .frame import CRITICAL, MEDIUM, UNJUDGED, Book, Finding, Pattern, Resource, known, of
from .kinds import BUCKET, BUCKET_LIFECYCLE, CONTAINER, DIRECTORY_BUCKET, IAM_POLICIES, OBJECTS, VOLUME
from .relations import covers

book = Book("data")

# The one way to say that data may go: a tag or label that stands in the plan for everyone to see.
DISPOSABLE = "disposable"
SHORTEST_BACKUP = 30
SHORTEST_VERSION = 7
DATABASE_PORTS = (5432, 3306, 27017)
UNSAFE_OPTIONS = Pattern(
    r"\b(fsync|full_page_writes|synchronous_commit)\s*=\s*(off|0|no|false)\b|innodb_flush_log_at_trx_commit\s*=\s*[02]\b"
    r"|skip-log-bin|--nojournal"
)
DELETIONS = ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutLifecycleConfiguration", "s3:DeleteBucket")


@book.rule(
    "protected",
    [*BUCKET, DIRECTORY_BUCKET, VOLUME],
    "Buckets and volumes hold what no program can make again.",
    "Set protect=True, or mark the data as disposable (data: disposable in the stack file).",
    "own rule",
)
def data_is_unprotected(resource: Resource) -> Iterator[Finding]:
    if not resource.options.protect and not _is_disposable(resource):
        yield Finding("options.protect", "`pulumi destroy`, or a renaming, would delete it with all data.")


def keep_objects(props: MutableMapping[str, Any]) -> bool:
    tags = props.get("tags") or {}
    if props.get("forceDestroy") is not True or tags.get("data") == DISPOSABLE:
        return False
    props["forceDestroy"] = False
    return True


@book.rule(
    "force-destroy",
    [*BUCKET, DIRECTORY_BUCKET, *OBJECTS],
    "forceDestroy turns one deleted line of code into an empty bucket.",
    "Remove forceDestroy, or mark the data as disposable.",
    "own rule",
    remediate=keep_objects,
)
def bucket_deletes_its_objects(resource: Resource) -> Iterator[Finding]:
    if resource.read("forceDestroy", default=False) is True and not _is_disposable(resource):
        yield Finding("forceDestroy", "deleting the bucket would delete every object in it.")


def _is_disposable(resource: Resource) -> bool:
    if resource.read("tags.data") == DISPOSABLE:
        return True
    labels = [resource.read(f"{path}.value") for path, _ in resource.items("labels")]
    return DISPOSABLE in labels


@book.relation(
    "backup",
    "A database without a backup is gone with the first disk, mistake or break-in.",
    "Declare a bucket for backups (tagged holds: backups) with versions and a lifecycle in the same stack.",
    "CIS Controls 11",
    severity=CRITICAL,
)
def database_has_no_backup(resources: list[Resource]) -> Iterator[Finding]:
    buckets = of(resources, BUCKET)
    if any(_is_for_backups(bucket) for bucket in buckets):
        return
    for container in of(resources, [CONTAINER]):
        if _is_database(container) and not _is_disposable(container):
            yield Finding("backup", "nothing in this stack would keep a copy of its data.", container.urn)


def _is_for_backups(bucket: Resource) -> bool:
    name = bucket.read("bucket", default="")
    return (
        bucket.read("tags.holds") == "backups"
        or "backup" in bucket.name
        or (isinstance(name, str) and "backup" in name)
    )


def _is_database(container: Resource) -> bool:
    ports = [container.read(f"{path}.internal") for path, _ in container.items("ports")]
    return any(port in DATABASE_PORTS for port in ports)


@book.relation(
    "backup-retention",
    "Damage is often found weeks later; by then every backup that is kept for less holds the damage.",
    f"Expire backups after {SHORTEST_BACKUP} days at the earliest (this project keeps them for 365).",
    "CIS Controls 11",
)
def backups_expire_early(resources: list[Resource]) -> Iterator[Finding]:
    find = covers(resources, BUCKET_LIFECYCLE)
    for bucket in of(resources, BUCKET):
        if not _is_for_backups(bucket):
            continue
        for holder, path in expirations(bucket, find(bucket)):
            days = holder.number(f"{path}.expiration.days")
            if known(days) and days is not None and days < SHORTEST_BACKUP:
                yield Finding(f"{path}.expiration.days", "backups would be deleted within weeks.", holder.urn)


def expirations(bucket: Resource, lifecycles: Iterable[Resource]) -> Iterator[tuple[Resource, str]]:
    """The rules of a bucket's lifecycle: in resources of their own, or in the bucket as of old, but never in both."""
    apart = list(lifecycles)
    for lifecycle in apart:
        yield from ((lifecycle, path) for path, _ in lifecycle.items("rules"))
    if not apart:
        yield from ((bucket, path) for path, _ in bucket.items("lifecycleRules"))


@book.relation(
    "whole-expiry",
    "An expiration without a prefix deletes every object of the bucket, one day after another.",
    "Give the rule a filter.prefix (or tag) that says which objects may go, or mark the data as disposable.",
    "own rule",
)
def everything_expires(resources: list[Resource]) -> Iterator[Finding]:
    find = covers(resources, BUCKET_LIFECYCLE)
    for bucket in of(resources, BUCKET):
        if _is_for_backups(bucket) or _is_disposable(bucket) or bucket.read("tags.holds") == "logs":
            continue
        for holder, path in expirations(bucket, find(bucket)):
            days = holder.number(f"{path}.expiration.days")
            if known(days) and days and _is_for_all(holder, path):
                yield Finding(f"{path}.expiration.days", "every object of the bucket would be deleted.", holder.urn)


def _is_for_all(holder: Resource, path: str) -> bool:
    names = ("filter.prefix", "filter.tag", "filter.and", "prefix", "tags")
    narrowed = [holder.read(f"{path}.{name}") for name in names]
    off = holder.read(f"{path}.status") == "Disabled" or holder.read(f"{path}.enabled") is False
    return not any(narrowed) and not off


@book.rule(
    "version-retention",
    BUCKET_LIFECYCLE,
    "Versions are the way back from an overwritten object; they have to outlive the weekend on which it happened.",
    f"Set noncurrentDays to at least {SHORTEST_VERSION}.",
    "own rule",
    severity=MEDIUM,
)
def versions_expire_early(resource: Resource) -> Iterator[Finding]:
    for path, _ in resource.items("rules"):
        days = resource.number(f"{path}.noncurrentVersionExpiration.noncurrentDays")
        if known(days) and days is not None and days < SHORTEST_VERSION:
            yield Finding(f"{path}.noncurrentVersionExpiration.noncurrentDays", "old versions would go within days.")


@book.rule(
    "delete-grants",
    IAM_POLICIES,
    "A key on the server that can delete backups lets an intruder delete them before asking for money.",
    "Leave out delete and lifecycle actions; the bucket's lifecycle removes what is old.",
    "own rule",
    severity=CRITICAL,
)
def key_can_delete_backups(resource: Resource) -> Iterator[Finding]:
    for statement in statements(resource, "policy"):
        on_backups = any("backup" in arn or arn in ("*", "arn:aws:s3:::*") for arn in statement.resources)
        if on_backups and any(statement.grants(action) for action in DELETIONS):
            yield Finding("policy", "backups could be deleted, or made to expire.")


@book.rule(
    "database-volume",
    [CONTAINER],
    "What a database writes into its container is gone when the container is replaced.",
    "Mount a volume or a directory of the host at the database's data directory.",
    "own rule",
    severity=CRITICAL,
)
def database_keeps_nothing(resource: Resource) -> Iterator[Finding]:
    if not _is_database(resource) or _is_disposable(resource):
        return
    volumes = resource.size("volumes")
    if UNJUDGED in (volumes, resource.size("mounts")):
        return
    kept = [resource.read(f"{path}.type") for path, _ in resource.items("mounts")]
    if volumes == 0 and not any(kind != "tmpfs" for kind in kept):
        yield Finding("mounts", "its data would be gone with the container.")


@book.rule(
    "volume-in-memory",
    [VOLUME],
    "A volume in memory is empty after the next reboot.",
    "Remove driverOpts.type, or use the container's tmpfs for what may go.",
    "own rule",
    severity=MEDIUM,
)
def volume_is_in_memory(resource: Resource) -> Iterator[Finding]:
    if resource.read("driverOpts.type") == "tmpfs":
        yield Finding("driverOpts.type", "its data would be gone after a reboot.")


@book.rule(
    "durability",
    [CONTAINER],
    "A database that does not wait for the disk loses or breaks what it confirmed.",
    "Leave fsync, full_page_writes and synchronous_commit on.",
    "CIS PostgreSQL 3",
)
def database_does_not_wait(resource: Resource) -> Iterator[Finding]:
    for path, word in resource.items("command"):
        if UNSAFE_OPTIONS.search(str(word)):
            yield Finding(path, "confirmed data could be lost or broken by a crash.")


RULES = book.rules
