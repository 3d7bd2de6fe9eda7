"""Whose certificate Neurmatic's origin has, and which nginx serves it."""

from __future__ import annotations

from components.certificates.items import Subject
from components.containers.application import NGINX_USER
from neurmatic.place import place
from neurmatic.settings import NeurmaticSettings


def certified(settings: NeurmaticSettings) -> Subject:
    return Subject(
        settings=settings.containers.certificates,
        names=settings.site.names,
        root=settings.host.root,
        container=place(settings).called("nginx"),
        user=NGINX_USER,
        zone_id=settings.edge.zone_id,
    )
