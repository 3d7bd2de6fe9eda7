"""Which resources belong together: a bucket and what is configured for it, a zone and its records."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .frame import UNJUDGED, Resource, of


def covers(resources: list[Resource], types: Iterable[str]) -> Callable[[Resource], list[Resource]]:
    """Finds what is configured for a bucket by the engine's own dependencies, or else by the bucket's name.

    Configuration whose bucket is not known yet, by neither way, might be for any bucket: that is counted as not
    judged, and goes to the bucket whose name its own begins with.
    """
    by_source: dict[str, list[Resource]] = {}
    by_name: dict[str, list[Resource]] = {}
    unknown: list[Resource] = []
    for part in of(resources, types):
        target = part.read("bucket")
        if target is UNJUDGED:
            unknown.append(part)
        elif target is not None:
            by_name.setdefault(str(target), []).append(part)
        for urn in part.sources.get("bucket", ()):
            by_source.setdefault(urn, []).append(part)

    def find(bucket: Resource) -> list[Resource]:
        name = bucket.read("bucket")
        found = [*by_source.get(bucket.urn, []), *(by_name.get(name, []) if isinstance(name, str) else [])]
        if not found and unknown:
            found = [part for part in unknown if part.name.startswith(bucket.name)]
        if not found and not isinstance(name, str):
            found = [part for parts in by_name.values() for part in parts if part.name.startswith(bucket.name)]
        return found

    return find


def by_zone(resources: list[Resource], types: Iterable[str]) -> dict[str, list[Resource]]:
    """Resources by the zone that they are in; those of a zone that is not known yet are counted as not judged."""
    zones: dict[str, list[Resource]] = {}
    for resource in of(resources, types):
        zone = resource.read("zoneId")
        if zone is UNJUDGED:
            # Made by this program: all of them come from the same resource.
            zone = "|".join(resource.sources.get("zoneId", ()))
        if isinstance(zone, str) and zone:
            zones.setdefault(zone, []).append(resource)
    return zones
