"""Whatever the files hold, the answer is an outcome or sentences with file and line, never a traceback."""

# ruff: noqa: PT017 (an outcome is as good as a sentence, so there is no pytest.raises)

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from edge_support import send
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgerules.cases import load_cases, run_file
from edgerules.cases.requests import build
from edgerules.diff import read_corpus
from edgerules.lint import lint
from edgerules.simulator import Edge
from edgerules.zone import Document, InputError, Zone, parse
from edgerules.zone import build as build_zone
from edgerules.zone.model import Zone as ZoneModel
from edgerules.zone.shapes import by_phase

pytestmark = pytest.mark.slow

DATA = Path(__file__).parent / "data"
PRODUCT = yaml.safe_load((DATA / "product.yaml").read_text())
CASES = yaml.safe_load((DATA / "product.cases.yaml").read_text())

quick = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
slow = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        [
            "true",
            "ssl",
            'http.host eq "a"',
            "\x00",
            "\udcff",
            "-",
            "0",
            "/",
            "GET /",
            "block",
            "set",
            "on",
            "{",
            "ip.src",
        ]
    ),
)
junk = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """`value` with `new` at `path`."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(value[path[0]], path[1:], new)
    return copy


def broken(whole: Any) -> st.SearchStrategy[Any]:
    return st.builds(lambda path, new: put(whole, path, new), st.sampled_from(places(whole)), junk)


def are_sentences(error: InputError, name: str) -> bool:
    return all(re.match(rf"(?:{re.escape(name)}:\d+: .+|rule .+)\.$", text, re.S) for text in error.sentences)


@quick
@given(st.text(max_size=200) | st.text(alphabet="{}[]:,&*!|>'\"%@#\n -ab1", max_size=80))
def test_any_text_is_a_document_or_a_sentence(text: str) -> None:
    try:
        parse(text, "f")
    except InputError as error:
        assert are_sentences(error, "f"), error


def try_zone(value: Any) -> Zone | None:
    try:
        return build_zone(by_phase(Document("f", value)))
    except InputError as error:
        assert are_sentences(error, "f"), error
        return None


API = {**PRODUCT, "rulesets": [{"phase": phase, "rules": rules} for phase, rules in PRODUCT["rules"].items()]}
del API["rules"]


@slow
@given(broken(PRODUCT) | broken(API))
def test_a_broken_zone_is_refused_or_simulated_and_linted(value: Any) -> None:
    zone = try_zone(value)
    if zone is None:
        return
    lint(zone)
    try:
        edge = Edge(zone)
    except InputError as error:
        assert all(text.startswith("rule ") and text.endswith(".") for text in error.sentences), error
        return
    for line in ("https://www.example.com/blog/a.js?x=1", "POST https://api.example.com/v1/auth/login --status 500"):
        send(edge, line)


@slow
@given(broken(CASES), st.randoms())
def test_broken_cases_are_refused_or_run(tmp_path_factory: Any, value: Any, random: Any) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "c.yaml"
    path.write_text(yaml.safe_dump(value, allow_unicode=False), encoding="utf-8")
    zone = ZoneModel.model_validate({"plan": "free"})
    try:
        file = load_cases(path, zone)
        if sum(send.repeat for case in file.cases for send in case.sends) < 5_000:
            run_file(file)
        read_corpus(path, zone)
    except InputError as error:
        assert are_sentences(error, str(path)), error


@quick
@given(st.text(max_size=80) | st.text(alphabet="GETPOS /:-Hhtp'\"?#[]@%.\\\udcff", max_size=60))
def test_any_line_is_a_request_or_a_reason(line: str) -> None:
    try:
        build(line, {"host": "example.com"})
    except ValueError as error:
        assert str(error)


@quick
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "url",
                "host",
                "path",
                "query",
                "headers",
                "ip",
                "country",
                "asn",
                "body",
                "tls",
                "http",
                "fields",
                "origin",
                "assume",
                "x",
            ]
        ),
        junk,
        max_size=4,
    )
)
def test_any_mapping_is_a_request_or_a_reason(value: dict[str, Any]) -> None:
    try:
        request = build(value)
    except ValueError as error:
        assert str(error)
    else:
        Edge(ZoneModel.model_validate({"plan": "free"})).send(request)
