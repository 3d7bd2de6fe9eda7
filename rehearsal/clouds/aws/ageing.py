"""What lifecycle rules do when time passes: move to colder classes, expire, forget old versions.

S3 acts at the midnight (UTC) after the days are over, and so does this. It runs when a rehearsal skips time.
"""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from datetime import timezone
from typing import Any

from rehearsal.clouds.aws import backend, bodies
from rehearsal.clouds.aws.lifecycle import LADDER
from rehearsal.clouds.aws.locks import moment

DAY = 86400.0
Ask = Callable[[str], bytes]
"""The lifecycle configuration of a bucket, as S3 answers it."""


def pass_time(now: float, configuration: Ask) -> None:
    for bucket in list(backend.s3().buckets.values()):
        for rule in _rules(configuration(bucket.name)) if bucket.rules else ():
            for name in [key for key in bucket.keys if key.startswith(_prefix(rule))]:
                _age_current(bucket, name, rule, now)
                _age_noncurrent(bucket, name, rule, now)
                _drop_lone_marker(bucket, name, rule)


def _rules(document: bytes) -> Iterator[ET.Element]:
    for rule in bodies.all_of(bodies.read(document, "LifecycleConfiguration"), "Rule"):
        if bodies.text(rule, "Status") == "Enabled":
            yield rule


def _prefix(rule: ET.Element) -> str:
    places = ("Prefix", "Filter/Prefix", "Filter/And/Prefix")
    return next((found for place in places if (found := bodies.text(rule, place))), "")


def _fits(rule: ET.Element, found: Any) -> bool:
    """Tags and sizes of the filter."""
    more, less = bodies.integer(rule, ".//ObjectSizeGreaterThan"), bodies.integer(rule, ".//ObjectSizeLessThan")
    if (more is not None and found.size <= more) or (less is not None and found.size >= less):
        return False
    tags = backend.s3().tagger.get_tag_dict_for_resource(found.arn)
    return all(
        tags.get(bodies.text(tag, "Key")) == bodies.text(tag, "Value") for tag in rule.iterfind(".//Filter//Tag")
    )


def _since(found: Any) -> float:
    return float(found.last_modified.replace(tzinfo=timezone.utc).timestamp())


def _due(start: float, days: int) -> float:
    return ((start + days * DAY) // DAY + 1) * DAY


def _age_current(bucket: Any, name: str, rule: ET.Element, now: float) -> None:
    found = bucket.keys[name]
    if not backend.is_object(found) or not _fits(rule, found):
        return
    _move(found, rule.findall("Transition"), _since(found), now)
    days, date = bodies.integer(rule, "Expiration/Days"), bodies.text(rule, "Expiration/Date")
    if (days is not None and _due(_since(found), days) <= now) or (date is not None and moment(date) <= now):
        if bucket.is_versioned:
            backend.s3()._set_delete_marker(bucket.name, name)
        else:
            bucket.keys.pop(name)


def _move(found: Any, steps: list[ET.Element], start: float, now: float) -> None:
    for step in steps:
        wanted, date = bodies.text(step, "StorageClass") or "", bodies.text(step, "Date")
        days = bodies.integer(step, "Days" if step.tag == "Transition" else "NoncurrentDays")
        due = _due(start, days) if days is not None else moment(date) if date else now + 1
        if due <= now and LADDER.index(wanted) > LADDER.index(found.storage_class):
            found.set_storage_class(wanted)


def _age_noncurrent(bucket: Any, name: str, rule: ET.Element, now: float) -> None:
    versions = bucket.keys.getlist(name, default=[])
    days = bodies.integer(rule, "NoncurrentVersionExpiration/NoncurrentDays")
    spared = bodies.integer(rule, "NoncurrentVersionExpiration/NewerNoncurrentVersions") or 0
    kept = versions[-1:]
    for newer, (found, successor) in enumerate(reversed(list(itertools.pairwise(versions)))):
        start = _since(successor)
        if backend.is_object(found):
            _move(found, rule.findall("NoncurrentVersionTransition"), start, now)
        gone = days is not None and newer >= spared and _due(start, days) <= now
        locked = backend.is_object(found) and found.is_locked(False)
        if not gone or locked:
            kept.insert(0, found)
    if len(kept) < len(versions):
        bucket.keys.setlist(name, kept)


def _drop_lone_marker(bucket: Any, name: str, rule: ET.Element) -> None:
    """A delete marker with nothing behind it."""
    versions = bucket.keys.getlist(name, default=[])
    wanted = bodies.text(rule, "Expiration/ExpiredObjectDeleteMarker") == "true"
    if wanted and len(versions) == 1 and not backend.is_object(versions[0]):
        bucket.keys.pop(name)
