"""Rules about how resources stand to each other, and about which values are secret."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fixtures import BUCKET_POLICY, TAGS, ZONE, cloudflare, record, s3, tls_policy
from judge import ABSENT, UNKNOWN, changed, judge, resource
from rules import RULES
from rules.frame import Finding, Resource, Stack, StackRule
from stack import GOOD

REMOVED = object()
# rule, what is taken away or changed in the good stack, and how
RELATIONS: list[tuple[str, str, str, Any]] = [
    ("tls-buckets", "bucket-policy", "", REMOVED),
    ("tls-zone-settings", "ssl", "", REMOVED),
    ("tls-zone-settings", "min-tls", "", REMOVED),
    ("tls-zone-settings", "hsts", "", REMOVED),
    ("tls-https-redirect", "redirects", "", REMOVED),
    ("tls-https-redirect", "redirects", "rules.0.expression", "ssl"),
    ("tls-https-redirect", "redirects", "rules.0.enabled", False),
    ("storage-has-access-block", "access-block", "", REMOVED),
    ("storage-has-versioning", "versioning", "", REMOVED),
    ("storage-lifecycle", "lifecycle", "", REMOVED),
    ("storage-object-lock", "bucket", "objectLockEnabled", False),
    ("storage-access-log", "logging", "", REMOVED),
    ("storage-replication", "replication", "", REMOVED),
    ("storage-events", "events", "", REMOVED),
    ("edge-mail-records", "spf", "", REMOVED),
    ("edge-mail-records", "dmarc", "", REMOVED),
    ("edge-dkim", "dkim", "", REMOVED),
    ("edge-caa", "caa", "", REMOVED),
    ("edge-has-dnssec", "dnssec", "", REMOVED),
    ("edge-firewall", "managed", "", REMOVED),
    ("edge-firewall", "managed", "rules.0.enabled", False),
    ("edge-owasp", "managed", "rules.1.enabled", False),
    ("edge-authentication-limit", "limits", "", REMOVED),
    ("edge-authentication-limit", "limits", "rules.0.expression", 'http.host eq "static.example.com"'),
    ("edge-authentication-limit", "limits", "rules.0.enabled", False),
    ("edge-one-ruleset", "config-rules", "phase", "http_ratelimit"),
    ("data-backup", "backups", "", REMOVED),
    ("data-backup-retention", "backups-lifecycle", "rules.0.expiration.days", 7.0),
    ("data-whole-expiry", "lifecycle", "rules.0.filter", ABSENT),
    ("naming-one-environment", "bucket", "tags.environment", "staging"),
]
# Judged by what is secret or by what exists at all; see the tests below.
SECRETNESS = {
    "credentials-keepers",
    "credentials-plain-text",
    "credentials-random-text",
    "credentials-registry-password",
    "credentials-secret-inputs",
    "data-protected",
    "hosts-output-hidden",
    "identity-groups",
    "identity-no-console",
    "identity-no-users",
    "identity-one-key",
    "identity-user-policies",
}


def stack_with(name: str = "", path: str = "", value: Any = None) -> list[Resource]:
    resources = []
    for each, (type_, props) in GOOD.items():
        if each != name:
            resources.append(resource(type_, props, each, protect=True))
        elif value is not REMOVED:
            resources.append(resource(type_, changed(props, path, value), each, protect=True))
    return resources


@pytest.mark.parametrize(
    ("rule", "name", "path", "value"), RELATIONS, ids=[f"{row[0]}-{i}" for i, row in enumerate(RELATIONS)]
)
def test_relation_is_noticed(rule: str, name: str, path: str, value: Any) -> None:
    assert judge(rule, *stack_with()) == [], "the stack itself must be compliant"
    findings = judge(rule, *stack_with(name, path, value))
    assert findings
    assert all(finding.urn for finding in findings), "a person has to know which resource is meant"


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
        {"Condition": {"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:userid": "x"}}},
    ],
)
def test_tls_policy_that_leaves_a_way_is_none(change: dict[str, Any]) -> None:
    policy = resource(BUCKET_POLICY, tls_policy(**change), "media-policy")
    assert judge("tls-buckets", resource(s3("Bucket"), {"bucket": "media"}, "media"), policy)


def test_bucket_is_not_covered_by_another_buckets_parts() -> None:
    bucket = resource(s3("Bucket"), {"bucket": "media"}, "media")
    other = resource(BUCKET_POLICY, {**tls_policy(), "bucket": "backups"}, "backups-policy")
    assert [finding.urn for finding in judge("tls-buckets", bucket, other)] == [bucket.urn]


def test_parts_are_found_by_the_engines_dependencies() -> None:
    """At preview neither the bucket's name nor the policy's bucket is known when the name is made up."""
    bucket = resource(s3("Bucket"), {"bucket": UNKNOWN}, "uploads")
    policy = resource(BUCKET_POLICY, {**tls_policy(), "bucket": UNKNOWN}, "any-name", sources={"bucket": (bucket.urn,)})
    assert judge("tls-buckets", bucket, policy) == []
    assert judge("tls-buckets", bucket, resource(BUCKET_POLICY, {**tls_policy(), "bucket": UNKNOWN}, "any-name"))


def test_records_of_a_zone_that_another_stack_owns_are_its_owners_business() -> None:
    tenant = resource(*record("A", "staging.example.com", "51.83.45.10"))
    for rule in ("edge-caa", "edge-mail-records", "edge-has-dnssec", "edge-firewall", "tls-zone-settings"):
        assert judge(rule, tenant) == []


@pytest.mark.parametrize(("rule", "name"), [("data-backup-retention", "backups"), ("data-whole-expiry", "media")])
def test_lifecycle_of_the_old_form_is_judged(rule: str, name: str) -> None:
    given = {"bucket": name, "lifecycleRules": [{"enabled": True, "expiration": {"days": 3.0}}]}
    assert judge(rule, resource(s3("Bucket"), given, name))
    off = {"bucket": name, "lifecycleRules": [{"enabled": False, "expiration": {"days": 365.0}}]}
    assert not judge(rule, resource(s3("Bucket"), off, name))


def test_mail_and_certificate_records_need_no_proxy() -> None:
    kind, mail = record("CNAME", "em1.example.com", "u1.wl1.sendgrid.net", proxied=False)
    assert not judge("edge-proxied", resource(kind, mail))
    assert not judge("edge-proxied", resource(kind, {**mail, "name": "_x1.example.com", "content": "x.example.net"}))
    assert judge("edge-proxied", resource(kind, {**mail, "content": "origin.example.com"}))


def test_data_is_protected_or_said_to_be_disposable() -> None:
    assert judge("data-protected", resource(s3("Bucket"), {"bucket": "media"}))
    assert not judge("data-protected", resource(s3("Bucket"), {"bucket": "media"}, protect=True))
    assert not judge("data-protected", resource(s3("Bucket"), {"tags": {"data": "disposable"}}))


def test_one_active_key_is_enough_for_a_user() -> None:
    keys = [resource("aws:iam/accessKey:AccessKey", {"user": "app"}, name) for name in ("a", "b")]
    assert [finding.urn for finding in judge("identity-one-key", *keys)] == [keys[1].urn]
    old = resource("aws:iam/accessKey:AccessKey", {"user": "app", "status": "Inactive"}, "b")
    assert not judge("identity-one-key", keys[0], old)


def test_what_is_made_at_all() -> None:
    user = resource("aws:iam/user:User", {"name": "app", "tags": TAGS}, "app")
    login = resource("aws:iam/userLoginProfile:UserLoginProfile", {"user": "app"})
    own = resource("aws:iam/userPolicyAttachment:UserPolicyAttachment", {"user": "app"})
    membership = resource("aws:iam/userGroupMembership:UserGroupMembership", {"user": "app", "groups": ["g"]})
    assert judge("identity-no-users", user)
    assert judge("identity-no-console", login)
    assert judge("identity-user-policies", own)
    assert judge("identity-groups", user)
    assert not judge("identity-groups", user, membership)


def plain(
    rule: str, type_: str, props: dict[str, Any], secret: tuple[str, ...] = (), name: str = "it"
) -> list[Finding]:
    return judge(rule, resource(type_, props, name, secret=secret))


def test_credential_has_to_be_secret() -> None:
    pulls = cloudflare("AuthenticatedOriginPullsCertificate")
    assert plain("credentials-secret-inputs", pulls, {"privateKey": "x"})
    assert not plain("credentials-secret-inputs", pulls, {"privateKey": "x"}, ("privateKey",))
    connection = {"connection": {"host": "h", "privateKey": "x"}}
    assert plain("credentials-secret-inputs", "command:remote:Command", connection)
    assert not plain("credentials-secret-inputs", "command:remote:Command", connection, ("connection",))


def test_credential_in_any_input_is_found_where_it_is_plain() -> None:
    key = {"content": "aws_access_key_id = AKIAIOSFODNN7EXAMPLE"}
    assert [f.property for f in plain("credentials-plain-text", s3("BucketObjectv2"), key)] == ["content"]
    assert not plain("credentials-plain-text", s3("BucketObjectv2"), key, ("content",))
    nested = {"rules": [{"x": ["y", "https://user:hunter2@example.com"]}]}
    assert [f.property for f in plain("credentials-plain-text", "any:thing:Thing", nested)] == ["rules.0.x.1"]


def test_secret_environment_is_no_finding() -> None:
    type_, props = GOOD["nginx"]
    given = {**props, "envs": ["POSTGRES_PASSWORD=generated-and-long"]}
    assert plain("credentials-environment", type_, given)
    assert not plain("credentials-environment", type_, given, ("envs",))
    assert not plain("credentials-environment", type_, given, ("envs.0",))


def test_random_text_is_no_password() -> None:
    kind = "random:index/randomString:RandomString"
    assert plain("credentials-random-text", kind, {"length": 64.0}, name="postgres-password")
    assert not plain("credentials-random-text", kind, {"length": 8.0}, name="suffix")


def test_keepers_and_registry_passwords() -> None:
    kind = "random:index/randomPassword:RandomPassword"
    assert plain("credentials-keepers", kind, {"keepers": {"x": "y"}}, ("keepers.x",))
    assert not plain("credentials-keepers", kind, {"keepers": {"x": "y"}})
    auth = {"registryAuth": '[{"address":"ghcr.io","password":"x"}]'}
    assert plain("credentials-registry-password", "pulumi:providers:docker", auth)
    assert not plain("credentials-registry-password", "pulumi:providers:docker", auth, ("registryAuth",))


def test_output_of_commands_with_secret_input_is_hidden() -> None:
    fed = {"create": "cat > x", "stdin": "s"}
    assert plain("hosts-output-hidden", "command:remote:Command", fed, ("stdin",))
    assert not plain("hosts-output-hidden", "command:remote:Command", fed)
    assert not plain("hosts-output-hidden", "command:remote:Command", {**fed, "logging": "none"}, ("stdin",))


def copies(count: int) -> list[Resource]:
    """The good stack several times over, each with buckets and a zone of its own."""
    found = []
    for number in range(count):
        for name, (type_, props) in GOOD.items():
            text = json.dumps(props).replace('"media', f'"media-{number}').replace(":media", f":media-{number}")
            text = text.replace("backups", f"backups-{number}").replace(ZONE, f"{number:032x}")
            found.append(resource(type_, json.loads(text), f"{name}-{number}", protect=True))
    return found


def test_stack_rules_look_at_each_resource_a_fixed_number_of_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: twice the resources, twice the reads."""
    reads = 0
    original = Resource.read

    def counted(self: Resource, path: str, default: Any = None) -> Any:
        nonlocal reads
        reads += 1
        return original(self, path, default)

    monkeypatch.setattr(Resource, "read", counted)
    taken = []
    for count in (4, 8, 16):
        stack, reads = Stack(copies(count)), 0
        for rule in RULES:
            if isinstance(rule, StackRule):
                list(rule.check(stack))
        taken.append(reads)
    assert taken[1] <= 2.1 * taken[0]
    assert taken[2] <= 2.1 * taken[1]
