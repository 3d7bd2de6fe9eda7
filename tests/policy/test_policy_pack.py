"""The pack as the engine meets it: one pass, levels, exceptions, what is said at the end."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from fixtures import CONTAINER, NGINX, POSTGRES, REMOTE, s3
from judge import UNKNOWN, changed
from pack.dispatch import secret_paths
from pack.settings import SettingsError, parse
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel, Secret
from rules import RULES
from rules.frame import About, Finding, Resource, Rule, StackRule
from servicer import TODAY, Declared, Pack, names, secret
from stack import GOOD

OPEN = Declared(CONTAINER, changed(POSTGRES, "ports.0.ip", "0.0.0.0"), "postgres")
# What the SDK of the command provider does by itself.
GOOD_STACK = [
    Declared(type_, {key: secret(each) if key == "connection" else each for key, each in props.items()}, name, True)
    for name, (type_, props) in GOOD.items()
]
EXCEPTION = {
    "rule": "exposure-private-services",
    "resource": "postgres",
    "reason": "moved behind the tunnel this month",
    "owner": "alex@example.com",
    "expires": "2026-12-31",
}
IDS = [rule.about.id for rule in RULES]


def settings(**given: Any) -> dict[str, str]:
    """The stack's configuration, as a language host hands it to a pack."""
    return {"PULUMI_CONFIG": json.dumps({f"policy:{key}": json.dumps(value) for key, value in given.items()})}


def test_the_good_stack_has_nothing_to_say() -> None:
    assert Pack().preview(*GOOD_STACK) == []


def test_violation_stops_under_its_own_rule_and_says_what_to_do() -> None:
    (found,) = [each for each in Pack().preview(OPEN) if each.policyName == "exposure-private-services"]
    assert found.enforcementLevel == proto.MANDATORY
    assert found.severity == proto.POLICY_SEVERITY_CRITICAL
    assert found.message.splitlines() == [
        "A database, cache, broker or admin port on a public address is found and attacked within minutes.",
        "ports.0.ip: PostgreSQL would be published on an address other than loopback.",
        "  Fix: Publish it on 127.0.0.1 (ports[].ip), or not at all: containers of one network reach each other.",
        "  Answers: CIS Docker 5.14, KICS 451d79dc",
    ]


def test_a_resource_is_read_once_for_all_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    import pulumi_policy.policy as sdk  # noqa: PLC0415

    unpacked = []
    original = sdk.deserialize_properties
    monkeypatch.setattr(sdk, "deserialize_properties", lambda props: unpacked.append(1) or original(props))
    pack = Pack()
    pack.servicer.Analyze(Declared(CONTAINER, NGINX).request(), None)
    on_request = sum(rule.about.level is EnforcementLevel.DISABLED for rule in RULES)
    assert len(unpacked) == 1
    pack.servicer.Analyze(OPEN.request(), None)
    assert len(unpacked) <= 4
    assert on_request > 5, "or the test would not show that sleeping rules cost nothing"


def test_every_rule_is_a_policy_of_its_own_for_the_engine() -> None:
    info = Pack().servicer.GetAnalyzerInfo(None, None)
    assert {policy.name for policy in info.policies} == {
        *IDS,
        "pack-configuration",
        "pack-exceptions",
        "pack-summary",
        "coverage",
    }


def test_policies_judge_for_themselves_when_the_sdk_walks_them_otherwise() -> None:
    """A future SDK may copy the list: then no rule may fall silent."""
    pack = Pack()
    copied = list(pack.servicer._PolicyAnalyzerServicer__policies)
    rule = next(policy for policy in copied if policy.name == "exposure-private-services")
    lonely = type(pack.servicer)("test", "1", [rule], EnforcementLevel.ADVISORY)
    assert names(lonely.Analyze(OPEN.request(), None).diagnostics) == ["exposure-private-services"]


def test_two_rules_may_not_share_an_id() -> None:
    with pytest.raises(ValueError, match="share the id exposure-publish-all"):
        Pack([*RULES, next(rule for rule in RULES if rule.about.id == "exposure-publish-all")])


def test_unknown_values_are_counted_once_and_together() -> None:
    unknown = Declared(CONTAINER, changed(POSTGRES, "ports.0.ip", UNKNOWN), "postgres", protect=True)
    others = [each for each in GOOD_STACK if each.name != "postgres"]
    found = Pack().preview(unknown, *others)
    assert names(found) == ["coverage"]
    assert "1 value is not known yet and was not judged" in found[0].message
    assert "ports.0.ip of postgres (exposure-private-services)" in found[0].message


