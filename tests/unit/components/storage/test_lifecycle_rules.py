"""Our judgement of a lifecycle rule and the emulated S3's, which was written from S3's own answers, must agree."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as some

from components.storage.bucket import rule_args
from components.storage.config import BackupBucket, MediaBucket
from components.storage.lifecycle import LADDER, LifecycleRule, Step, backup_rules, log_rules, media_rules, refusals
from rehearsal.clouds.aws import lifecycle
from rehearsal.clouds.aws.errors import AwsError

# Around the distances that S3 counts.
CLOSE = sorted({one + near for one in (1, 30, 60, 90, 120) for near in (-1, 0, 1)} - {0})
days = some.sampled_from(CLOSE)
rules = some.builds(
    LifecycleRule,
    id=some.just("rule"),
    steps=some.lists(some.builds(Step, some.sampled_from([0, *CLOSE]), some.sampled_from(LADDER)), max_size=3).map(
        tuple
    ),
    delete_after=some.none() | days,
    old_versions=some.none() | days,
    unfinished_uploads=some.none() | days,
)


def as_xml(rule: LifecycleRule) -> bytes:
    said = rule_args(rule)
    moves = "".join(
        f"<Transition><Days>{step.days}</Days><StorageClass>{step.storage_class}</StorageClass></Transition>"
        for step in rule.steps
    )
    parts = {
        "expiration": f"<Expiration><Days>{rule.delete_after}</Days></Expiration>",
        "noncurrent_version_expiration": "<NoncurrentVersionExpiration>"
        f"<NoncurrentDays>{rule.old_versions}</NoncurrentDays></NoncurrentVersionExpiration>",
        "abort_incomplete_multipart_upload": "<AbortIncompleteMultipartUpload>"
        f"<DaysAfterInitiation>{rule.unfinished_uploads}</DaysAfterInitiation></AbortIncompleteMultipartUpload>",
    }
    rest = "".join(text for name, text in parts.items() if name in said)
    body = f"<Rule><ID>rule</ID><Status>Enabled</Status><Filter><Prefix/></Filter>{moves}{rest}</Rule>"
    return f"<LifecycleConfiguration>{body}</LifecycleConfiguration>".encode()


def accepted(rule: LifecycleRule) -> bool:
    try:
        lifecycle.check(as_xml(rule))
    except AwsError:
        return False
    return True


@given(rules)
@settings(max_examples=1000, deadline=None)
def test_what_we_refuse_is_what_s3_refuses(rule: LifecycleRule) -> None:
    assert (list(refusals(rule)) == []) == accepted(rule)


def test_ours_are_accepted() -> None:
    backups = BackupBucket(name="dumps", deep_archive_after=200)
    ours = [*media_rules(MediaBucket(name="media", infrequent_after=30)), *backup_rules(backups), *log_rules(90)]
    assert [text for rule in ours for text in refusals(rule)] == []
