"""What an adoption says before anything is changed."""

from __future__ import annotations

from ops.adopt.buckets import Planned, differences, with_components

URN = "urn:pulumi:production::neurmatic::infra:storage:Storage$aws:s3/bucket:Bucket::storage-media-bucket"


def test_differences_are_told_property_by_property() -> None:
    changed = {
        "op": "update",
        "urn": URN,
        "oldState": {"inputs": {"bucket": "media", "tags": {"team": "web"}}},
        "newState": {"inputs": {"bucket": "media", "tags": {"__defaults": [], "product": "neurmatic"}}},
        "diffReasons": ["tags"],
    }
    made = {"op": "create", "urn": f"{URN}-v", "newState": {"inputs": {"bucket": "media", "status": "Enabled"}}}
    kept = {**changed, "op": "same"}
    elsewhere = {**made, "newState": {"inputs": {"bucket": "backups"}}}
    assert list(differences([changed, made, kept, elsewhere], {"media"})) == [
        "update storage-media-bucket",
        '    tags: {"team": "web"} -> {"product": "neurmatic"}',
        "create storage-media-bucket-v",
        '    status: (not set) -> "Enabled"',
    ]


def test_components_come_along_and_nothing_else() -> None:
    stack, storage = Planned("s", "pulumi:pulumi:Stack", "", ""), Planned("c", "infra:storage:Storage", "s", "")
    media, other = Planned("m", "aws:s3/bucket:Bucket", "c", "media"), Planned("o", "x:y:Z", "c", "")
    planned = {each.urn: each for each in (stack, storage, media, other)}
    assert with_components([media], planned) == ["m", "c", "s"]
