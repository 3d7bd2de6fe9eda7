"""The systems' case files against what the program really declares, not against what the builders promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from edge_mocks import declare, declared_zone
from systems import CASES, IPV4, IPV6, SYSTEMS

from components.edge.component import CloudflareEdgeArgs
from edgerules.cases import pytest_cases
from edgerules.zone import Zone


def _zone(system: str) -> Zone:
    settings, site = SYSTEMS[system]()
    return declared_zone(declare(CloudflareEdgeArgs(settings, site, IPV4, IPV6)), settings)


def _cases() -> list[Any]:
    return [
        pytest.param(*case.values, id=f"{system}: {case.id}")
        for system, path in CASES.items()
        for case in pytest_cases(path, _zone(system))
    ]


@pytest.mark.parametrize("case", _cases())
def test_zone_does_what_the_case_says(case: Any) -> None:
    case.check()


Mutation = Callable[[dict[str, Any]], object]
