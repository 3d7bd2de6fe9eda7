"""URL normalisation: the examples of docs rules/normalization/examples."""

from __future__ import annotations

import pytest
from edge_support import edge, rule, send
from hypothesis import given
from hypothesis import strategies as st

from edgerules.simulator.normalise import normalise


@pytest.mark.parametrize(
    ("path", "kind", "expected"),
    [
        (b"/hello", "cloudflare", b"/hello"),
        (b"/%68ello", "rfc3986", b"/hello"),
        (b"/%68ello//pa\\th", "rfc3986", b"/hello//pa%5Cth"),
        (b"/%68ello//pa\\th", "cloudflare", b"/hello/pa/th"),
        (b"/hello//../path", "rfc3986", b"/hello/path"),
        (b"/hello//../path", "cloudflare", b"/path"),
        (b"/hello/\\../path", "rfc3986", b"/hello/%5C../path"),
        (b"/hello/\\../path", "cloudflare", b"/path"),
        (b"/a%2fb%3f", "cloudflare", b"/a%2Fb%3F"),
        (b"/a/.", "cloudflare", b"/a/"),
        (b"/a/..", "cloudflare", b"/"),
        (b"/../..", "cloudflare", b"/"),
        ("/é".encode(), "cloudflare", b"/%C3%A9"),
    ],
)
def test_documented_examples(path: bytes, kind: str, expected: bytes) -> None:
    assert normalise(path, kind) == expected


@given(st.text(alphabet="/.a%2eE\\~é;=", max_size=12), st.sampled_from(["cloudflare", "rfc3986"]))
def test_a_normal_path_stays_as_it_is(rest: str, kind: str) -> None:
    once = normalise(b"/" + rest.encode(), kind)
    assert once.startswith(b"/")
    assert b"/../" not in once
    assert b"\\" not in once
    if b"%" not in once:  # %252e decodes step by step, at Cloudflare too
        assert normalise(once, kind) == once


def test_rules_see_the_normal_path_and_raw_the_other() -> None:
    rules = [rule("n", 'http.request.uri.path eq "/admin" and raw.http.request.uri.path eq "/x/..//%61dmin"')]
    assert send(edge(http_request_firewall_custom=rules), "/x/..//%61dmin").rule == "n"
    off = {"type": "cloudflare", "scope": "none"}
    assert send(edge(http_request_firewall_custom=rules, url_normalization=off), "/x/..//%61dmin").verdict == "allowed"
