"""The command line: what people type, what they read, and the exit status."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edgerules.__main__ import main
from edgerules.cases import load_cases
from edgerules.simulator import Edge

DATA = Path(__file__).parent / "data"
ZONE, CASES, SEEDED = (str(DATA / name) for name in ("product.yaml", "product.cases.yaml", "seeded.yaml"))


def run(*words: str, stdin: str | bytes = "") -> Result:
    result = CliRunner().invoke(main, list(words), input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_check_answers_line_by_line() -> None:
    result = run("check", stdin="ssl\nhttp.hst eq 1\n")
    first, second = result.output.splitlines()
    assert (result.exit_code, first) == (1, "ok")
    assert second.startswith("column 1:")
    assert run("check", stdin="ssl\n").exit_code == 0
    assert run("check", "--plan", "free", stdin='http.host matches "a"\n').exit_code == 1
    assert run("check", stdin=b"\xff\xfe\n").exit_code == 1


def test_lint_lists_findings_also_as_json() -> None:
    result = run("lint", SEEDED)
    assert result.exit_code == 1
    assert f"{SEEDED}:16: error: rule fold, column 24: this is never true" in result.output
    findings = json.loads(run("lint", SEEDED, "--json").stdout)
    assert {"rule", "column", "severity", "reference", "code", "line", "message", "phase"} == set(findings[0])
    assert len(findings) == 23
    assert run("lint", ZONE, "--strict").exit_code == 0


def test_warnings_fail_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "z.yaml"
    path.write_text(
        'plan: pro\nrules: {http_request_firewall_custom: [{expression: http.host eq "x", action: block}]}\n'
    )
    assert run("lint", str(path)).exit_code == 0
    assert run("lint", str(path), "--strict").exit_code == 1


def test_test_runs_cases_and_mutants(tmp_path: Path) -> None:
    result = run("test", CASES)
    assert (result.exit_code, " 0 failed; " in result.output) == (0, True)
    path = tmp_path / "c.yaml"
    path.write_text("cases: [{name: n, request: GET https://example.com/.env, expect: allowed}]\n")
    failed = run("test", str(path), "--zone", ZONE)
    assert (failed.exit_code, "stopped by dotfiles (block, 403)" in failed.output) == (1, True)
    path.write_text(
        "cases: [{name: n, request: GET https://example.com/.env --country DE -A x, expect: {rule: dotfiles}}]\n"
    )
    poor = run("test", str(path), "--zone", ZONE, "--mutate", "--least", "90")
    assert (poor.exit_code, "not noticed: login: disabled" in poor.output) == (1, True)


def test_explain_tells_the_way() -> None:
    result = run(
        "explain",
        "--zone",
        ZONE,
        "GET",
        "https://api.example.com/v1/items",
        "-H",
        "Accept: */*",
        "--country",
        "DE",
        "--ip",
        "198.51.100.1",
        "-A",
        "Mozilla",
    )
    text = result.output
    assert result.exit_code == 0
    phases = [
        "single redirects",
        "URL rewrites",
        "custom rules",
        "rate limits",
        "managed rules",
        "request headers",
        "cache rules",
        "response headers",
    ]
    places = [text.index(f"\n{phase}\n") for phase in phases]
    assert places == sorted(places)
    assert "  * legacy-api: rewrite path /api/v1/items" in text
    assert "=> unknown: perhaps stopped by managed (managed: Cloudflare Managed Ruleset); owasp" in text
    short = run("explain", "--zone", ZONE, "/.env --country DE -A x")
    assert "=> stopped by dotfiles (block, 403)" in short.output


def test_diff_lists_what_changes(tmp_path: Path) -> None:
    new = tmp_path / "new.yaml"
    new.write_text(
        Path(ZONE)
        .read_text()
        .replace('"KP" "IR"', '"KP" "FR"')
        .replace("requests_per_period: 300", "requests_per_period: 200")
    )
    corpus = tmp_path / "corpus.txt"
    lines = [f"GET https://example.com/ --country {code} -A x" for code in ("FR", "IR", "DE")]
    corpus.write_text("# visitors\n" + "\n".join(lines))
    result = run("diff", ZONE, str(new), "--corpus", str(corpus), "--assume-pass", "managed")
    assert result.output.splitlines() == [
        f"{corpus}:2: GET https://example.com/",
        "  old: allowed",
        "  new: stopped by countries (block, 403)",
        f"{corpus}:3: GET https://example.com/",
        "  old: stopped by countries (block, 403)",
        "  new: allowed",
        "2 of 3 requests change; 0 are unknown in the new zone (0.0 %)",
    ]
    assert result.exit_code == 0
    by_cases = run("diff", ZONE, str(new), "--corpus", CASES, "--json", "--exit-code")
    changes = json.loads(by_cases.output)["changes"]
    assert by_cases.exit_code == 1
    assert {change["new"]["rule"] for change in changes} >= {"api"}
    assert sum(change["times"] for change in changes if change["new"]["rule"] == "api") == 100


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["lint", "nowhere.yaml"], "nowhere.yaml: cannot be read: No such file or directory."),
        (["test", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
        (["explain", "--zone", ZONE, "GET"], "the request: a request is METHOD URL, then"),
        (["explain", "--zone", ZONE, "GET", "https://a/", "--ip"], "the request: --ip needs a value."),
        (
            ["explain", "--zone", ZONE, "https://example.com/", "-H", "nothing"],
            "the request: the header 'nothing' has no colon.",
        ),
        (["diff", ZONE, ZONE, "--corpus", "nowhere.txt"], "nowhere.txt: cannot be read"),
    ],
)
def test_bad_input_ends_with_a_sentence_and_status_2(words: list[str], sentence: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert sentence in result.output


def test_check_starts_fast_and_leaves_the_simulator_alone() -> None:
    heavy = "{'pydantic', 'yaml', 'edgerules.simulator'}"
    code = f"import sys, edgerules.__main__; print(sorted({heavy} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"


def test_five_thousand_requests_a_second() -> None:
    """Through the production-like zone, requests that pass every phase; processor time, so that load does not count."""
    file = load_cases(CASES)
    edge = Edge(file.zone)
    requests = [send.request for case in file.cases for send in case.sends]
    passing = [request for request in requests if edge.send(request).verdict == "allowed"]
    assert len(passing) > 20
    start = time.process_time()
    for at in range(2000 // len(passing) + 1):
        for request in passing:
            edge.send(request, at)
    assert 2000 / (time.process_time() - start) > 5000