def test_levels_make_staging_warn_where_production_stops() -> None:
    found = Pack(environment=settings(levels={"*": "advisory"})).preview(OPEN)
    assert {each.enforcementLevel for each in found} == {proto.ADVISORY}
    assert "exposure-private-services" in names(found)


def test_the_longest_pattern_decides() -> None:
    levels = {"*": "advisory", "exposure-*": "disabled", "exposure-private-services": "mandatory"}
    found = Pack(environment=settings(levels=levels)).preview(OPEN)
    by_name = {each.policyName: each for each in found}
    assert by_name["exposure-private-services"].enforcementLevel == proto.MANDATORY
    assert "switched off by this stack: exposure-default-network" in by_name["pack-summary"].message


def test_rules_on_request_sleep_until_they_are_asked_by_name() -> None:
    bucket = Declared(s3("Bucket"), {"bucket": "media", "tags": {"environment": "x", "product": "y"}}, protect=True)
    assert "storage-access-log" not in names(Pack(environment=settings(levels={"*": "mandatory"})).preview(bucket))
    asked = Pack(environment=settings(levels={"storage-access-log": "mandatory"}))
    assert "storage-access-log" in names(asked.preview(bucket))


def test_the_engines_own_configuration_wakes_a_sleeping_rule() -> None:
    pack = Pack()
    config = {
        "containers-pids": proto.PolicyConfig(enforcementLevel=proto.MANDATORY),
        "storage-access-log": proto.PolicyConfig(enforcementLevel=proto.ADVISORY),
    }
    pack.servicer.Configure(proto.ConfigureAnalyzerRequest(policyConfig=config), None)
    container = Declared(CONTAINER, {**NGINX, "ulimits": []})
    bucket = Declared(s3("Bucket"), {"bucket": "media", "tags": {"environment": "x", "product": "y"}}, protect=True)
    assert {"containers-pids", "storage-access-log"} <= set(names(pack.preview(container, bucket)))


def test_exception_covers_one_finding_and_is_told() -> None:
    found = Pack(environment=settings(exceptions=[EXCEPTION])).preview(OPEN)
    assert "exposure-private-services" not in names(found)
    told = next(each.message for each in found if each.policyName == "pack-summary")
    assert "excepted: exposure-private-services on postgres until 2026-12-31 (alex@example.com: moved behind" in told


def test_exception_covers_no_other_resource() -> None:
    other = Declared(OPEN.type, OPEN.props, "replica")
    found = Pack(environment=settings(exceptions=[EXCEPTION])).preview(OPEN, other)
    urns = [each.urn for each in found if each.policyName == "exposure-private-services"]
    assert len(urns) == 1


def test_expired_exception_covers_nothing_and_is_a_violation() -> None:
    found = Pack(environment=settings(exceptions=[EXCEPTION]), today=date(2027, 1, 1)).preview(OPEN)
    assert {"exposure-private-services", "pack-exceptions"} <= set(names(found))
    assert "expired on 2026-12-31; alex@example.com answers for" in next(
        each.message for each in found if each.policyName == "pack-exceptions"
    )


def test_exception_on_its_last_day_still_holds() -> None:
    found = Pack(environment=settings(exceptions=[EXCEPTION]), today=date(2026, 12, 31)).preview(OPEN)
    assert not {"exposure-private-services", "pack-exceptions"} & set(names(found))


@pytest.mark.parametrize("midnight", ["", "T00:00:00Z", " 00:00:00 +0000 UTC"])
def test_day_without_quotes_is_a_day(midnight: str) -> None:
    """YAML makes a point in time of it before anyone is asked."""
    given = parse({"exceptions": [{**EXCEPTION, "expires": f"2026-12-31{midnight}"}]}, IDS, TODAY)
    assert given.exceptions[0].expires == date(2026, 12, 31)


def test_exception_without_a_violation_is_a_violation() -> None:
    found = Pack(environment=settings(exceptions=[EXCEPTION])).preview(*GOOD_STACK)
    (unused,) = [each for each in found if each.policyName == "pack-exceptions"]
    assert unused.enforcementLevel == proto.MANDATORY
    assert "policy:exceptions.0: covers nothing" in unused.message


