"""The load client notices: each way in which a server can fail, and those in which the client itself does."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import h2.config
import h2.connection
import h2.events
from answering import BAD_GATEWAY, OK, Http1, served

from rehearsal.load import Heard, Plan, Report, Target, loading
from rehearsal.load.report import mistakes

READS, WRITES, NEW = {"kept GET": 1}, {"kept POST": 1}, {"new GET": 1}


def asked(target: Target, mix: dict[str, int], rate: float = 100, seconds: float = 0.5) -> Heard:
    with loading(target, Plan(rate=rate, mix=mix, seconds=seconds)) as heard:
        time.sleep(seconds)
    return heard


def test_a_good_server_has_nothing_against_it(tmp_path: Path) -> None:
    server = Http1()
    with served(tmp_path, server.serve) as target:
        heard = asked(target, {"kept GET": 1, "kept POST": 1, "new GET": 1, "new POST": 1})
    report = Report(heard.records)
    assert not list(mistakes(heard, [], server.ledger))
    assert len(heard.records) == server.asked >= 45
    assert server.asked // 2 <= server.connections < server.asked
    assert max(server.visitors.values()) == 1, "no visitor asks so often that a limit would bite"
    assert {record.version for record in heard.records} == {"1.4.2"}
    assert 0 < report.seconds(50) <= report.seconds(99) < 5


def test_a_lost_and_a_doubled_write_show(tmp_path: Path) -> None:
    server = Http1()
    with served(tmp_path, server.serve) as target:
        heard = asked(target, WRITES)
    first, second, *_ = server.ledger
    del server.ledger[first]
    server.ledger[second] += 1
    assert list(mistakes(heard, [], server.ledger)) == [f"1 lost: {first}", f"1 doubled: {second}"]


def test_a_bad_gateway_and_a_cut_answer_are_failures_and_not_asked_again(tmp_path: Path) -> None:
    server = Http1(lambda number: {5: BAD_GATEWAY, 9: OK[:30], 13: OK[:-1]}.get(number, OK))
    with served(tmp_path, server.serve) as target:
        heard = asked(target, NEW)
    assert Report(heard.records).failed == {"502": 1, "cut": 2}
    assert Report(heard.records).again == 0
    assert list(mistakes(heard)) == ["1 failed: 502", "2 failed: cut"]


def test_without_a_byte_it_asks_once_more_on_a_fresh_connection(tmp_path: Path) -> None:
    server = Http1(closes_kept=1)
    with served(tmp_path, server.serve) as target:
        heard = asked(target, READS)
    report = Report(heard.records)
    assert (report.failed.total(), report.again, report.on_idle) == (0, 1, 1)
    assert len(heard.records) == server.asked - 1


def test_twice_without_a_byte_is_a_failure(tmp_path: Path) -> None:
    with served(tmp_path, Http1(lambda number: b"").serve) as target:
        heard = asked(target, NEW)
    report = Report(heard.records)
    assert report.failed.total() == report.again == len(heard.records) > 40


def test_a_write_that_was_done_although_nothing_came_back_shows_as_doubled(tmp_path: Path) -> None:
    server = Http1(lambda number: b"" if number == 9 else OK)
    with served(tmp_path, server.serve) as target:
        heard = asked(target, WRITES)
    assert [line.split(":")[0] for line in mistakes(heard, [], server.ledger)] == ["1 doubled"]


def test_nobody_there_is_a_failure(tmp_path: Path) -> None:
    with served(tmp_path, Http1().serve) as target:
        pass
    assert Report(asked(target, NEW).records).failed.keys() == {"connect: ConnectionRefusedError"}


def test_a_rate_that_was_not_held_shows(tmp_path: Path) -> None:
    with served(tmp_path, Http1().serve) as target:
        heard = asked(target, NEW, rate=50_000, seconds=0.3)
    [first, *_] = mistakes(heard)
    assert first.endswith("requests were sent: the rate was not held")


def test_a_stalled_server_does_not_hide_behind_its_own_stall(tmp_path: Path) -> None:
    """Requests that were due during the stall count with all of their wait: no coordinated omission."""

    def stall(number: int) -> bytes:
        if number == 20:
            time.sleep(0.5)
        return OK

    server = Http1(stall)
    with served(tmp_path, server.serve) as target:
        heard = asked(target, READS, seconds=1)
    slow = [record for record in heard.records if record.seconds > 0.1]
    assert len(slow) > 25
    assert len(heard.records) > 90


class Leaves:
    """HTTP/2: answers the first stream of each connection, and says goodbye to the others; or does so before that."""

    def __init__(self, early: bool = False) -> None:
        self.early = early
        self.answered: Counter[str] = Counter()

    async def serve(self, reader, writer) -> None:  # type: ignore[no-untyped-def]
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        state.initiate_connection()
        writer.write(state.data_to_send())
        while data := await reader.read(65536):
            for event in state.receive_data(data):
                if isinstance(event, h2.events.RequestReceived) and event.stream_id:
                    if event.stream_id > 1 or self.early:
                        before = state.state_machine.state
                        state.close_connection(last_stream_id=1)
                        state.state_machine.state = before
                    if event.stream_id == 1:
                        self.answered[dict(event.headers or [])[b"idempotency-key"].decode()] += 1
                        state.send_headers(event.stream_id, [(":status", "200"), ("x-version", "2")], end_stream=True)
            writer.write(state.data_to_send())
            if state.highest_inbound_stream_id > (0 if self.early else 1):
                break
        writer.close()


def test_streams_that_a_leaving_server_never_looked_at_go_to_another_connection(tmp_path: Path) -> None:
    with served(tmp_path, Leaves().serve, "h2") as target:
        heard = asked(target, {"HTTP/2 POST": 1})
    report = Report(heard.records)
    assert report.failed.total() == 0
    assert report.again == report.on_idle > 5
    assert {record.version for record in heard.records} == {"2"}


def test_a_stream_that_a_leaving_server_still_answers_is_not_asked_again(tmp_path: Path) -> None:
    """Asked again, its write would be done twice, and the client would be the one to blame."""
    server = Leaves(early=True)
    with served(tmp_path, server.serve, "h2") as target:
        heard = asked(target, {"HTTP/2 POST": 1}, rate=20)
    assert not Report(heard.records).failed
    assert len(server.answered) == len(heard.records)
    assert max(server.answered.values()) == 1


def test_people_think_on_connections_that_stay_open(tmp_path: Path) -> None:
    server = Http1()
    with served(tmp_path, server.serve) as target, loading(target, Plan(people=40, think=0.2)) as heard:
        time.sleep(2)
    assert not Report(heard.records).failed
    assert server.connections == 40
    assert server.asked == len(heard.records) > 100


def test_it_ends_with_the_one_who_started_it(tmp_path: Path) -> None:
    with served(tmp_path, Http1().serve) as target:
        process = subprocess.Popen(
            [sys.executable, "-m", "rehearsal.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdin
        given = {"address": target.address, "port": target.port, "host": target.host, "trusted": target.trusted}
        process.stdin.write(json.dumps({"target": given, "plan": {"mix": NEW}}) + "\n")
        process.stdin.close()
        assert process.wait(20) == 0
