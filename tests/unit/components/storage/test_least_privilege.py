"""cloudsplaining, the field's judge of IAM policies, on those that we give to keys. It brings AWS's list of actions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cloudsplaining.scan.policy_document import PolicyDocument

from components.storage.identity import application, backup
from components.storage.policies import Statement, document

FINDINGS = (
    "allows_privilege_escalation",
    "permissions_management_without_constraints",
    "write_actions_without_constraints",
    "tagging_actions_without_constraints",
    "allows_data_exfiltration_actions",
    "credentials_exposure",
    "infrastructure_modification",
    "service_wildcard",
    "all_allowed_unrestricted_actions",
)
OURS = {
    "application": application("neurmatic-production-media"),
    "backup": backup("neurmatic-backups", "database/"),
}


def findings(statements: list[Statement]) -> dict[str, Any]:
    judged = PolicyDocument(json.loads(document(statements)))
    found = {name: getattr(judged, name) for name in FINDINGS}
    inverted = [each for each in judged.contains_statement_using_not_action if each["Effect"] != "Deny"]
    return {name: value for name, value in {**found, "not_action": inverted}.items() if value}


@pytest.mark.parametrize("key", sorted(OURS))
def test_nothing_is_found(key: str) -> None:
    assert findings(OURS[key]) == {}


@pytest.mark.parametrize("key", sorted(OURS))
def test_a_resource_too_many_is_found(key: str) -> None:
    """The counter-proof: the same rights on every bucket."""
    everywhere = [{**each, "Resource": "*"} for each in OURS[key] if "Condition" not in each]
    assert {"allows_data_exfiltration_actions", "infrastructure_modification"} <= set(findings(everywhere))


@pytest.mark.parametrize("key", sorted(OURS))
def test_it_fits_into_a_users_inline_policy(key: str) -> None:
    """IAM counts 2048 characters without white space, for all inline policies of a user."""
    assert len(document(OURS[key]).replace(" ", "")) < 2048


def test_every_action_is_one_that_aws_knows() -> None:
    from policy_sentry.querying.actions import get_actions_for_service  # noqa: PLC0415

    known = set(get_actions_for_service("s3"))
    for statements in OURS.values():
        for each in statements:
            actions = each["Action"] if "Action" in each else each["NotAction"]
            assert set([actions] if isinstance(actions, str) else actions) <= known
