"""A sink can answer under the address of a neighbour, where only that segment reaches it."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from rehearsal.neighbours import own_segment
from rehearsal.sinks.webhook import start_webhook

pytestmark = pytest.mark.rehearsal


def test_it_answers_its_segment_and_not_this_machine(tmp_path: Path) -> None:
    with own_segment("10.211.8.0/24") as segment:
        slack, visitor = segment.join("slack"), segment.join("visitor")
        sink = start_webhook(tmp_path, slack.place)
        try:
            done = visitor.run(["curl", "-s", "-m", "5", "-d", '{"text": "hello"}', f"{sink.url}/hook"])
            assert (done.returncode, done.stdout) == (0, "ok")
            with pytest.raises(urllib.error.URLError):
                urllib.request.urlopen(sink.url, timeout=2)  # noqa: S310 - http
            assert [call.json for call in sink.calls()] == [{"text": "hello"}]
        finally:
            sink.stop()
