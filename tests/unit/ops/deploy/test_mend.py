"""The engine's state after a failed change, made what the server is again."""

from __future__ import annotations

from typing import Any

from ops.deploy.mend import mended, rolls


def container(name: str, service: str = "backend", number: int = 1, **more: Any) -> dict[str, Any]:
    labels = [{"label": "product", "value": "neurmatic"}, {"label": "service", "value": service}]
    return {
        "urn": f"urn:{service}-{number}",
        "type": "docker:index/container:Container",
        "inputs": {"labels": labels},
        "outputs": {"name": name},
        **more,
    }


SWITCH = {"urn": "urn:switch", "type": "command:remote:Command", "inputs": {}, "dependencies": ["urn:backend-1"]}
POSTGRES = container("pg", "postgres")


def test_what_serves_stands_where_the_removed_one_stood() -> None:
    state = [POSTGRES, container("new"), SWITCH, container("old", delete=True)]
    assert mended(state, {"pg", "old"}, {"old"}) == [POSTGRES, container("old"), SWITCH]


def test_a_state_that_agrees_with_the_server_is_left_alone() -> None:
    rolled = [POSTGRES, container("new"), SWITCH]
    assert mended(rolled, {"pg", "new"}, {"new"}) == rolled
    # Killed before the old ones were deleted: both are there, and the next run deletes them.
    both = [*rolled, container("old", delete=True)]
    assert mended(both, {"pg", "new", "old"}, {"new"}) == both


def test_one_that_has_no_other_to_go_back_to_is_made_anew() -> None:
    state = [POSTGRES, container("new"), SWITCH]
    assert mended(state, {"pg"}, set()) == [POSTGRES, container("new", taint=True), SWITCH]


def test_what_is_marked_for_deletion_and_gone_is_forgotten() -> None:
    state = [container("new"), container("old", delete=True)]
    assert mended(state, {"new"}, {"new"}) == [container("new")]


def test_a_database_is_never_touched() -> None:
    assert not rolls(POSTGRES)
    assert mended([container("pg", "postgres")], set(), set()) == [container("pg", "postgres")]


def test_what_serves_again_stands_behind_the_login_that_it_came_in_with() -> None:
    old_login = {"urn": "urn:login-1", "type": "command:remote:Command", "inputs": {}}
    old = container("old", delete=True, dependencies=["urn:login-1"])
    state = [POSTGRES, container("new"), SWITCH, old_login, old]
    found = mended(state, {"pg", "old"}, {"old"})
    assert [each["urn"] for each in found] == ["urn:postgres-1", "urn:login-1", "urn:backend-1", "urn:switch"]
