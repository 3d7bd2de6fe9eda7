"""Everything that could be changed in production is changed: a rule notices, or a reason says why none has to.

python -m tests.policy.mutation.run says more; docs/proof/policy-mutants.md has the figures.
"""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from typing import Any

import pytest

# This folder is first on the search path; the package of the mutants is found from the checkout.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.policy.mutation import notice
from tests.policy.mutation.capture import capture
from tests.policy.mutation.mutants import mutants
from tests.policy.mutation.notice import Stack
from tests.policy.mutation.reasons import Cover, Reason, load
from tests.policy.mutation.run import captured, run

Resources = list[dict[str, Any]]


@pytest.fixture(scope="module")
def production() -> list[Resources]:
    return captured()


@pytest.fixture(scope="module")
def bucket(production: list[Resources]) -> Resources:
    """One bucket with all that belongs to it: a small stack for tests of the machinery."""
    return [each for each in production[0] if each["name"].startswith("storage-media")]


@pytest.mark.slow
def test_every_mutant_is_noticed_or_has_a_reason(production: list[Resources]) -> None:
    outcome = run(load(), production)
    assert [str(mutant) for mutant in outcome.unnoticed] == []
    assert outcome.unneeded == [], "a reason outlived its mutants"
    assert outcome.total > 10_000, "something is no longer walked"


def test_production_raises_no_alarm(production: list[Resources]) -> None:
    assert [sorted(Stack(resources).before) for resources in production] == [[], []]


@pytest.mark.parametrize("system", ["neurmatic", "neuropilot"])
def test_staging_raises_no_alarm(system: str) -> None:
    assert sorted(Stack(capture(system, "staging")).before) == []


def test_every_input_of_the_sdk_is_walked_absent_ones_included(bucket: Resources) -> None:
    block = next(each for each in bucket if each["type"].endswith(":BucketPublicAccessBlock"))
    walked = {mutant.pattern for mutant in mutants(block)}
    blocks = {"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"}
    assert walked == {"", "(options).ignoreChanges", "bucket", "region", "skipDestroy", *blocks}


def test_a_mutant_changes_its_own_place_only(bucket: Resources) -> None:
    before = copy.deepcopy(bucket)
    for resource in bucket:
        for mutant in mutants(resource):
            changed = mutant.changed()
            assert changed != resource, f"{mutant} changes nothing"
    assert bucket == before


def test_a_rule_that_is_gone_leaves_mutants_unnoticed(bucket: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    reasons = load()
    assert run(reasons, [bucket]).unnoticed == []
    kept = [rule for rule in notice._RULES if rule.about.id != "storage-public-access-block"]
    monkeypatch.setattr(notice, "_RULES", kept)
    monkeypatch.setattr(notice, "_BY_TYPE", {})
    unnoticed = {mutant.pattern for mutant in run(reasons, [bucket]).unnoticed}
    assert unnoticed == {"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"}


def test_a_reason_for_what_is_noticed_is_not_needed(bucket: Resources) -> None:
    cover = Cover(("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",), ("blockPublicAcls",), ("*",))
    assert run([Reason("Somebody was in a hurry.", (cover,))], [bucket]).unneeded == [cover]
