"""What cannot be made again is not lost to a typing mistake."""

from __future__ import annotations

from collections.abc import Iterator

from .frame import About, Finding, Resource, Rule
from .tls import BUCKETS

VOLUME = "docker:index/volume:Volume"
# The one way to say that data may go: a tag or label that stands in the plan for everyone to see.
DISPOSABLE = "disposable"


def data_is_unprotected(resource: Resource) -> Iterator[Finding]:
    if not resource.options.protect and not _is_disposable(resource):
        yield Finding("options.protect", "`pulumi destroy`, or a renaming, would delete it with all data.")


def bucket_deletes_its_objects(resource: Resource) -> Iterator[Finding]:
    if resource.read("forceDestroy", default=False) is True and not _is_disposable(resource):
        yield Finding("forceDestroy", "deleting the bucket would delete every object in it.")


def _is_disposable(resource: Resource) -> bool:
    if resource.read("tags.data") == DISPOSABLE:
        return True
    labels = [resource.read(f"{path}.value") for path, _ in resource.items("labels")]
    return DISPOSABLE in labels


RULES = [
    Rule(
        About(
            "data-protected",
            "Buckets and volumes hold what no program can make again.",
            "Set protect=True, or mark the data as disposable (data: disposable in the stack file).",
            frameworks=("own rule",),
        ),
        (*BUCKETS, VOLUME),
        data_is_unprotected,
    ),
    Rule(
        About(
            "data-force-destroy",
            "forceDestroy turns one deleted line of code into an empty bucket.",
            "Remove forceDestroy, or mark the data as disposable.",
            frameworks=("own rule",),
        ),
        BUCKETS,
        bucket_deletes_its_objects,
    ),
]
