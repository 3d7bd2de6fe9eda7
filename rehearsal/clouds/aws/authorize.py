"""May the caller do this? Its own policies and the bucket's, asked for every permission that the call needs."""

from __future__ import annotations

from typing import Any

from rehearsal.clouds.aws import backend
from rehearsal.clouds.aws.actions import BUCKET, Need
from rehearsal.clouds.aws.backend import ACCOUNT
from rehearsal.clouds.aws.callers import Caller
from rehearsal.clouds.aws.errors import AwsError, denied
from rehearsal.clouds.aws.policy.decision import Context, Decision, Question, Verdict, decide
from rehearsal.clouds.aws.policy.document import MalformedError, Policy, parse

OF_POLICIES = ("s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy")
"""What an account's root can do whatever the bucket's policy says: otherwise nobody could mend it."""


def refuse(need: Need, caller: Caller, context: Context) -> None:
    """AwsError unless the caller has the permission."""
    decision = decision_about(need, caller, context)
    if not decision.allowed:
        raise _refusal(need, caller, decision)


def decision_about(need: Need, caller: Caller, context: Context) -> Decision:
    policy = None if caller.root and need.action in OF_POLICIES else bucket_policy(need.resource)
    if caller.anonymous and policy is not None and _restricted(need.resource) and is_public(policy):
        policy = None
    question = Question(need.action, need.resource, caller.arn, ACCOUNT, context)
    return decide(question, caller.policies, policy)


def bucket_policy(resource: str) -> Policy | None:
    found = _bucket(resource)
    text = found.policy if found is not None else None
    if not text:
        return None
    return parse(text.decode() if isinstance(text, bytes) else text)


def _bucket(resource: str) -> Any | None:
    if not resource.startswith(BUCKET):
        return None
    return backend.bucket(resource.removeprefix(BUCKET).partition("/")[0])


def _restricted(resource: str) -> bool:
    block = getattr(_bucket(resource), "public_access_block", None)
    return block is not None and bool(block.restrict_public_buckets)


def is_public(policy: Policy) -> bool:
    """Somebody whom it does not name may do something, with no condition at all."""
    return any(
        statement.allow
        and statement.principals is not None
        and statement.principals.everyone
        and not statement.conditions
        for statement in policy.statements
    )


def _refusal(need: Need, caller: Caller, decision: Decision) -> AwsError:
    if caller.anonymous:
        return denied()
    resource = f'"{need.resource}"' if need.action.startswith("s3:") and need.resource != "*" else need.resource
    if decision.verdict is Verdict.EXPLICIT:
        kind = "a resource-based policy" if decision.by == "resource" else "an identity-based policy"
        why = f"with an explicit deny in {kind}"
    else:
        why = f"because no identity-based policy allows the {need.action} action"
    return denied(f"User: {caller.arn} is not authorized to perform: {need.action} on resource: {resource} {why}")


def refuse_bucket_policy(bucket: str, body: bytes) -> None:
    """A document that S3 would call malformed."""
    try:
        policy = parse(body.decode("utf-8", "replace"))
    except MalformedError as error:
        raise AwsError(400, "MalformedPolicy", str(error)) from None
    for statement in policy.statements:
        if statement.principals is None:
            raise AwsError(400, "MalformedPolicy", "Missing required field Principal")
        for name in statement.principals.by_kind.get("AWS", ()):
            _refuse_unknown(name)
        if not statement.resources:
            raise AwsError(400, "MalformedPolicy", "Missing required field Resource")
        for resource in statement.resources:
            place = resource.removeprefix(BUCKET).partition("/")[0]
            if not resource.startswith(BUCKET) or place != bucket:
                raise AwsError(400, "MalformedPolicy", "Policy has invalid resource")
        if any(action != "*" and not action.lower().startswith("s3:") for action in statement.actions):
            raise AwsError(400, "MalformedPolicy", "Policy has invalid action")
        _refuse_idle(statement.actions, statement.resources, statement.not_actions)

    block = getattr(backend.bucket(bucket), "public_access_block", None)
    if block is not None and block.block_public_policy and is_public(policy):
        raise denied(
            f's3:PutBucketPolicy on resource: "{BUCKET}{bucket}" is refused because public policies are prevented '
            "by the BlockPublicPolicy setting in S3 Block Public Access."
        )


def _refuse_unknown(principal: str) -> None:
    """Users of this account have to exist. What other accounts have cannot be known here."""
    prefix = f"arn:aws:iam::{ACCOUNT}:user"
    if principal.startswith(prefix) and all(user.arn != principal for user in backend.iam().users.values()):
        raise AwsError(400, "MalformedPolicy", "Invalid principal in policy")


OBJECT_ACTIONS = ("s3:getobject", "s3:putobject", "s3:deleteobject", "s3:restoreobject", "s3:abortmultipart")


def _refuse_idle(actions: tuple[str, ...], resources: tuple[str, ...], negated: bool) -> None:
    """Actions on objects with no object among the resources."""
    of_objects = not negated and all(action.lower().startswith(OBJECT_ACTIONS) for action in actions)
    if of_objects and not any("/" in resource.removeprefix(BUCKET) or "*" in resource for resource in resources):
        raise AwsError(400, "MalformedPolicy", "Action does not apply to any resource(s) in statement")
