"""What a report leaves for the engine, and what stops before it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components.containers.config import Allow, ContainersSettings
from components.host.report import EXTRA, Line, Report
from ops import repairs as module
from ops.errors import OperatorError
from ops.repairs import left_for_the_engine, refuse_what_is_felt, repairs
from ops.session import Session
from ops.target import Target

LINES = (
    "n-postgres: memory is 1 instead of 2",
    "n-backend-1-ab12: is gone (`up` makes it anew: n-backend-1)",
    "/product/secrets/backend/environment: was changed (`up` writes it again: stack-backend-environment)",
    "/product/nginx/current: was changed by hand (`up` writes it again: stack-nginx-configuration stack-switch)",
)
URN = "urn:pulumi:production::neurmatic::t::"


def report(*lines: str) -> Report:
    diff = "\n".join(
        ["--- live:containers (now)", "+++ live:containers (desired)", "@@ -1 +0,0 @@", *(f"-{each}" for each in lines)]
    )
    return Report((Line("live:containers", EXTRA, "has an extra line", diff),), run="check")


class Asked(Session):
    """Answers with a state from which a refresh takes what is gone."""

    def ask(self, *arguments: str) -> str:
        HISTORY.append(arguments)
        if arguments[0] == "refresh":
            STATE[:] = [each for each in STATE if each not in arguments]
        return json.dumps({"deployment": {"resources": [{"urn": each} for each in STATE]}})


HISTORY: list[tuple[str, ...]] = []
STATE: list[str] = []


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    HISTORY.clear()
    names = ("n-backend-1", "n-backend-10", "stack-backend-environment", "stack-nginx-configuration", "stack-switch")
    STATE[:] = [f"{URN}{name}" for name in names]
    monkeypatch.setattr(module, "settings_of", lambda _: None)
    return Asked(Target("neurmatic", "production", None), tmp_path, {})


def test_files_are_written_again_and_what_is_gone_leaves_the_state_first(session: Session) -> None:
    given = repairs(session, report(*LINES))
    assert HISTORY[1] == ("refresh", "--yes", "--skip-preview", "--target", f"{URN}n-backend-1")
    expected = ("stack-backend-environment", "stack-nginx-configuration", "stack-switch")
    assert given == [word for name in expected for word in ("--replace", f"{URN}{name}")]


def test_what_the_server_puts_right_itself_is_not_the_engines(session: Session) -> None:
    assert repairs(session, report(LINES[0])) == []
    assert HISTORY == []


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("n-postgres: is another container than `up` made (`up` makes it anew: stack-postgres)", True),
        ("n-nginx: ports is 0.0.0.0:81->80/tcp instead of x (`up` makes it anew: stack-nginx)", True),
        ("n-postgres: is gone (`up` makes it anew: stack-postgres)", False),
        ("n-backend-1-x: is another container than `up` made (`up` makes it anew: n-backend-1)", False),
        ("/x/redis.conf: was changed (`up` writes it again: stack-redis-redis-conf)", False),
    ],
)
def test_a_running_container_that_has_no_room_beside_it_needs_the_opt_in(line: str, refused: bool) -> None:
    left = left_for_the_engine(report(line))
    if not refused:
        refuse_what_is_felt(left, Allow())
        return
    with pytest.raises(OperatorError, match="Nothing was changed") as caught:
        refuse_what_is_felt(left, Allow())
    setting = left[0].felt()
    assert setting is not None
    assert f"containers.allow.{setting.felt.allow}: true" in str(caught.value)
    refuse_what_is_felt(left, Allow(restart_postgres=True, replace_nginx=True))


def test_the_opt_in_is_read_from_the_stack_file(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    class Settings:
        containers: Any = ContainersSettings.model_validate({"postgres": {"database": "n", "user": "n"}})

    monkeypatch.setattr(module, "settings_of", lambda _: Settings())
    with pytest.raises(OperatorError, match="restart_redis"):
        repairs(session, report("n-redis: is another container than `up` made (`up` makes it anew: stack-redis)"))
    assert HISTORY == []