def test_exception_is_not_called_unused_while_nobody_can_know() -> None:
    unknown = Declared(CONTAINER, changed(POSTGRES, "ports.0.ip", UNKNOWN), "postgres")
    found = Pack(environment=settings(exceptions=[EXCEPTION])).preview(unknown)
    assert "pack-exceptions" not in names(found)


def test_exceptions_reach_runs_without_a_stack_file() -> None:
    """`pulumi policy analyze --file` knows no configuration; --policy-pack-config brings it."""
    pack = Pack()
    properties = proto.PolicyConfig(enforcementLevel=proto.MANDATORY)
    properties.properties.update({"exceptions": [EXCEPTION]})
    request = proto.ConfigureAnalyzerRequest(policyConfig={"pack-configuration": properties})
    pack.servicer.Configure(request, None)
    assert "exposure-private-services" not in names(pack.preview(OPEN))


def test_mistake_in_that_configuration_is_one_line() -> None:
    pack = Pack()
    properties = proto.PolicyConfig(enforcementLevel=proto.MANDATORY)
    properties.properties.update({"exceptions": [{**EXCEPTION, "rule": "exposure-private-service"}]})
    pack.servicer.Configure(proto.ConfigureAnalyzerRequest(policyConfig={"pack-configuration": properties}), None)
    (found,) = pack.servicer.Analyze(OPEN.request(), None).diagnostics
    assert found.policyName == "pack-configuration"
    assert "did you mean exposure-private-services" in found.message


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"exception": []}, "policy:exception: nothing reads it; did you mean exceptions."),
        ({"exceptions": {}}, "policy:exceptions: has to be a list with an entry for each exception."),
        (
            {"exceptions": ["x"]},
            "policy:exceptions.0: has to be a mapping with rule, resource, reason, owner, expires.",
        ),
        ({"exceptions": [{**EXCEPTION, "until": "x"}]}, "policy:exceptions.0.until: nothing reads it; one of"),
        ({"exceptions": [{**EXCEPTION, "reason": " "}]}, "policy:exceptions.0.reason: is missing;"),
        (
            {"exceptions": [{**EXCEPTION, "rule": "edge-proxy"}]},
            "policy:exceptions.0.rule: there is no such rule; did you",
        ),
        ({"exceptions": [{**EXCEPTION, "resource": "*"}]}, "policy:exceptions.0.resource: an exception is for"),
        ({"exceptions": [{**EXCEPTION, "expires": "soon"}]}, "policy:exceptions.0.expires: has to be a day such as"),
        ({"exceptions": [{**EXCEPTION, "expires": "2028-01-01"}]}, "policy:exceptions.0.expires: is more than a year"),
        ({"levels": []}, "policy:levels: has to be a mapping"),
        ({"levels": {"*": "warn"}}, "policy:levels.*: is no level; one of mandatory, advisory, remediate, disabled."),
        ({"levels": {"storag-*": "advisory"}}, "policy:levels.storag-*: there is no such rule;"),
        ({"reports": {"html": "/x"}}, "policy:reports.html: nothing writes it; one of junit, sarif."),
        ({"reports": {"sarif": "x.sarif"}}, "policy:reports.sarif: has to be an absolute path."),
        ({"reports": {"sarif": "/nowhere/x.sarif"}}, "policy:reports.sarif: its folder does not exist."),
    ],
)
def test_bad_configuration_is_one_clear_line(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse(given, IDS, TODAY, "policy:")
    assert str(error.value).startswith(sentence)
    assert "\n" not in str(error.value)


def test_level_that_a_rule_cannot_have_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"policy:levels\.edge-proxied: this rule cannot remediate"):
        Pack(environment=settings(levels={"edge-proxied": "remediate"}))


REMEDIATED = [
    ("containers-no-new-privileges", CONTAINER, "securityOpts", ["no-new-privileges:true"]),
    ("containers-log-rotation", CONTAINER, "logDriver", "json-file"),
    ("storage-public-access-block", s3("BucketPublicAccessBlock"), "restrictPublicBuckets", True),
    ("data-force-destroy", s3("Bucket"), "forceDestroy", False),
]


@pytest.mark.parametrize(("rule", "kind", "path", "value"), REMEDIATED)
def test_remediation_is_announced_and_ends_the_violation(rule: str, kind: str, path: str, value: Any) -> None:
    pack = Pack(environment=settings(levels={rule: "remediate"}))
    given = {"bucket": "media", "forceDestroy": True} if "Bucket" in kind else {"image": "x"}
    (done,) = pack.remediated(Declared(kind, given))
    assert done.policyName == rule
    after = dict(done.properties)
    assert (list(after[path]) if isinstance(value, list) else after[path]) == value
    assert pack.remediated(Declared(kind, _plain(done.properties))) == []
    assert rule not in names(pack.preview(Declared(kind, _plain(done.properties))))


