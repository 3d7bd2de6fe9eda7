"""Cases: the production-like zone does what its cases say, and a case that fails says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgerules.cases import BoundCase, load_cases, pytest_cases, run_file, tally
from edgerules.cases.requests import build
from edgerules.zone import InputError, load

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize("case", pytest_cases(DATA / "product.cases.yaml"))
def test_product(case: BoundCase) -> None:
    case.check()


def cases(tmp_path: Path, text: str, zone: str = "plan: pro\n") -> Path:
    (tmp_path / "zone.yaml").write_text(zone)
    path = tmp_path / "edge.cases.yaml"
    path.write_text("zone: zone.yaml\ncases:\n" + text)
    return path


BLOCK = """plan: pro
rules:
  http_request_firewall_custom:
    - {ref: block-x, expression: 'starts_with(http.request.uri.path, "/x")', action: block}
"""


def test_a_failure_names_file_line_request_and_the_rule_that_decided(tmp_path: Path) -> None:
    path = cases(
        tmp_path, "  - name: x is open\n    request: GET https://example.com/x?y\n    expect: allowed\n", BLOCK
    )
    [result] = run_file(load_cases(path))
    [message] = result.failures
    assert message.splitlines() == [
        f'{path}:4: case "x is open": GET https://example.com/x?y at 0 s',
        "  expected verdict allowed, but it is stopped by block-x (block, 403)",
        "  http_request_firewall_custom: block-x: block 403",
    ]


def test_a_failure_in_a_sequence_names_the_turn(tmp_path: Path) -> None:
    limit = "{characteristics: [cf.colo.id], period: 10, requests_per_period: 3, mitigation_timeout: 10}"
    zone = f"plan: pro\nrules: {{http_ratelimit: [{{ref: r, expression: ssl, action: block, ratelimit: {limit}}}]}}\n"
    step = "{request: GET https://example.com/, repeat: 5, every: 2, expect: allowed}"
    [result] = run_file(load_cases(cases(tmp_path, f"  - name: five\n    sequence:\n      - {step}\n", zone)))
    assert "GET https://example.com/ at 6 s, 4 of 5" in result.failures[0]
    assert "expected verdict allowed, but it is stopped by r (block, 429)" in result.failures[0]


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ("{rule: other}", "rule other, but it is stopped by block-x"),
        ("{action: skip}", "action skip, but it is block"),
        ("{status: 404}", "status 404, but it is 403"),
        ("{location: 'https://a/'}", "header location: 'https://a/', but it is absent"),
        ("{headers: {content-type: null}}", "header content-type: absent, but it is 'text/html; charset=UTF-8'"),
        ("{headers: {Content-Type: {contains: json}}}", "containing 'json', but it is 'text/html"),
        ("{cache: {eligible: true}}", "a cache decision, but the request does not come that far"),
        ("{origin: {path: /a}}", "path /a at the origin, but it is unchanged"),
        ("unknown", "verdict unknown, but it is stopped"),
    ],
)
def test_every_expectation_can_fail(tmp_path: Path, expect: str, words: str) -> None:
    text = f"  - {{name: n, request: 'GET https://example.com/x', expect: {expect}}}\n"
    [result] = run_file(load_cases(cases(tmp_path, text, BLOCK)))
    assert words in result.failures[0]


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        ("{status: 200}", "not known: the case does not state the origin's answer"),
        ("{headers: {x: null}}", "header x: absent, but it is not known"),
        ("{cache: {edge_ttl: 5}}", "cache edge_ttl 5, but it is not known"),
    ],
)
def test_what_the_case_does_not_state_is_not_guessed(tmp_path: Path, expect: str, words: str) -> None:
    text = f"  - {{name: n, request: 'GET https://example.com/a.js', expect: {expect}}}\n"
    [result] = run_file(load_cases(cases(tmp_path, text)))
    assert words in result.failures[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("  - {name: n, request: GET /}\n", ":3: case 'n' expects nothing, so it could not fail."),
        ("  - {name: n, expect: allowed}\n", ":3: case 'n' needs either request or sequence."),
        ("  - {name: n, request: GET /, expect: allowed}\n", ":3: the request names no host"),
        (
            "  - {name: n, request: GET https://a/, expect: {verdct: x}}\n",
            "verdct: this key is not known here; did you mean verdict.",
        ),
        ("  - {name: n, request: GET https://a/, expect: maybe}\n", ":3: cases.0.expect.verdict: input should be"),
        ("  - {name: n, request: GET https://a/ --ip x, expect: allowed}\n", ":3: ip: 'x' is not an address."),
        ("  - {name: n, request: GET https://a/ --country de, expect: allowed}\n", ":3: country: 'de' is not a code"),
        ("  - {name: n, request: GET https://a/ --cuntry DE, expect: allowed}\n", ":3: --cuntry is not an option"),
        ("  - {name: n, request: GET https://a/ --tls 9, expect: allowed}\n", ":3: tls: '9' is none of"),
        ("  - {name: n, request: GET https://a/ -H x, expect: allowed}\n", ":3: the header 'x' has no colon."),
        (
            "  - {name: n, request: {url: 'https://a/', pth: /}, expect: allowed}\n",
            ":3: pth: a request has no pth; it has",
        ),
        (
            "  - {name: n, request: {host: a, fields: {cf.client.bt: true}}, expect: allowed}\n",
            "no field cf.client.bt; did you mean cf.client.bot.",
        ),
        (
            "  - {name: n, request: {host: a, fields: {cf.client.bot: 1}}, expect: allowed}\n",
            "cf.client.bot is of the type Boolean, and this value is not.",
        ),
        (
            "  - {name: n, request: {host: a, assume: {managed: yes}}, expect: allowed}\n",
            "assume.managed: 'yes' is neither pass nor unknown.",
        ),
        ("  - {name: n, request: 'ftp://a/', expect: allowed}\n", "the scheme 'ftp' is neither http nor https."),
        ("  - {name: n, request: 'https://a:b/', expect: allowed}\n", "'a:b' is not a host."),
        (
            "  - {name: n, sequence: [{request: https://a/, at: 5, expect: allowed}, {request: https://a/, at: 1}]}\n",
            "1 s is before the step above it ended (5 s).",
        ),
        (
            "  - {name: n, sequence: [{request: GET https://a/, at: 5, after: 1, expect: allowed}]}\n",
            "give at or after, not both.",
        ),
        (
            "  - {name: n, sequence: [{request: GET https://a/, repeat: 0, expect: allowed}]}\n",
            "repeat: input should be greater than or equal to 1.",
        ),
        ("  []\n", ":2: cases: list should have at least 1 item"),
    ],
)
def test_mistakes_in_cases_are_sentences(tmp_path: Path, text: str, sentence: str) -> None:
    path = cases(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load_cases(path)
    assert str(caught.value).startswith(str(path) + ":")
    assert sentence in str(caught.value)


def test_cases_without_a_zone_say_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.cases.yaml"
    path.write_text("cases: [{name: n, request: GET https://a/, expect: allowed}]\n")
    with pytest.raises(InputError, match=r"which zone\? Give `zone: FILE` here, or --zone FILE"):
        load_cases(path)
    assert len(load_cases(path, load(DATA / "product.yaml")[0]).cases) == 1


def test_a_zone_that_does_not_parse_is_named_with_its_line(tmp_path: Path) -> None:
    zone = "plan: pro\nrules:\n  http_request_firewall_custom:\n    - {ref: bad, expression: ssl and, action: block}\n"
    file = load_cases(cases(tmp_path, "  - {name: n, request: GET https://a/, expect: allowed}\n", zone))
    with pytest.raises(InputError, match=r"zone\.yaml:4: rule bad: column"):
        run_file(file)


def test_the_share_of_unknowns_is_told() -> None:
    line = tally(run_file(load_cases(DATA / "product.cases.yaml")))
    assert line.endswith("requests, 1 of them unknown (0.1 %)")


def test_defaults_hold_unless_a_case_says_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "d.cases.yaml"
    text = """defaults:
  request: {host: a.example.com, path: /d, headers: {A: '1', B: '1'}, country: DE}
  assume: {managed: pass}
