"""Who the keys, users, roles and tokens belong to, and whom they trust."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from .documents import Statement, is_narrowed, statements
from .frame import CRITICAL, LOW, MEDIUM, ON_REQUEST, UNJUDGED, Book, Finding, Pattern, Resource, known, of
from .kinds import (
    IAM_ATTACHMENTS,
    IAM_KEY,
    IAM_LOGIN,
    IAM_MEMBERSHIPS,
    IAM_PASSWORDS,
    IAM_ROLE,
    IAM_USER,
    IAM_USER_POLICIES,
    TOKENS,
)

# The same subject as what policies grant, in a file of its own.
book = Book("identity")

TOO_MUCH = Pattern(
    r":policy/(job-function/)?(AdministratorAccess|IAMFullAccess|PowerUserAccess|SystemAdministrator"
    r"|AWSCloudShellFullAccess|AmazonS3FullAccess|AWSKeyManagementServicePowerUser|AWSCloudTrail_FullAccess)"
)
ACCOUNT_ROOT = Pattern(r"^(\d{12}|arn:aws[\w-]*:iam::\d{12}:root)$")
GITHUB = "token.actions.githubusercontent.com"


@book.rule(
    "managed-policies",
    [*IAM_ATTACHMENTS, IAM_ROLE],
    "AWS's administrator policies are for people in an emergency, not for programs.",
    "Write a policy with the actions and resources that are needed.",
    "CKV_AWS_274",
    "CKV_AWS_275",
    "CKV2_AWS_56",
    "Prowler iam_user_administrator_access_policy",
    "Prowler iam_role_administratoraccess_policy",
    "Prowler iam_policy_cloudshell_admin_not_attached",
    severity=CRITICAL,
)
def has_an_administrators_policy(resource: Resource) -> Iterator[Finding]:
    paths = ["policyArn", *(path for path, _ in resource.items("managedPolicyArns"))]
    for path in paths:
        if TOO_MUCH.search(resource.text(path) or ""):
            yield Finding(path, "an administrator's policy would be attached.")


book.rule(
    "user-policies",
    IAM_USER_POLICIES,
    "Rights of single users are forgotten when people change their work; groups and roles are reviewed.",
    "Attach the policy to a group or a role. (Users for machines, one each, are the reason why this is on request.)",
    "CKV_AWS_40",
    "AWS FSBP IAM.2",
    "CIS AWS 1.14",
    "Trivy AWS-0143",
    "KICS b4378389",
    "Prowler iam_policy_attached_only_to_group_or_roles",
    severity=LOW,
    level=ON_REQUEST,
)(lambda resource: [Finding("user", "a policy would be attached to a single user.")])

book.rule(
    "no-users",
    [IAM_USER],
    "People come by SSO and programs by roles; users have keys that never expire.",
    "Use IAM Identity Center for people and roles for programs.",
    "CKV_AWS_273",
    "Prowler iam_user_with_temporary_credentials",
    severity=LOW,
    level=ON_REQUEST,
)(lambda resource: [Finding("name", "an IAM user would be made.")])

book.rule(
    "no-console",
    [IAM_LOGIN],
    "A user made by a program is for a program; with a password it is a second way in that nobody watches.",
    "Remove the login profile; people come by SSO.",
    "CKV2_AWS_22",
    "KICS 9ec311bf",
    "CIS AWS 1.11",
    severity=MEDIUM,
)(lambda resource: [Finding("user", "the user could log in to the console.")])


@book.rule(
    "root-key",
    [IAM_KEY],
    "A key of the root user can do everything, and no policy limits it.",
    "Make a user or a role for the task.",
    "CKV_AWS_348",
    "Trivy AWS-0141",
    "Prowler iam_no_root_access_key",
    severity=CRITICAL,
)
def key_is_the_roots(resource: Resource) -> Iterator[Finding]:
    if (resource.text("user") or "").lower() in ("root", "<root_account>"):
        yield Finding("user", "the key would be the root user's.")


@book.relation(
    "one-key",
    "Two active keys of one user are one that nobody knows the use of.",
    "Set status of the older one to Inactive, then remove it.",
    "CIS AWS 1.13",
    "Trivy AWS-0167",
    "KICS 3561130e",
    "Prowler iam_user_two_active_access_key",
    severity=MEDIUM,
)
def user_has_two_keys(resources: list[Resource]) -> Iterator[Finding]:
    counted: Counter[str] = Counter()
    for key in of(resources, [IAM_KEY]):
        user = key.read("user")
        owner = "|".join(key.sources.get("user", ())) if user is UNJUDGED else str(user)
        if key.read("status", default="Active") == "Active" and owner:
            counted[owner] += 1
            if counted[owner] == 2:
                yield Finding("status", "its user would have two active keys.", key.urn)


@book.relation(
    "groups",
    "Users of a group have the rights that are reviewed for the group.",
    "Declare a UserGroupMembership for the user.",
    "CKV2_AWS_21",
    severity=LOW,
    level=ON_REQUEST,
)
def user_is_in_no_group(resources: list[Resource]) -> Iterator[Finding]:
    members: set[Any] = set()
    for membership in of(resources, IAM_MEMBERSHIPS):
        members |= {membership.read("user"), *(name for _, name in membership.items("users"))}
        members.update(*membership.sources.values())
    for user in of(resources, [IAM_USER]):
        if not {user.read("name", default=user.name), user.urn} & members:
            yield Finding("name", "the user belongs to no group.", user.urn)


@book.rule(
    "trust-anyone",
    [IAM_ROLE],
    "A role that trusts everyone is everyone's role.",
    "Name the principals.",
    "CKV_AWS_60",
    "KICS 12b7e704",
    "KICS bcdcbdc6",
    severity=CRITICAL,
)
def role_trusts_anyone(resource: Resource) -> Iterator[Finding]:
    for statement in statements(resource, "assumeRolePolicy"):
        if statement.allow and statement.for_anyone() and not is_narrowed(statement):
            yield Finding("assumeRolePolicy", "everyone could assume it.")


@book.rule(
    "trust-account",
    [IAM_ROLE],
    "A role that trusts a whole account trusts everyone whom that account's administrators trust, and their mistakes.",
    "Name a role or a user, or ask for an sts:ExternalId.",
    "CKV_AWS_61",
    "KICS 09c35abf",
    "Prowler iam_role_cross_account_readonlyaccess_policy",
    severity=MEDIUM,
)
def role_trusts_an_account(resource: Resource) -> Iterator[Finding]:
    for statement in statements(resource, "assumeRolePolicy"):
        whole = any(ACCOUNT_ROOT.match(name) for name in statement.principals.get("AWS", ()))
        if statement.allow and whole and not is_narrowed(statement):
            yield Finding("assumeRolePolicy", "everyone in another account could be let in.")


@book.rule(
    "confused-deputy",
    [IAM_ROLE],
    "A service that may assume a role does so for any customer who asks, unless the role says for whom.",
    "Add a condition on aws:SourceAccount or aws:SourceArn.",
    "Prowler iam_role_cross_service_confused_deputy_prevention",
    severity=MEDIUM,
    level=ON_REQUEST,
)
def service_is_a_deputy(resource: Resource) -> Iterator[Finding]:
    for statement in statements(resource, "assumeRolePolicy"):
        if statement.allow and statement.principals.get("Service") and not is_narrowed(statement):
            yield Finding("assumeRolePolicy", "a service could be used by strangers to assume it.")


@book.rule(
    "github-trust",
    [IAM_ROLE],
    "A role for GitHub's workflows that names no repository is one for every repository in the world.",
    "Add a condition on the claim sub that names repository and branch or environment, and on aud.",
    "CKV_AWS_358",
    "CKV_AWS_393",
    severity=CRITICAL,
)
def role_trusts_every_workflow(resource: Resource) -> Iterator[Finding]:
    for statement in statements(resource, "assumeRolePolicy"):
        if not any(GITHUB in name for name in statement.principals.get("Federated", ())):
            continue
        claims = list(_claims(statement, f"{GITHUB}:sub"))
        if not claims or any(re.match(r"^(\*|repo:\*|repo:[^/:]+/?\*)", each) for each in claims):
            yield Finding("assumeRolePolicy", "workflows of strangers could assume it.")


def _claims(statement: Statement, name: str) -> Iterator[str]:
    for tests in statement.conditions.values():
        value = tests.get(name) if isinstance(tests, Mapping) else None
        yield from [value] if isinstance(value, str) else value or ()


KINDS_OF_CHARACTERS = (
    "requireLowercaseCharacters",
    "requireUppercaseCharacters",
    "requireNumbers",
    "requireSymbols",
)


@book.rule(
    "password-policy",
    [IAM_PASSWORDS],
    "Console passwords are tried day and night.",
    "At least 14 characters of all four kinds, none of the last 24, none older than 90 days.",
    "CKV_AWS_9",
    "CKV_AWS_10",
    "CKV_AWS_11",
    "CKV_AWS_12",
    "CKV_AWS_13",
    "CKV_AWS_14",
    "CKV_AWS_15",
    "CIS AWS 1.8",
    "CIS AWS 1.9",
    "Trivy AWS-0056",
    "Trivy AWS-0058",
    "Trivy AWS-0063",
    "Prowler iam_password_policy_minimum_length_14",
    severity=MEDIUM,
)
def passwords_are_weak(resource: Resource) -> Iterator[Finding]:
    for name in KINDS_OF_CHARACTERS:
        if resource.read(name, default=False) is False:
            yield Finding(name, "passwords could leave this kind of character out.")
    for name, least, problem in (
        ("minimumPasswordLength", 14, "passwords could be shorter than 14 characters."),
        ("passwordReusePrevention", 24, "old passwords could be used again."),
    ):
        value = resource.number(name, default=0)
        if known(value) and value < least:
            yield Finding(name, problem)
    age = resource.number("maxPasswordAge", default=0)
    if known(age) and not 0 < age <= 90:
        yield Finding("maxPasswordAge", "passwords would never have to be changed, or too late.")


@book.rule(
    "token-scope",
    TOKENS,
    "An API token for every zone and account turns one leak into the loss of all of them.",
    "Name the zone or the account in resources.",
    "Cloudflare API tokens",
)
def token_is_for_everything(resource: Resource) -> Iterator[Finding]:
    for path, _ in resource.items("policies"):
        given = resource.read(f"{path}.resources")
        names = json.dumps(given) if isinstance(given, str) else " ".join(given) if isinstance(given, Mapping) else ""
        if re.search(
            r"com\.cloudflare\.(api\.account(\.zone)?|edge\.r2\.bucket)\.\*|com\.cloudflare\.api\.user\.\*", names
        ):
            yield Finding(f"{path}.resources", "the token would hold for every zone or account.")


book.rule(
    "token-expiry",
    TOKENS,
    "A token without an end outlives everyone who knows what it was for.",
    "Set expiresOn, and rotate before it.",
    "Cloudflare API tokens",
    severity=MEDIUM,
)(lambda resource: [] if resource.read("expiresOn") else [Finding("expiresOn", "the token would never expire.")])

book.rule(
    "token-addresses",
    TOKENS,
    "A token that works from anywhere works for whoever finds it.",
    "Set condition.requestIp.ins to the addresses that use it.",
    "Cloudflare API tokens",
    severity=LOW,
    level=ON_REQUEST,
)(
    lambda resource: (
        []
        if resource.read("condition.requestIp.ins")
        else [Finding("condition.requestIp", "the token would work from any address.")]
    )
)

RULES = book.rules
