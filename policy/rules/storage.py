"""Buckets are private, say so themselves, and keep what they hold."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from .documents import is_narrowed, statements
from .frame import CRITICAL, LOW, MEDIUM, UNJUDGED, Book, Finding, Pattern, Resource, must_be, of
from .kinds import (
    ACCESS_BLOCK,
    ACCESS_POINT,
    ACCOUNT_ACCESS_BLOCK,
    BUCKET,
    BUCKET_ACL,
    BUCKET_CORS,
    BUCKET_OWNERSHIP,
    BUCKET_POLICY,
    BUCKET_WEBSITE,
    OBJECTS,
    R2_CORS,
    R2_MANAGED_DOMAIN,
)
from .relations import covers

book = Book("storage")

BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
PUBLIC_ACLS = ("public-read", "public-read-write", "authenticated-read", "website")
PUBLIC_GROUPS = ("/global/AllUsers", "/global/AuthenticatedUsers")
# What would let a stranger take the bucket over (AWS Security Hub, control S3.6).
TAKEOVER = (
    "s3:deletebucketpolicy",
    "s3:putbucketacl",
    "s3:putbucketpolicy",
    "s3:putencryptionconfiguration",
    "s3:putobjectacl",
)
NAME = Pattern(r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$")
# Names that services of AWS make up from account and region: whoever takes them first gets the service's files.
SHADOW = Pattern(
    r"^(aws-glue-assets-\d{12}|aws-emr-studio-\d{12}|sagemaker-[a-z0-9-]+-\d{12}|aws-codestar-[a-z0-9-]+-\d{12}"
    r"|cf-templates-[a-z0-9]+-|cdk-[a-z0-9]+-assets-\d{12})"
)
POLICY_HOLDERS = (BUCKET_POLICY, *BUCKET, ACCESS_POINT)


def close_bucket(props: MutableMapping[str, Any]) -> bool:
    open_ = [name for name in BLOCKS if props.get(name) in (None, False)]
    for name in open_:
        props[name] = True
    return bool(open_)


@book.rule(
    "public-access-block",
    [ACCESS_BLOCK, ACCOUNT_ACCESS_BLOCK],
    "Uploads and database dumps must never be one ACL or policy away from being public.",
    "Set all four of blockPublicAcls, blockPublicPolicy, ignorePublicAcls and restrictPublicBuckets to true.",
    "AWS FSBP S3.8",
    "CIS AWS 2.1.4",
    "CKV_AWS_53",
    "CKV_AWS_54",
    "CKV_AWS_55",
    "CKV_AWS_56",
    "Trivy AWS-0086",
    severity=CRITICAL,
    remediate=close_bucket,
)
def public_access_is_possible(resource: Resource) -> Iterator[Finding]:
    for name in BLOCKS:
        # S3's default for each of the four is false.
        if resource.read(name, default=False) is False:
            yield Finding(name, "the bucket could be made public.")


@book.rule(
    "access-point",
    [ACCESS_POINT],
    "An access point is a second door to the same objects.",
    "Leave publicAccessBlockConfiguration out, or set all four to true.",
    "CKV_AWS_392",
    "Prowler s3_access_point_public_access_block",
)
def access_point_is_open(resource: Resource) -> Iterator[Finding]:
    for name in BLOCKS:
        path = f"publicAccessBlockConfiguration.{name}"
        # Here the service's default is true.
        if resource.read(path, default=True) is False:
            yield Finding(path, "objects could be made public through the access point.")


def needs(types: tuple[str, ...], path: str, problem: str) -> Any:
    def check(resources: list[Resource]) -> Iterator[Finding]:
        find = covers(resources, types)
        for bucket in of(resources, BUCKET):
            if not find(bucket):
                yield Finding(path, problem, bucket.urn)

    return check


book.relation(
    "has-access-block",
    "A bucket without a public access block of its own depends on the account's setting.",
    "Declare a BucketPublicAccessBlock for it.",
    "CKV2_AWS_6",
    "AWS FSBP S3.8",
    "Trivy AWS-0094",
    "Prowler s3_bucket_level_public_access_block",
)(needs((ACCESS_BLOCK,), "bucket", "no BucketPublicAccessBlock belongs to it."))


@book.rule(
    "no-acls",
    [BUCKET_OWNERSHIP],
    "ACLs are a second, older permission system that can grant what the policy denies.",
    "Set objectOwnership to BucketOwnerEnforced.",
    "CKV2_AWS_65",
    "AWS FSBP S3.12",
    "Prowler s3_bucket_acl_prohibited",
    severity=MEDIUM,
)
def acls_are_in_force(resource: Resource) -> Iterator[Finding]:
    ownership = resource.read("rule.objectOwnership")
    if ownership is not UNJUDGED and ownership != "BucketOwnerEnforced":
        yield Finding("rule.objectOwnership", "object ACLs would be in force beside the bucket's policy.")


@book.rule(
    "public-acl",
    [*BUCKET_ACL, *BUCKET, *OBJECTS],
    "One public ACL makes objects readable, or the bucket writable, for everyone on the internet.",
    "Leave acl out, and grant access by policy to the principals that need it.",
    "CKV_AWS_20",
    "CKV_AWS_57",
    "CKV_AWS_375",
    "CKV2_AWS_43",
    "Trivy AWS-0092",
    "AWS FSBP S3.2",
    "KICS 38c5ee0d",
    severity=CRITICAL,
)
def acl_is_public(resource: Resource) -> Iterator[Finding]:
    if resource.read("acl") in PUBLIC_ACLS:
        yield Finding("acl", "everyone on the internet, or every AWS customer, would have access.")
    grants = [f"{path}.uri" for path, _ in resource.items("grants")]
    grants += [f"{path}.grantee.uri" for path, _ in resource.items("accessControlPolicy.grants")]
    for path in grants:
        if (resource.text(path) or "").endswith(PUBLIC_GROUPS):
            yield Finding(path, "everyone on the internet, or every AWS customer, would have access.")


@book.rule(
    "public-policy",
    POLICY_HOLDERS,
    "A policy for everyone is how nearly all leaked buckets were leaked.",
    "Name the principals, or add a condition such as aws:PrincipalOrgID.",
    "CKV_AWS_70",
    "CKV_AWS_283",
    "KICS 7af43613",
    "KICS a4966c4f",
    "Prowler s3_bucket_public_access",
    "Prowler s3_bucket_policy_public_write_access",
    severity=CRITICAL,
)
def policy_is_public(resource: Resource) -> Iterator[Finding]:
    for statement in statements(resource, "policy"):
        if statement.allow and statement.for_anyone() and not is_narrowed(statement):
            yield Finding("policy", "a statement allows everyone on the internet in.")


@book.rule(
    "policy-actions",
    POLICY_HOLDERS,
    "Whoever may do everything to a bucket may delete it, open it and change its policy.",
    "List the actions that are needed, such as s3:GetObject.",
    "CKV_AWS_63",
    "KICS d24c0755",
    "CIS AWS 1.16",
)
def policy_allows_every_action(resource: Resource) -> Iterator[Finding]:
    for statement in statements(resource, "policy"):
        if statement.allow and ({"*", "s3:*"} & set(statement.actions) or "NotAction" in statement.inverted):
            yield Finding("policy", "a statement allows every action.")


@book.rule(
    "policy-lockout",
    POLICY_HOLDERS,
    "A policy that denies everything to everyone can only be undone by the account's root user.",
    "Add a condition, or name the actions and principals that are denied.",
    "CKV_AWS_93",
)
def policy_locks_everyone_out(resource: Resource) -> Iterator[Finding]:
    for statement in statements(resource, "policy"):
        everything = {"*", "s3:*"} & set(statement.actions)
        for_all = statement.for_anyone() and "NotPrincipal" not in statement.inverted
        if not statement.allow and everything and for_all and not statement.conditions:
            yield Finding("policy", "a statement denies everything to everyone, whoever made the bucket included.")


@book.rule(
    "policy-takeover",
    POLICY_HOLDERS,
    "With these actions another account takes the bucket over, or opens it to the world.",
    "Leave out the actions that change policy, ACL and encryption.",
    "AWS FSBP S3.6",
    "Prowler s3_bucket_cross_account_access",
)
def others_may_take_over(resource: Resource) -> Iterator[Finding]:
    for statement in statements(resource, "policy"):
        if "AWS" in statement.principals and any(statement.grants(action) for action in TAKEOVER):
            yield Finding("policy", "others could change the bucket's policy, ACLs or encryption.")


@book.rule(
    "cors",
    [*BUCKET_CORS, R2_CORS, *BUCKET],
    "With a wildcard origin any page that a visitor has open may use the bucket in the visitor's name.",
    "List the origins, each with https.",
    "KICS 98a8f708",
    severity=MEDIUM,
)
def any_page_may_use_it(resource: Resource) -> Iterator[Finding]:
    paths = [f"{path}.allowedOrigins" for path, _ in resource.items("corsRules")]
    paths += [f"{path}.allowed.origins" for path, _ in resource.items("rules")]
    for path in paths:
        for place, origin in resource.items(path):
            if "*" in str(origin) or str(origin).startswith("http://"):
                yield Finding(place, "pages of strangers, or of nobody in particular, could use it.")


@book.rule(
    "website",
    [*BUCKET_WEBSITE, *BUCKET],
    "An S3 website answers without TLS and past the edge's firewall.",
    "Serve it through Cloudflare with the bucket private.",
    "KICS 42bb6b7f",
)
def bucket_is_a_website(resource: Resource) -> Iterator[Finding]:
    if resource.type in BUCKET_WEBSITE:
        if resource.read("redirectAllRequestsTo") is None:
            yield Finding("indexDocument", "the bucket would answer the internet by itself.")
    elif resource.read("website") is not None or resource.read("websites.0") is not None:
        yield Finding("website", "the bucket would answer the internet by itself.")


@book.rule(
    "name",
    BUCKET,
    "A name with dots or capitals breaks TLS for the bucket's own address.",
    "Use 3 to 63 small letters, digits and hyphens.",
    "Trivy AWS-0320",
    severity=LOW,
)
def name_breaks_tls(resource: Resource) -> Iterator[Finding]:
    name = resource.text("bucket")
    if name is not None and not NAME.match(name):
        yield Finding("bucket", "the name is not one that TLS certificates cover.")


@book.rule(
    "shadow-name",
    BUCKET,
    "Services of AWS look for buckets of this name and would run what they find there.",
    "Choose another name.",
    "Prowler s3_bucket_shadow_resource_vulnerability",
)
def name_is_a_services(resource: Resource) -> Iterator[Finding]:
    if SHADOW.match(resource.text("bucket") or ""):
        yield Finding("bucket", "the name is one that a service of AWS expects for itself.")


book.rule(
    "r2-public",
    [R2_MANAGED_DOMAIN],
    "The r2.dev address shows the whole bucket to everyone, without a firewall or a limit.",
    "Set enabled to false, and use a domain of your own.",
    "own rule",
    severity=CRITICAL,
)(must_be("enabled", [False], "the bucket would be public under r2.dev.", False))

RULES = book.rules