cases:
  - {name: own, request: {headers: {b: '2'}, country: FR}, expect: allowed}
  - {name: url, request: GET https://b.example.com/x?y=1, expect: allowed}
"""
    path.write_text(text)
    own, url = (case.sends[0].request for case in load_cases(path, load(DATA / "seeded.yaml")[0]).cases)
    assert (own.url, own.country, own.managed_pass) == ("https://a.example.com/d", "FR", True)
    assert own.headers == {"a": ("1",), "b": ("2",)}
    assert (url.url, url.country) == ("https://b.example.com/x?y=1", "DE")


@pytest.mark.parametrize(
    ("line", "url"),
    [
        ("GET /a?id=1' OR '1'='1", "https://h.example/a?id=1'%20OR%20'1'='1"),
        ("'https://h.example/a b'", "https://h.example/a%20b"),
        ("https://h.example/ü#part", "https://h.example/%C3%BC"),
        ("http://h.example:8080?x", "http://h.example:8080/?x"),
        ("POST /x -d 'a b' -H 'X: 1' -H 'X: 2'", "https://h.example/x"),
    ],
)
def test_requests_are_written_like_curls(line: str, url: str) -> None:
    request = build(line, {"host": "h.example"})
    assert request.url == url
    if request.body is not None:
        assert (request.body, request.headers["x"]) == (b"a b", ("1", "2"))
