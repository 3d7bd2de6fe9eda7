"""Lifecycle configurations that S3 refuses. Moto takes nearly all of them.

Codes and sentences are those that people quote from S3, but for two guesses: how a step that comes too early after an
infrequent class, or up the ladder, is worded.
"""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

from rehearsal.clouds.aws import bodies
from rehearsal.clouds.aws.errors import AwsError

# The ladder of classes: an object goes down it and never up.
LADDER = ("STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
INFREQUENT = ("STANDARD_IA", "ONEZONE_IA")
LEAST_DAYS = 30
MOST_RULES = 1000
LONGEST_ID = 255


@dataclass(frozen=True)
class Step:
    """One transition: after so many days (or, with `date`, at a date) to a class."""

    storage_class: str
    days: int | None
    date: str | None = None


def check(body: bytes) -> None:
    """AwsError for a configuration that the real S3 would not take."""
    rules = list(bodies.all_of(bodies.read(body, "LifecycleConfiguration"), "Rule"))
    if not 1 <= len(rules) <= MOST_RULES:
        raise bodies.malformed()
    ids = [identity for rule in rules if (identity := bodies.text(rule, "ID"))]
    if any(len(identity) > LONGEST_ID for identity in ids):
        raise _argument(f"ID length should not exceed allowed limit of {LONGEST_ID}")
    if len(set(ids)) < len(ids):
        raise _argument("Rule ID must be unique. Found same ID for more than one rule")
    for rule in rules:
        _check_rule(rule)


def _argument(message: str) -> AwsError:
    return AwsError(400, "InvalidArgument", message)


def _request(message: str) -> AwsError:
    return AwsError(400, "InvalidRequest", message)


def _check_rule(rule: ET.Element) -> None:
    if bodies.text(rule, "Status") not in ("Enabled", "Disabled"):
        raise bodies.malformed()
    if (rule.find("Filter") is None) == (rule.find("Prefix") is None):
        raise bodies.malformed()
    _check_filter(rule)
    actions = list(
        bodies.all_of(
            rule,
            "Transition",
            "Expiration",
            "NoncurrentVersionTransition",
            "NoncurrentVersionExpiration",
            "AbortIncompleteMultipartUpload",
        )
    )
    if not actions:
        raise _request("At least one action needs to be specified in a rule")
    words = filter_words(rule)
    _check_numbers(rule)
    _check_current(rule, words)
    _check_noncurrent(rule, words)
    _check_tagged(rule)


def _check_filter(rule: ET.Element) -> None:
    found = rule.find("Filter")
    if found is None:
        return
    if len(found) > 1:
        raise bodies.malformed()
    both = found.find("And")
    if both is not None and len(both) < 2:
        raise bodies.malformed()
    more, less = bodies.integer(found, ".//ObjectSizeGreaterThan"), bodies.integer(found, ".//ObjectSizeLessThan")
    if more is not None and less is not None and more >= less:
        raise _request("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.")


def filter_words(rule: ET.Element) -> str:
    """As S3's sentences name a filter."""
    prefix = (
        bodies.text(rule, "Prefix")
        or bodies.text(rule, "Filter/Prefix")
        or bodies.text(rule, "Filter/And/Prefix")
        or ""
    )
    return f"'(prefix={prefix})'"


NUMBERS = (
    ("Expiration", "Days", 1),
    ("Transition", "Days", 0),
    ("NoncurrentVersionExpiration", "NoncurrentDays", 1),
    ("NoncurrentVersionTransition", "NoncurrentDays", 0),
    ("NoncurrentVersionExpiration", "NewerNoncurrentVersions", 1),
    ("NoncurrentVersionTransition", "NewerNoncurrentVersions", 1),
    ("AbortIncompleteMultipartUpload", "DaysAfterInitiation", 1),
)
DATES = ("Expiration", "Transition")


def _check_numbers(rule: ET.Element) -> None:
    for action, name, least in NUMBERS:
        for element in rule.findall(action):
            value = bodies.integer(element, name)
            if value is not None and value < least:
                kind = "a positive integer" if least else "nonnegative"
                raise _argument(f"'{name}' for {action} action must be {kind}")
    for element in bodies.all_of(rule, *DATES):
        date = bodies.text(element, "Date")
        if date is not None and "T" in date and not date.split("T")[1].startswith("00:00:00"):
            raise _argument("'Date' must be at midnight GMT")
    expiration = rule.find("Expiration")
    if expiration is not None and len(expiration) != 1:
        raise bodies.malformed()
    for element in rule.findall("Transition"):
        if (element.find("Days") is None) == (element.find("Date") is None):
            raise bodies.malformed()


def _check_current(rule: ET.Element, words: str) -> None:
    steps = list(_steps(rule, "Transition", "Days"))
    expires, date = bodies.integer(rule, "Expiration/Days"), bodies.text(rule, "Expiration/Date")
    kinds = {step.date is not None for step in steps} | ({True} if date else set()) | ({False} if expires else set())
    if len(kinds) > 1:
        raise _request(
            "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for filter "
            f"{words}"
        )
    _check_steps(steps, "Days", "Transition", words)
    for step in steps:
        if expires is not None and step.days is not None and expires <= step.days:
            raise _argument(
                f"'Days' in the Expiration action for filter {words} must be greater than "
                "'Days' in the Transition action"
            )


def _check_noncurrent(rule: ET.Element, words: str) -> None:
    steps = list(_steps(rule, "NoncurrentVersionTransition", "NoncurrentDays"))
    _check_steps(steps, "NoncurrentDays", "NoncurrentVersionTransition", words)
    expires = bodies.integer(rule, "NoncurrentVersionExpiration/NoncurrentDays")
    if any(expires is not None and step.days is not None and expires <= step.days for step in steps):
        raise _argument(
            f"'NoncurrentDays' in the NoncurrentVersionExpiration action for filter {words} must be greater than "
            "'NoncurrentDays' in the NoncurrentVersionTransition action"
        )
    for name in ("NoncurrentVersionExpiration", "NoncurrentVersionTransition"):
        for element in rule.findall(name):
            if element.find("NoncurrentDays") is None:
                raise bodies.malformed()
            if element.find("NewerNoncurrentVersions") is not None and rule.find("Filter") is None:
                raise _request(f"NewerNoncurrentVersions for {name} action cannot be used without a Filter")


def _steps(rule: ET.Element, action: str, days: str) -> Iterator[Step]:
    for element in rule.findall(action):
        storage_class = bodies.text(element, "StorageClass")
        if storage_class not in LADDER[1:]:
            raise bodies.malformed()
        yield Step(storage_class, bodies.integer(element, days), bodies.text(element, "Date"))


def _check_steps(steps: list[Step], name: str, action: str, words: str) -> None:
    classes = [step.storage_class for step in steps]
    if len(set(classes)) < len(classes):
        raise _request(f"'StorageClass' must be different for '{action}' actions in same 'Rule' with filter {words}")
    for step in steps:
        if step.storage_class in INFREQUENT and step.days is not None and step.days < LEAST_DAYS:
            raise _argument(
                f"'{name}' in {action} action must be greater than or equal to {LEAST_DAYS} "
                f"for storageClass '{step.storage_class}'"
            )
    dated = [step for step in steps if step.days is not None]
    order = sorted(dated, key=lambda step: LADDER.index(step.storage_class))
    for earlier, later in itertools.pairwise(order):
        _check_distance(earlier, later, name, action, words)


def _check_distance(earlier: Step, later: Step, name: str, action: str, words: str) -> None:
    """Down the ladder takes more days than up it, and who enters an infrequent class stays for 30 of them."""
    gap = (later.days or 0) - (earlier.days or 0)
    if earlier.storage_class in INFREQUENT and gap < LEAST_DAYS:
        raise _argument(
            f"'{name}' in the {action} action for StorageClass '{later.storage_class}' for filter {words} must be "
            f"{LEAST_DAYS} days more than 'filter {words}' in the '{action}' action for StorageClass "
            f"'{earlier.storage_class}'"
        )
    if gap <= 0:
        raise _argument(
            f"'{name}' in the {action} action for StorageClass '{later.storage_class}' for filter {words} must be "
            f"greater than '{name}' in the {action} action for StorageClass '{earlier.storage_class}'"
        )


def _check_tagged(rule: ET.Element) -> None:
    if rule.find("Filter//Tag") is None and rule.find("Filter/Tag") is None:
        return
    if rule.find("AbortIncompleteMultipartUpload") is not None:
        raise _request("AbortIncompleteMultipartUpload cannot be specified with Tags.")
    if rule.find("Expiration/ExpiredObjectDeleteMarker") is not None:
        raise _request("ExpiredObjectDeleteMarker cannot be specified with Tags.")
