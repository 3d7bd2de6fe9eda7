"""What a dead process made is told from what a living one did, also when its pid has come round again."""

from __future__ import annotations

import os
import subprocess
import sys

from rehearsal import owner


def test_this_process_lives_and_one_that_has_ended_does_not() -> None:
    code = "from rehearsal import owner; print(owner.mine())"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert owner.lives(owner.mine())
    assert not owner.lives(ended)


def test_a_pid_that_was_given_to_another_process_is_not_the_owner() -> None:
    assert not owner.lives(f"{os.getpid()}.1")


def test_a_mark_without_a_beginning_is_judged_by_its_pid() -> None:
    assert owner.lives(str(os.getpid()))