def _plain(struct: Any) -> dict[str, Any]:
    from google.protobuf import json_format  # noqa: PLC0415

    return dict(json_format.MessageToDict(struct))


def test_the_engines_own_configuration_may_ask_for_remediation() -> None:
    pack = Pack()
    config = {"data-force-destroy": proto.PolicyConfig(enforcementLevel=proto.REMEDIATE)}
    pack.servicer.Configure(proto.ConfigureAnalyzerRequest(policyConfig=config), None)
    (done,) = pack.remediated(Declared(s3("Bucket"), {"forceDestroy": True}))
    assert done.policyName == "data-force-destroy"


def test_remediation_keeps_secrets_secret() -> None:
    pack = Pack(environment=settings(levels={"containers-no-new-privileges": "remediate"}))
    (done,) = pack.remediated(Declared(CONTAINER, {"image": "x", "envs": secret(["A=b"])}))
    assert _plain(done.properties)["envs"] == secret(["A=b"])


def test_nothing_is_remediated_unless_a_stack_asks_for_it() -> None:
    assert Pack().remediated(Declared(CONTAINER, {"image": "x"})) == []


def test_remediation_leaves_excepted_resources_alone() -> None:
    given = {**EXCEPTION, "rule": "data-force-destroy", "resource": "media"}
    pack = Pack(environment=settings(levels={"data-force-destroy": "remediate"}, exceptions=[given]))
    assert pack.remediated(Declared(s3("Bucket"), {"forceDestroy": True}, "media")) == []


CANARY = "canary-5d21f0"


@pytest.mark.parametrize("wrapped", [True, False], ids=["secret", "plain"])
def test_no_message_carries_a_value(wrapped: bool, tmp_path: Any) -> None:
    """A secret in every place where one is likely, each of them wrong: found, and not shown."""
    hide = secret if wrapped else (lambda value: value)
    bad = [
        Declared(CONTAINER, {"image": CANARY, "envs": hide([f"POSTGRES_PASSWORD={CANARY}"]), "user": f"root:{CANARY}"}),
        Declared(REMOTE, {"create": hide(f"PGPASSWORD={CANARY} psql"), "connection": {"host": CANARY}}),
        Declared(
            s3("BucketPolicy"), {"policy": hide(json.dumps({"Statement": [{"Effect": "Allow", "Action": CANARY}]}))}
        ),
        Declared("pulumi:providers:cloudflare", {"apiKey": hide(CANARY), "baseUrl": f"http://{CANARY}.example.com/"}),
        Declared(s3("BucketObjectv2"), {"content": hide(f"https://user:{CANARY}@example.com")}),
    ]
    reports = {"sarif": str(tmp_path / "x.sarif"), "junit": str(tmp_path / "x.xml")}
    found = Pack(environment=settings(reports=reports)).preview(*bad)
    assert len(found) > 10
    text = "".join(each.message for each in found) + "".join(file.read_text() for file in tmp_path.iterdir())
    assert CANARY not in text


def test_secrets_are_found_wherever_they_are() -> None:
    given = {"a": Secret("x"), "b": {"c": [1, Secret("y")]}, "d": "plain"}
    assert sorted(secret_paths(given)) == ["a", "b.c.1"]


def test_a_rule_that_meets_what_it_cannot_read_does_not_end_the_run() -> None:
    def breaks(resource: Resource) -> list[Finding]:
        raise TypeError

    about = About("x-breaks", "Reason.", "Fix.")
    pack = Pack([Rule(about, (CONTAINER,), breaks), StackRule(About("x-too", "Reason.", "Fix."), breaks)])  # type: ignore[arg-type]
    found = pack.preview(Declared(CONTAINER, NGINX))
    assert names(found) == ["coverage"]
    assert "its inputs of it (x-breaks)" in found[0].message


def test_relations_hold_on_a_server_that_does_not_exist_yet() -> None:
    """Before a first `up` the engine knows of containers only what the program said."""
    later = [replace(each, provider_unknown=each.type.startswith("docker:")) for each in GOOD_STACK]
    assert Pack().preview(*later) == []
    without = [each for each in later if "backups" not in str(each.props.get("tags"))]
    assert "data-backup" in names(Pack().preview(*without))
