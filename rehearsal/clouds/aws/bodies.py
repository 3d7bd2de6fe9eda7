"""Bodies of S3's calls as trees, names without their namespace."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator

from rehearsal.clouds.aws.errors import AwsError

MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema"


def malformed() -> AwsError:
    return AwsError(400, "MalformedXML", MALFORMED)


def read(body: bytes, root: str) -> ET.Element:
    """The root element, which has to have this name."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise malformed()
    try:
        found = ET.fromstring(body)  # noqa: S314 - entities are refused above
    except ET.ParseError:
        raise malformed() from None
    for element in found.iter():
        element.tag = element.tag.rpartition("}")[2]
    if found.tag != root:
        raise malformed()
    return found


def text(element: ET.Element | None, path: str) -> str | None:
    found = element.find(path) if element is not None else None
    return None if found is None else (found.text or "").strip()


def integer(element: ET.Element, path: str) -> int | None:
    """None if it is not there; a number that is none is malformed."""
    found = text(element, path)
    if found is None:
        return None
    try:
        return int(found)
    except ValueError:
        raise malformed() from None


def all_of(element: ET.Element, *names: str) -> Iterator[ET.Element]:
    yield from (child for child in element if child.tag in names)
