"""Every rule: silent on what is compliant, and loud on each single way of breaking it."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures import (
    ACCESS_BLOCK,
    API,
    BUCKET,
    BUCKET_POLICY,
    CLOSED,
    COMMAND,
    CONTAINER,
    ENFORCED,
    FIREWALL,
    LONG,
    MEDIA,
    NGINX,
    OWNERSHIP,
    PASSWORD,
    POSTGRES,
    RECORD,
    REMOTE,
    RULESET,
    SETTING,
    STRICT,
    tls_policy,
)
from judge import ABSENT, SECRET, UNKNOWN, all_findings, changed, judge, resource
from rules import RULES

COMPLIANT = {
    CONTAINER: POSTGRES,
    BUCKET: MEDIA,
    ACCESS_BLOCK: CLOSED,
    OWNERSHIP: ENFORCED,
    BUCKET_POLICY: tls_policy(),
    REMOTE: COMMAND,
    PASSWORD: LONG,
    SETTING: STRICT,
    RECORD: API,
    RULESET: FIREWALL,
}

# rule, type, fixture, path, value that breaks it, property that the finding must name
BROKEN: list[tuple[str, str, dict[str, Any], str, Any, str]] = [
    ("exposure-private-services", CONTAINER, POSTGRES, "ports.0.ip", "0.0.0.0", "ports.0.ip"),
    ("exposure-private-services", CONTAINER, POSTGRES, "ports.0.ip", ABSENT, "ports.0.ip"),
    ("exposure-private-services", CONTAINER, POSTGRES, "ports.0.ip", "51.83.45.10", "ports.0.ip"),
    (
        "exposure-private-services",
        CONTAINER,
        NGINX,
        "ports.1",
        {"internal": 6379.0, "external": 443.0, "ip": ""},
        "ports.1.ip",
    ),
    (
        "exposure-public-ports",
        CONTAINER,
        NGINX,
        "ports.0",
        {"internal": 3000.0, "external": 3000.0},
        "ports.0.external",
    ),
    ("exposure-publish-all", CONTAINER, NGINX, "publishAllPorts", True, "publishAllPorts"),
    ("exposure-host-network", CONTAINER, NGINX, "networkMode", "host", "networkMode"),
    ("tls-edge-settings", SETTING, STRICT, "value", "full", "value"),
    ("tls-edge-settings", SETTING, {"settingId": "min_tls_version", "value": "1.2"}, "value", "1.0", "value"),
    ("tls-edge-settings", SETTING, {"settingId": "tls_1_3", "value": "on"}, "value", "off", "value"),
    ("storage-public-access-block", ACCESS_BLOCK, CLOSED, "blockPublicAcls", False, "blockPublicAcls"),
    ("storage-public-access-block", ACCESS_BLOCK, CLOSED, "blockPublicPolicy", ABSENT, "blockPublicPolicy"),
    ("storage-public-access-block", ACCESS_BLOCK, CLOSED, "ignorePublicAcls", False, "ignorePublicAcls"),
    ("storage-public-access-block", ACCESS_BLOCK, CLOSED, "restrictPublicBuckets", ABSENT, "restrictPublicBuckets"),
    ("storage-no-acls", OWNERSHIP, ENFORCED, "rule.objectOwnership", "ObjectWriter", "rule.objectOwnership"),
    ("containers-privileged", CONTAINER, NGINX, "privileged", True, "privileged"),
    ("containers-capabilities", CONTAINER, NGINX, "capabilities", ABSENT, "capabilities.drops"),
    ("containers-capabilities", CONTAINER, NGINX, "capabilities.drops", ["CAP_CHOWN"], "capabilities.drops"),
    ("containers-no-new-privileges", CONTAINER, NGINX, "securityOpts", ABSENT, "securityOpts"),
    (
        "containers-no-new-privileges",
        CONTAINER,
        NGINX,
        "securityOpts",
        ["no-new-privileges", "seccomp=unconfined"],
        "securityOpts",
    ),
    ("containers-limits", CONTAINER, NGINX, "memory", ABSENT, "memory"),
    ("containers-limits", CONTAINER, NGINX, "memory", 0, "memory"),
    ("containers-limits", CONTAINER, NGINX, "cpus", ABSENT, "cpus"),
    ("containers-host-paths", CONTAINER, NGINX, "mounts.0.source", "/var/run/docker.sock", "mounts.0.source"),
    ("containers-host-paths", CONTAINER, NGINX, "mounts.0.source", "/etc", "mounts.0.source"),
    ("containers-host-paths", CONTAINER, NGINX, "volumes.0.hostPath", "/", "volumes.0.hostPath"),
    ("containers-log-rotation", CONTAINER, NGINX, "logOpts", ABSENT, "logOpts"),
    ("containers-health-check", CONTAINER, NGINX, "healthcheck", ABSENT, "healthcheck"),
    ("containers-health-check", CONTAINER, NGINX, "healthcheck.tests", ["NONE"], "healthcheck"),
    ("hosts-host-key", REMOTE, COMMAND, "connection.hostKey", ABSENT, "connection.hostKey"),
    ("hosts-host-key", REMOTE, COMMAND, "connection.hostKey", "", "connection.hostKey"),
    ("hosts-no-pipe-to-shell", REMOTE, COMMAND, "create", "curl -fsSL https://get.x | sudo sh", "create"),
    ("hosts-no-pipe-to-shell", REMOTE, COMMAND, "update", "wget -qO- https://get.x | bash", "update"),
    ("hosts-no-secret-in-command", REMOTE, COMMAND, "create", "PGPASSWORD=hunter2 psql", "create"),
    ("hosts-no-secret-in-command", REMOTE, COMMAND, "delete", "psql postgres://u:hunter2@db/x", "delete"),
    ("credentials-length", PASSWORD, LONG, "length", 16.0, "length"),
    ("credentials-length", PASSWORD, LONG, "length", ABSENT, "length"),
    ("edge-proxied", RECORD, API, "proxied", False, "proxied"),
    ("edge-proxied", RECORD, API, "proxied", ABSENT, "proxied"),
    (
        "edge-no-open-door",
        RULESET,
        FIREWALL,
        "rules.0",
        {"ref": "a", "action": "skip", "expression": "(true)"},
        "rules.0.expression",
    ),
    ("edge-rule-refs", RULESET, FIREWALL, "rules.0.ref", ABSENT, "rules.0.ref"),
    ("data-force-destroy", BUCKET, MEDIA, "forceDestroy", True, "forceDestroy"),
]


def everything_compliant() -> list[Any]:
    return [resource(type_, props, "media", protect=True) for type_, props in COMPLIANT.items()]


def test_no_rule_complains_about_what_is_compliant() -> None:
    assert all_findings(*everything_compliant(), resource(CONTAINER, NGINX)) == {}


@pytest.mark.parametrize(("rule", "type_", "props", "path", "value", "named"), BROKEN)
def test_rule_notices(rule: str, type_: str, props: dict[str, Any], path: str, value: Any, named: str) -> None:
    assert judge(rule, resource(type_, props, protect=True)) == [], "the fixture itself must be compliant"
    findings = judge(rule, resource(type_, changed(props, path, value), protect=True))
    assert named in [finding.property for finding in findings]


@pytest.mark.parametrize("value", [UNKNOWN, SECRET])
@pytest.mark.parametrize(("rule", "type_", "props", "path", "_", "__"), BROKEN)
def test_what_cannot_be_known_is_counted_and_not_judged(
    rule: str, type_: str, props: dict[str, Any], path: str, _: Any, __: str, value: str
) -> None:
    """Whatever the unknown value hides, the rule neither fails nor passes in silence."""
    known = resource(type_, changed(props, path, value), protect=True)
    assert judge(rule, known) == []
    assert known.unjudged, "an unknown value passed without being counted"


def test_every_rule_is_broken_by_some_test() -> None:
    by_relation = {"tls-buckets", "storage-has-access-block", "data-protected"}
    assert {rule.about.id for rule in RULES} == {case[0] for case in BROKEN} | by_relation


def test_bucket_without_its_tls_policy_is_named() -> None:
    findings = judge("tls-buckets", resource(BUCKET, MEDIA, "media"))
    assert [finding.urn for finding in findings] == ["urn:pulumi:s::p::aws:s3/bucket:Bucket::media"]


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Allow"},
        {"Action": "s3:GetObject"},
        {"Principal": {"AWS": "arn:aws:iam::1:root"}},
        {"Resource": "arn:aws:s3:::media/*"},
        {"Resource": ["arn:aws:s3:::media"]},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Condition": {}},
    ],
)
def test_tls_policy_that_leaves_a_way_is_none(change: dict[str, Any]) -> None:
    policy = resource(BUCKET_POLICY, tls_policy(**change), "media-policy")
    assert judge("tls-buckets", resource(BUCKET, MEDIA, "media"), policy)


def test_bucket_is_not_covered_by_another_buckets_policy() -> None:
    other = resource(BUCKET_POLICY, {**tls_policy(), "bucket": "backups"}, "backups-policy")
    assert judge("tls-buckets", resource(BUCKET, MEDIA, "media"), other)


def test_bucket_needs_an_access_block_of_its_own() -> None:
    other = resource(ACCESS_BLOCK, {**CLOSED, "bucket": "backups"}, "backups-block")
    assert judge("storage-has-access-block", resource(BUCKET, MEDIA, "media"), other)
    assert not judge("storage-has-access-block", resource(BUCKET, MEDIA, "media"), resource(ACCESS_BLOCK, CLOSED))


def test_data_is_protected_or_said_to_be_disposable() -> None:
    assert judge("data-protected", resource(BUCKET, MEDIA))
    assert not judge("data-protected", resource(BUCKET, MEDIA, protect=True))
    assert not judge("data-protected", resource(BUCKET, {**MEDIA, "tags": {"data": "disposable"}}))


def test_mail_records_need_no_proxy() -> None:
    mail = {"name": "em1.neurmatic.com", "type": "CNAME", "content": "u1.wl1.sendgrid.net", "proxied": False}
    assert not judge("edge-proxied", resource(RECORD, mail))
    assert judge("edge-proxied", resource(RECORD, {**mail, "content": "origin.neurmatic.com"}))


def test_messages_never_carry_a_value() -> None:
    canary = "canary-3f9c"
    for rule, type_, props, path, value, _ in BROKEN:
        broken = changed(props, path, value)
        for key, given in list(broken.items()):
            if isinstance(given, str) and key not in ("settingId", "networkMode", "phase", "type", "value"):
                broken[key] = f"{given} {canary}"
        text = "".join(f"{finding.property}{finding.problem}" for finding in judge(rule, resource(type_, broken)))
        assert canary not in text
