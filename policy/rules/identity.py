"""Who may do what: as little as the task needs, to named things, by names and not by keys."""

from __future__ import annotations

from collections.abc import Iterator

from .documents import Statement, statements
from .frame import CRITICAL, Book, Check, Finding, Pattern, Resource
from .kinds import (
    IAM_POLICIES,
    IAM_ROLE,
)

book = Book("identity")

GRANTS = (*IAM_POLICIES, IAM_ROLE)
# Each one, or each pair, lets a caller give itself any right: https://github.com/RhinoSecurityLabs/AWS-IAM-Privilege-Escalation
ESCALATIONS: tuple[tuple[str, ...], ...] = (
    ("iam:CreatePolicyVersion",),
    ("iam:SetDefaultPolicyVersion",),
    ("iam:AttachUserPolicy",),
    ("iam:AttachGroupPolicy",),
    ("iam:AttachRolePolicy",),
    ("iam:PutUserPolicy",),
    ("iam:PutGroupPolicy",),
    ("iam:PutRolePolicy",),
    ("iam:AddUserToGroup",),
    ("iam:UpdateAssumeRolePolicy",),
    ("iam:CreateAccessKey",),
    ("iam:CreateLoginProfile",),
    ("iam:UpdateLoginProfile",),
    ("iam:DeleteUserPermissionsBoundary",),
    ("iam:DeleteRolePermissionsBoundary",),
    ("iam:PassRole", "ec2:RunInstances"),
    ("iam:PassRole", "lambda:CreateFunction"),
    ("iam:PassRole", "lambda:AddPermission"),
    ("iam:PassRole", "cloudformation:CreateStack"),
    ("iam:PassRole", "glue:CreateDevEndpoint"),
    ("iam:PassRole", "glue:CreateJob"),
    ("iam:PassRole", "datapipeline:CreatePipeline"),
    ("iam:PassRole", "codestar:CreateProject"),
    ("iam:PassRole", "codebuild:CreateProject"),
    ("iam:PassRole", "sagemaker:CreateNotebookInstance"),
    ("iam:PassRole", "ecs:RunTask"),
    ("lambda:UpdateFunctionCode",),
    ("glue:UpdateDevEndpoint",),
    ("ssm:SendCommand",),
    ("ssm:StartSession",),
)
CREDENTIALS = (
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreateServiceSpecificCredential",
    "iam:ResetServiceSpecificCredential",
    "iam:UpdateAccessKey",
    "redshift:GetClusterCredentials",
    "rds-db:connect",
    "cognito-idp:DescribeUserPoolClient",
    "lightsail:GetInstanceAccessDetails",
)
DATA = (
    "s3:GetObject",
    "ssm:GetParameter",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
    "secretsmanager:GetSecretValue",
    "dynamodb:Scan",
    "rds:CopyDBSnapshot",
    "ec2:CreateSnapshot",
)
PERMISSIONS = (
    "s3:PutBucketPolicy",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutObjectAcl",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutAccountPublicAccessBlock",
    "kms:PutKeyPolicy",
    "kms:CreateGrant",
    "secretsmanager:PutResourcePolicy",
    "lambda:AddPermission",
    "sqs:SetQueueAttributes",
    "sns:SetTopicAttributes",
    "ecr:SetRepositoryPolicy",
)
# Actions that AWS lets nobody limit to a resource, and that change nothing.
HARMLESS = Pattern(
    r"^((?!s3:)\w[\w-]*:(list|describe)\w*\*?|s3:(listallmybuckets|getaccountpublicaccessblock)|sts:getcalleridentity"
    r"|cloudwatch:(putmetricdata|getmetric\w*)|ecr:getauthorizationtoken|ec2:describe\w*\*?|xray:put\w*"
    r"|iam:getaccountsummary|pricing:\w+|ce:get\w*|health:\w+)$"
)
FULL_SERVICE = Pattern(r"^[\w-]+:\*$")


def documents(resource: Resource) -> Iterator[Statement]:
    """Every statement by which a resource gives rights."""
    if resource.type != IAM_ROLE:
        yield from statements(resource, "policy")
    else:
        for path, _ in resource.items("inlinePolicies"):
            yield from statements(resource, f"{path}.policy")


def grant(problem: str, *actions: str, everywhere: bool = True) -> Check:
    """A rule about statements that allow one of these actions, on everything or at all."""

    def check(resource: Resource) -> Iterator[Finding]:
        for statement in documents(resource):
            wide = statement.on_everything() or not everywhere
            if wide and any(statement.grants(action) for action in actions):
                yield Finding(statement.path, problem)

    return check


