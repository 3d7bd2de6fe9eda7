"""The `storage` section: buckets for uploads and for backups."""

from enum import Enum

from components.section import Section
from components.values import ArchiveClass, AwsRegion, BucketName, Days, ObjectPrefix, Origin


class LockMode(str, Enum):
    """Who may delete a locked object: in `governance` an account with a special permission, in `compliance` nobody."""

    GOVERNANCE = "governance"
    COMPLIANCE = "compliance"


class ObjectLock(Section):
    """Objects cannot be deleted or overwritten before their time. It cannot be switched off again."""

    mode: LockMode = LockMode.GOVERNANCE
    """Whether anybody may lift it."""
    days: Days = 30
    """How long each object is locked."""


class MediaBucket(Section):
    """Uploads. The application's key reaches this bucket alone."""

    name: BucketName
    """The bucket's name, unique among all customers of AWS."""
    upload_origins: tuple[Origin, ...] = ()
    """Pages that may upload (CORS). Empty: the site's own origins."""
    old_versions: Days = 30
    """How long a replaced or deleted upload can be brought back."""
    unfinished_uploads: Days = 7
    """When parts of an upload that never finished are removed."""


class BackupBucket(Section):
    """Dumps. The server's key writes and reads its own prefix; only the lifecycle deletes."""

    name: BucketName
    """The bucket's name, unique among all customers of AWS."""
    prefix: ObjectPrefix = "database/"
    """Where dumps are put."""
    archive_after: Days = 90
    """When a dump moves from STANDARD_IA to the archive."""
    archive_class: ArchiveClass = ArchiveClass.GLACIER
    """The archive. From GLACIER a restore takes hours, from GLACIER_IR none."""
    delete_after: Days = 365
    """When a dump is deleted."""
    old_versions: Days = 30
    """How long an overwritten dump is kept: overwriting is a way of deleting."""
    object_lock: ObjectLock | None = None
    """Lock dumps against deletion. Only a new bucket can have it."""


class StorageSettings(Section):
    """Object storage (S3)."""

    region: AwsRegion = "eu-west-1"
    """Where the buckets are."""
    media: MediaBucket
    """Uploads."""
    backups: BackupBucket
    """Dumps."""
    access_logs: BucketName | None = None
    """A bucket for access logs. Unset: none are written."""
    versioning: bool = True
    """Keep what is overwritten or deleted, for `old_versions`. Backups are versioned in any case."""
