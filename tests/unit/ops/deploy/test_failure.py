"""What the engine prints when a change fails, and the sentence that is made of it."""

from __future__ import annotations

import pytest

from ops.deploy.failure import Failure, failure_in

# As the engine of the pinned version prints it; resources and their first lines shortened.
BEFORE = """\
 +  docker:index:Container neurmatic-backend-1-production creating (0s) error: Gate smoke: not this one
    pulumi:pulumi:Stack neurmatic-production running error: update failed

Diagnostics:
"""
AFTER = """
  pulumi:pulumi:Stack (neurmatic-production):
    error: update failed

Outputs:
    contract: {
    }

Resources:
    +- 3 replaced
    1 errored

Duration: 51s
"""
SWITCH = """\
  command:remote:Command (stack-switch):
    error: Process exited with status 1: running "sudo -n python3 -I -c 'import base64,sys'":
    Gate health: backend-1 has died 3 times, the last time with exit code 1. The last lines of its log:
    backend: Missing required environment variable(s): STRIPE_KEY. The server does not start.
"""
MIGRATION = """\
  command:remote:Command (stack-migration):
    error: Process exited with status 1: running "sudo -n docker run --rm neurm-backend && exit
    fi":
    Error: P3018: The migration 20269999000000_fault failed to apply
    Gate migration: it failed, so nothing of the new release was started. What it said stands above.
"""
PULL = """\
  docker:index:RemoteImage (stack-backend-image):
    error:   sdk-v2/provider2.go:572: sdk.helper_schema: Unable to read Docker image into resource: unable to pull image
"""
START = """\
  docker:index:Container (neurmatic-backend-1-production):
    error: Unable to start container: exec: "nodee": executable file not found in $PATH
"""


def read(middle: str) -> Failure:
    return failure_in(BEFORE + middle + AFTER)


def test_a_gate_is_named_with_its_own_words_and_the_log() -> None:
    found = read(SWITCH)
    assert found.gate == "health"
    assert found.text.startswith("backend-1 has died 3 times")
    assert found.text.endswith("STRIPE_KEY. The server does not start.")


def test_a_migration_speaks_before_its_gate_does() -> None:
    found = read(MIGRATION)
    assert found.gate == "migration"
    assert "P3018: The migration 20269999000000_fault failed to apply" in found.text
    assert "docker run" not in found.text


@pytest.mark.parametrize(
    ("text", "gate", "word"),
    [(PULL, "pull", "unable to pull image"), (START, "start", "executable file not found")],
    ids=["pull", "start"],
)
def test_what_the_provider_says_is_told_by_the_resource(text: str, gate: str, word: str) -> None:
    found = read(text)
    assert (found.gate, word in found.text) == (gate, True)


def test_anything_else_is_the_engines_first_error() -> None:
    found = failure_in("error: could not create stack: no space left\nerror: more\n")
    assert found == Failure("up", "could not create stack: no space left")
    assert failure_in("").text == "the engine ended without a word: see above."
    assert failure_in("error: update canceled\n").text == "it was stopped."