@book.rule(
    "administrator",
    GRANTS,
    "A key that may do everything turns one leak into the loss of the account.",
    "List the actions and the resources that are needed.",
    "CKV_AWS_62",
    "CKV_AWS_63",
    "CKV_AWS_1",
    "CKV_AWS_49",
    "CKV2_AWS_40",
    "AWS FSBP IAM.1",
    "CIS AWS 1.15",
    "Prowler iam_inline_policy_no_administrative_privileges",
    severity=CRITICAL,
)
def allows_everything(resource: Resource) -> Iterator[Finding]:
    for statement in documents(resource):
        if statement.allow and {"*", "*:*"} & set(statement.actions) and "NotAction" not in statement.inverted:
            yield Finding(statement.path, "a statement allows every action.")


@book.rule(
    "full-service",
    GRANTS,
    "service:* includes deleting, opening to the world and turning off the log.",
    "List the actions that are needed, such as s3:GetObject and s3:PutObject.",
    "AWS FSBP IAM.21",
    "Trivy AWS-0345",
    "Trivy AWS-0057",
    "KICS 575a2155",
    "Prowler iam_policy_no_full_access_to_kms",
    "Prowler iam_policy_no_full_access_to_cloudtrail",
)
def allows_a_whole_service(resource: Resource) -> Iterator[Finding]:
    for statement in documents(resource):
        if statement.allow and any(FULL_SERVICE.match(action) for action in statement.actions):
            yield Finding(statement.path, "a statement allows every action of a service.")


@book.rule(
    "any-resource",
    GRANTS,
    "On * a key for one bucket is a key for every bucket, of every stack in the account.",
    "Name the resources by ARN.",
    "CKV_AWS_355",
    "CKV_AWS_290",
    "CKV_AWS_356",
    "Trivy AWS-0057",
    "KICS 2f37c4a3",
)
def allows_on_everything(resource: Resource) -> Iterator[Finding]:
    for statement in documents(resource):
        risky = [action for action in statement.actions if not HARMLESS.match(action)]
        if statement.allow and statement.on_everything() and (risky or "NotAction" in statement.inverted):
            yield Finding(statement.path, "a statement that changes or reads things holds for every resource.")


@book.rule(
    "all-but",
    GRANTS,
    "An Allow with NotAction or NotResource allows everything that AWS will ever add.",
    "List what is allowed.",
    "CIS AWS 1.16",
    "iam-vulnerable fn1",
)
def allows_all_but(resource: Resource) -> Iterator[Finding]:
    for statement in documents(resource):
        if statement.allow and {"NotAction", "NotResource"} & set(statement.inverted):
            yield Finding(statement.path, "a statement allows everything but what it names.")


@book.rule(
    "escalation",
    GRANTS,
    "With these actions a key gives itself every other right.",
    "Leave the action out, or limit it to resources that give no rights.",
    "CKV_AWS_286",
    "CKV_AWS_110",
    "KICS privilege_escalation (57 queries)",
    "Prowler iam_policy_allows_privilege_escalation",
    "Prowler iam_inline_policy_allows_privilege_escalation",
    severity=CRITICAL,
)
def can_escalate(resource: Resource) -> Iterator[Finding]:
    wide = [each for each in documents(resource) if each.allow and each.on_everything()]
    for chain in ESCALATIONS:
        if wide and all(any(statement.grants(action) for statement in wide) for action in chain):
            yield Finding(wide[0].path, f"{' with '.join(chain)} on everything leads to every right.")
            return


book.rule(
    "pass-role",
    GRANTS,
    "Who may pass any role to a service has the rights of every role.",
    "Name the one role by ARN.",
    "Trivy AWS-0342",
    "KICS e39bee8c",
)(grant("iam:PassRole holds for every role.", "iam:PassRole"))

book.rule(
    "permissions-management",
    GRANTS,
    "Who may change policies of resources may open every one of them.",
    "Name the resource, or leave the action to the people who run the account.",
    "CKV_AWS_289",
    "CKV_AWS_109",
)(grant("permissions of every resource could be changed.", *PERMISSIONS))

book.rule(
    "credentials-exposure",
    GRANTS,
    "Actions that hand out credentials are how one leaked key becomes many.",
    "Leave the action out, or name the one user or role.",
    "CKV_AWS_287",
    "CKV_AWS_107",
)(grant("credentials of others could be made or read.", *CREDENTIALS))

book.rule(
    "data-exfiltration",
    GRANTS,
    "Reading every object, parameter or secret of the account is what a thief needs, and no service does.",
    "Name the bucket, parameter or secret by ARN.",
    "CKV_AWS_288",
    "CKV_AWS_108",
    severity=CRITICAL,
)(grant("data of the whole account could be read.", *DATA))

book.rule(
    "assume-any-role",
    GRANTS,
    "Who may assume every role that trusts the account has the rights of all of them.",
    "Name the role by ARN.",
    "Prowler iam_no_custom_policy_permissive_role_assumption",
)(grant("every role could be assumed.", "sts:AssumeRole"))


RULES = book.rules
