"""When a deploy's phases were, out of what a server said during one; the moments are those of a real deploy."""

from __future__ import annotations

import json

from bench.deploys.phases import Moment, Seen, phases

OLD, NEW = "neurmatic-backend-1-production-574f1d7", "neurmatic-backend-1-production-53fd68a"
HAPPENED = [
    (887.909, "create", NEW),
    (893.745, "health_status: healthy", NEW),
    (910.014, "kill", OLD),
    (910.767, "die", OLD),
    (911.260, "destroy", OLD),
]
WORKERS = """
880.0 + 100
.
895.6 + 200
.
896.9 - 100
909.1 + 300
909.4 - 200
"""


def seen(workers: str = WORKERS) -> Seen:
    said = Seen(moments=[Moment(*each) for each in HAPPENED])
    for line in workers.splitlines():
        said.workers.take(line)
    return said


def spans(said: Seen) -> dict[str, tuple[float, float]]:
    return {phase.name: (phase.began, phase.ended) for phase in phases(said)}


def test_each_phase_is_where_the_server_was_in_it() -> None:
    assert spans(seen()) == {
        "create": (887.909, 893.745),
        "switch": (895.6, 896.9),
        "drain": (909.1, 909.4),
        "delete": (910.014, 911.260),
    }


def test_a_reload_before_the_new_set_was_made_is_not_the_switch() -> None:
    earlier = WORKERS.replace("880.0 + 100", "870.0 + 50\n880.0 + 100\n881.0 - 50")
    assert spans(seen(earlier)) == spans(seen())


def test_what_was_not_seen_is_left_out() -> None:
    """The old set was never taken out: the report says that this phase was not measured."""
    assert set(spans(seen(WORKERS.partition("909.1")[0]))) == {"create", "switch", "delete"}


def test_several_workers_of_one_reload_are_one_reload() -> None:
    came = "880.0 + 100\n880.1 + 101\n895.6 + 200\n895.7 + 201\n909.1 + 300\n"
    doubled = came + "896.9 - 100\n899.5 - 101\n909.4 - 200\n909.9 - 201"
    assert spans(seen(doubled))["switch"] == (895.6, 899.5)
    assert spans(seen(doubled))["drain"] == (909.1, 909.9)


def test_docker_speaks_of_other_containers_as_well() -> None:
    said = Seen()
    for name in ("neurmatic-nginx-production", NEW):
        actor = {"Attributes": {"name": name}}
        said.take(json.dumps({"Action": "create", "Actor": actor, "timeNano": 887_909_000_000}))
    assert said.moments == [Moment(887.909, "create", NEW)]
