"""What is said to the script on the host is what it reads."""

from __future__ import annotations

import base64
import json

import pytest

from components.containers.balancer import LOADER, SPARE_BACKENDS, SPARE_FRONTENDS, told
from components.containers.nginx.origin import Origin, Serving
from components.containers.nginx.upstreams import upstreams
from components.containers.onhost import serve


def test_two_lines_the_script_and_what_it_shall_do() -> None:
    script, document, rest = told({"action": "switch", "soak": 60}).split("\n")
    boot = base64.b64decode(script).decode()
    compile(boot, "boot", "exec")
    assert "('serve', '\"\"\"What nginx serves" in boot
    assert json.loads(document) == {"action": "switch", "soak": 60}
    assert (rest, "\n" in LOADER) == ("", False)


def test_spares_get_a_line_each_where_their_place_is_held(origin: Origin) -> None:
    assert serve.SPARES == {"backends": SPARE_BACKENDS, "frontends": SPARE_FRONTENDS}
    text = upstreams(origin, Serving(["new"], ["page"], [SPARE_BACKENDS], [SPARE_FRONTENDS]))
    wanted = {"files": {"upstreams.conf": text}}
    both = serve.upstreams(wanted, {"backends": ["old-1", "old-2"], "frontends": []})
    assert both == upstreams(origin, Serving(["new"], ["page"], ["old-1", "old-2"], []))
    assert serve.upstreams(wanted, {}) == upstreams(origin, Serving(["new"], ["page"]))


def test_what_is_gone_is_left_out_and_nothing_else_changes(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its name in the network's DNS, nginx would not start again."""
    there = {"one", "two", "page"}
    monkeypatch.setattr(serve, "running", there.__contains__)
    text = upstreams(origin, Serving(["one", "two"], ["page"]))
    assert serve.still_there(text) == text
    there.remove("two")
    assert serve.still_there(text) == upstreams(origin, Serving(["one"], ["page"]))
    there.clear()
    assert serve.still_there(text).count(serve.NOBODY) == 3
    assert "one:3000" not in serve.still_there(text)
