"""Every class of requests through the nginx that ships, while it is reloaded and its backends change."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from nginx_stage import API, FENCE, NginxStage, environment, on, stage

from components.containers.nginx.origin import Serving
from rehearsal.docker import docker
from rehearsal.images import backend, ensure_image
from rehearsal.images.throwaway import Container, throwaway
from rehearsal.load import EVERY, Phase, Plan, Report, Target, loading
from rehearsal.load.report import mistakes
from rehearsal.load.running import Heard
from rehearsal.pace import allowed

pytestmark = pytest.mark.rehearsal
RATE, SLOW = 30, 2.0
# Enough of the slow ones for some to be under way whenever something changes.
MIX = {**EVERY, "kept GET": 21, "slow": 6}


@pytest.fixture(scope="module")
def behind(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NginxStage]:
    if engine:
        pytest.skip(engine)
    with stage(tmp_path_factory.mktemp("load")) as built:
        yield built


@pytest.fixture
def target(behind: NginxStage) -> Target:
    return Target("127.0.0.1", behind.nginx.published(443), API, (behind.folder / "tls" / "fullchain.pem").read_text())


def ledger(behind: NginxStage, prefix: str) -> dict[str, int]:
    answer = behind.ask(f"/api/v1/ledger?prefix={prefix}", Authorization="Bearer rehearsal")
    return dict(json.loads(answer.data)["writes"])


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.1)


def wait_for_more(heard: Heard, answers: int) -> None:
    already = len(heard.records)
    until(lambda: len(heard.records) > already + answers)


def newcomer(behind: NginxStage, stack: ExitStack) -> Container:
    tag = ensure_image(backend("1.4.3")).tag
    flags = [*FENCE, *on(behind.network, "backend-3"), *environment(INSTANCE="backend-3")]
    made = stack.enter_context(throwaway(tag, flags=flags))
    ready = ("curl", "-sf", "http://127.0.0.1:3000/api/v1/health/ready")
    made.wait_until(lambda: "true" in made.run(*ready), "it is ready")
    return made


def test_nobody_notices_a_reload_and_another_backend(behind: NginxStage, target: Target) -> None:
    phases = []
    with ExitStack() as stack:
        made = newcomer(behind, stack)
        with loading(target, Plan(rate=RATE, prefix="change", mix=MIX, slow=SLOW)) as heard:
            for name, serving in (("reload", ["backend-1", "backend-2"]), ("switch", ["backend-3"])):
                began = time.time()
                behind.put(Serving(serving, ["frontend"]))
                behind.reload()
                wait_for_more(heard, 2 * RATE)
                phases.append(Phase(name, began, time.time()))
            behind.put(Serving(["backend-1"], ["frontend"]))
            behind.reload()
            # Old workers have five seconds for what is under way, as `drain` of the stage says.
            until(lambda: "shutting down" not in docker("top", behind.nginx.id))
            began = time.time()
            made.stop(30)
            phases.append(Phase("delete", began, time.time()))
    report = Report(heard.records)
    found = list(mistakes(heard, phases, ledger(behind, "change")))
    # Whether so many can be sent is a question to the machine of the tests; `make prove` asks it as well.
    assert [each for each in found if "the rate was not held" not in each] == []
    assert set(report.kinds) == set(MIX)
    assert {record.version for record in report.records} == {"1.4.2", "1.4.3"}
    assert min(record.seconds for record in report.of("slow").records) >= SLOW
    assert report.during(*phases).quick.seconds(50) < allowed(1)


def test_http2_is_what_is_spoken(target: Target) -> None:
    """An nginx without it would answer in HTTP/1.1, and the client would have measured that."""
    with socket.create_connection((target.address, target.port)) as plain:
        secured = target.context(("h2",)).wrap_socket(plain, server_hostname=target.host)
        assert secured.selected_alpn_protocol() == "h2"
        secured.close()


def test_a_backend_that_is_killed_shows(behind: NginxStage, target: Target) -> None:
    """The counterpart: the same change without a drain is noticed by this client."""
    with ExitStack() as stack:
        made = newcomer(behind, stack)
        behind.put(Serving(["backend-3"], ["frontend"]))
        behind.reload()
        until(lambda: behind.ask("/api/v1/users/me").headers.get("X-Version") == "1.4.3")
        with loading(target, Plan(rate=RATE, prefix="killed", mix=MIX, slow=SLOW)) as heard:
            until(lambda: bool(Report(heard.records).of("slow").records))
            docker("kill", made.id)
            until(lambda: bool(Report(heard.records).failed))
            behind.put(Serving(["backend-1", "backend-2"], ["frontend"]))
            behind.reload()
    assert Report(heard.records).of("slow").failed
    assert any("failed" in mistake for mistake in mistakes(heard, [], ledger(behind, "killed")))
