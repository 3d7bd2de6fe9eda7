"""The `storage` section: buckets for uploads and for backups."""

from enum import Enum

from components.section import Section
from components.values import AccountId, ArchiveClass, AwsRegion, BucketName, Days, ObjectPrefix, Origin


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


class Jurisdiction(str, Enum):
    """Where Cloudflare promises to keep objects."""

    DEFAULT = "default"
    EU = "eu"


class R2(Section):
    """Cloudflare R2. Its key is made in the dashboard for this bucket alone (Object Read & Write), and given to the
    stack as the secrets r2_access_key_id and r2_secret_access_key."""

    account_id: AccountId
    """The account that the bucket belongs to."""
    jurisdiction: Jurisdiction = Jurisdiction.EU
    """Where objects are kept. It cannot be changed later."""

    @property
    def endpoint(self) -> str:
        within = "" if self.jurisdiction is Jurisdiction.DEFAULT else f".{self.jurisdiction.value}"
        return f"https://{self.account_id}{within}.r2.cloudflarestorage.com"


class MediaBucket(Section):
    """Uploads. The application's key reaches this bucket alone."""

    name: BucketName
    """The bucket's name, unique among all customers of AWS."""
    r2: R2 | None = None
    """Keep uploads in Cloudflare R2 instead of S3. Objects do not move by themselves (docs/storage.md)."""
    infrequent_after: Days | None = None
    """When uploads move to STANDARD_IA (R2: InfrequentAccess), 30d or later. Unset: never."""
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
    deep_archive_after: Days | None = None
    """When a dump moves on to DEEP_ARCHIVE, from which a restore takes two days. Unset: never."""
    delete_after: Days = 365
    """When a dump is deleted."""
    old_versions: Days = 30
    """How long an overwritten dump is kept: overwriting is a way of deleting."""
    object_lock: ObjectLock | None = None
    """Lock dumps against deletion. Only a new bucket can have it."""


class AccessLogs(Section):
    """Who asked the buckets for what, in a bucket of their own, which is not logged itself."""

    bucket: BucketName
    """The log bucket's name, unique among all customers of AWS."""
    kept: Days = 90
    """When a log is deleted."""


class Replica(Section):
    """Every new object is copied by S3 to a second region; what was there before is not (docs/storage.md)."""

    region: AwsRegion
    """The second region."""
    media: BucketName
    """The copy of the media bucket."""
    backups: BucketName
    """The copy of the backup bucket. Deletions do not reach it."""


class StorageSettings(Section):
    """Object storage (S3)."""

    region: AwsRegion = "eu-west-1"
    """Where the buckets are."""
    media: MediaBucket
    """Uploads."""
    backups: BackupBucket
    """Dumps."""
    access_logs: AccessLogs | None = None
    """Log every access. Unset: nothing is logged."""
    replica: Replica | None = None
    """A second region. Unset: none."""
    versioning: bool = True
    """Keep what is overwritten or deleted, for `old_versions`. Backups are versioned in any case."""
