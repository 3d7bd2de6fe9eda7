from __future__ import annotations

import pytest

from components.containers.config import NginxSettings
from components.containers.nginx.origin import Origin
from components.site import NeurmaticSite


@pytest.fixture
def origin() -> Origin:
    site = NeurmaticSite(apex="neurmatic.com", www="www.neurmatic.com", api="api.neurmatic.com")
    return Origin(site, NginxSettings(), ["173.245.48.0/20"], None, 30)
