"""A zone file is read strictly, and every mistake is one sentence with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgerules.tables.plans import Plan
from edgerules.zone import InputError, load, parse, zone_from_rulesets

DATA = Path(__file__).parent / "data"


def write(tmp_path: Path, text: str, name: str = "zone.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def mistakes(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        load(path)
    return [sentence.removeprefix(f"{path}:") for sentence in caught.value.sentences]


def test_on_and_no_stay_text_and_versions_may_be_numbers(tmp_path: Path) -> None:
    text = "plan: pro\nsettings: {tls_1_3: on, min_tls_version: 1.2, always_use_https: true}\n"
    zone, _ = load(write(tmp_path, text))
    assert (zone.settings.tls_1_3, zone.settings.min_tls_version) == ("on", "1.2")
    assert zone.settings.always_use_https == "on"
    assert parse("a: [NO, on, yes, null, 010, 1e3]", "x").value == {"a": ["NO", "on", "yes", None, "010", "1e3"]}


def test_json_with_tabs_is_read_with_its_lines(tmp_path: Path) -> None:
    text = json.dumps({"plan": "pro", "rules": {"http_ratelimit": [{"expression": "ssl"}]}}, indent="\t")
    assert mistakes(write(tmp_path, text, "zone.json")) == [
        "5: rules.http_ratelimit.0.action: this key is required and not there."
    ]


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    text = """plan: gold
rules:
  http_request_firewall_custom:
    - ref: a
      expresion: ssl
      action: block
  no_such_phase: []
"""
    found = "\n".join(mistakes(write(tmp_path, text)))
    assert "1: plan: input should be 'free', 'pro', 'business' or 'enterprise'." in found
    assert (
        "5: rules.http_request_firewall_custom.0.expresion: this key is not known here; did you mean expression."
        in found
    )
    assert "4: rules.http_request_firewall_custom.0.expression: this key is required and not there." in found
    assert "7: rules.no_such_phase: input should be" in found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("plan: free\nplan: pro\n", "2: the key 'plan' stands here for the second time."),
        ("plan: [\n", "2: is neither YAML nor JSON"),
        ("", "1: a zone is a mapping with the keys plan and rules."),
        ("- a\n", "1: a zone is a mapping with the keys plan and rules."),
        ("a: &a [*a]\n", "1:"),
        ("? [x]\n: y\n", "1: a key must be text or a number."),
    ],
)
def test_what_is_no_zone_gets_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    assert mistakes(write(tmp_path, text))[0].startswith(sentence)


def test_aliases_cannot_make_a_bomb(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join(['*a' + str(n - 1)] * 10)}]" for n in range(1, 9)]
    assert "too large" in mistakes(write(tmp_path, "\n".join(lines)))[0]


def test_missing_and_binary_files_get_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere.yaml: cannot be read: No such file or directory\."):
        load(tmp_path / "nowhere.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"plan: \xff\xfe")
    with pytest.raises(InputError, match=r"binary.yaml: is not UTF-8 text"):
        load(tmp_path / "binary.yaml")


def test_rulesets_of_a_program_become_a_zone() -> None:
    """As Pulumi's mocks record them: camelCase, floats, nulls; names that people chose stay."""
    zone = zone_from_rulesets(
        [
            {
                "phase": "http_ratelimit",
                "kind": "zone",
                "name": "limits",
                "zoneId": "0123",
                "rules": [
                    {
                        "ref": "login",
                        "expression": "ssl",
                        "action": "block",
                        "description": None,
                        "ratelimit": {
                            "characteristics": ["cf.colo.id", "ip.src"],
                            "period": 60.0,
                            "requestsPerPeriod": 5.0,
                            "mitigationTimeout": 60.0,
                        },
                    }
                ],
            },
            {
                "phase": "http_response_headers_transform",
                "rules": [
                    {
                        "expression": "true",
                        "action": "rewrite",
                        "actionParameters": {"headers": {"X-myHeader": {"operation": "set", "value": "a"}}},
                    }
                ],
            },
        ],
        plan=Plan.PRO,
        name="example.com",
    )
    limit = zone.rules_of("http_ratelimit")[0].ratelimit
    assert limit is not None
    assert (limit.period, limit.requests_per_period, limit.mitigation_timeout) == (60, 5, 60)
    headers = zone.rules_of("http_response_headers_transform")[0].parameters["headers"]
    assert headers == {"X-myHeader": {"operation": "set", "value": "a"}}


def test_two_rulesets_of_one_phase_are_refused(tmp_path: Path) -> None:
    text = "plan: pro\nrulesets:\n  - {phase: http_ratelimit, rules: []}\n  - {phase: http_ratelimit, rules: []}\n"
    assert mistakes(write(tmp_path, text)) == [
        "4: there is a second ruleset for the phase http_ratelimit; "
        "Cloudflare keeps one for each phase and zone: merge their rules."
    ]


def test_lines_survive_the_move_from_rulesets(tmp_path: Path) -> None:
    text = (
        "plan: pro\nrulesets:\n  - phase: http_ratelimit\n    rules:\n      - expression: ssl\n        action: blok\n"
    )
    assert mistakes(write(tmp_path, text))[0].startswith("6: rules.http_ratelimit.0.action: input should be")


def test_a_flat_list_of_rules_is_sorted_by_phase(tmp_path: Path) -> None:
    text = """plan: pro
rules:
  - {phase: http_ratelimit, ref: a, expression: ssl, action: block}
  - {phase: http_request_firewall_custom, ref: b, expression: ssl, action: block}
  - {phase: http_ratelimit, ref: c, expression: ssl, action: nothing}
"""
    assert mistakes(write(tmp_path, text))[0].startswith("5: rules.http_ratelimit.1.action: input should be")
    zone, document = load(write(tmp_path, text.replace("nothing", "block")))
    assert [rule.ref for rule in zone.rules_of("http_ratelimit")] == ["a", "c"]
    assert document.line("rules", "http_request_firewall_custom", 0) == 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("rules: [{ref: a}]", "1: rules stand under their phase, or each names it with the key phase."),
        ("rules: {a: []}\nrulesets: []", "2: give either rules or rulesets, not both."),
        ("rulesets: [3]", "1: a ruleset needs the keys phase and rules."),
    ],
)
def test_other_shapes_get_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    assert mistakes(write(tmp_path, text)) == [sentence]


def test_a_wrong_item_of_a_list_is_named_by_its_place(tmp_path: Path) -> None:
    text = "plan: pro\nlists:\n  moved:\n    kind: redirect\n    items:\n      - {source_url: a b, target_url: x}\n"
    assert all(sentence.startswith("6: lists.moved.items.0") for sentence in mistakes(write(tmp_path, text)))
