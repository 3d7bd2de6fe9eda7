"""Every promise about an image is tried on the one built here and, where its registry answers, on the official one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rehearsal.images import Image, ensure_image
from rehearsal.images.upstream import Source, answers

SOURCES = [Source.BUILT, *([Source.OFFICIAL] if answers() else [])]


@pytest.fixture(scope="session", params=SOURCES, ids=lambda source: source.value)
def image(request: pytest.FixtureRequest) -> Callable[[str], Image]:
    source: Source = request.param
    return lambda name: ensure_image(name, source)
