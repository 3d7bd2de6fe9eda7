"""`make prove`: the long proofs, one subject after the other, figures into docs/proof/.

    python -m ops.prove [SUBJECT ...]

Resumable: a subject whose page was written from this commit is skipped. A page says when, where, from which commit and
with which command its figures were made, so that anyone can make them again.
"""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "proof"

# subject: (what is claimed, how anyone measures it)
SUBJECTS = {
    "preview": ("How long a warm preview of production takes, beside two floors", ["-m", "bench.preview"]),
    "edgerules-speed": ("How fast rules are parsed and requests judged", ["-m", "bench.edgerules"]),
    "host": (
        "How long the converge of a server takes, beside Ansible, and what others say of it",
        ["-m", "bench.host"],
    ),
    "backup": (
        "How long a backup and the load of a restore take, beside pg_dump | gzip -9 and zcat | psql",
        ["-m", "bench.backup"],
    ),
    "drill": (
        "How long the way takes from an escrow envelope and an empty machine to HTTPS with the last backup's data",
        ["-m", "ops", "drill", "server"],
    ),
    "edgerules-differential": (
        "Generated expressions and requests on which edgerules and wirefilter agree",
        ["-m", "tests.differential.run", "--pairs", "100000"],
    ),
    "long-tests": (
        "What takes too long for every change: bad releases, rotations and bad days on the whole stack, under load",
        ["-m", "pytest", "-v", "-m", "long", "tests/program", "tests/rehearsal"],
    ),
    "deploys": (
        "What visitors notice of deploys and rollbacks, beside docker-compose",
        ["-m", "bench.deploys", "--long"],
    ),
    "policy-mutants": (
        "What the policy pack notices of everything that could be changed in production",
        ["-m", "tests.policy.mutation.run"],
    ),
}


def main(wanted: list[str]) -> int:
    unknown = sorted(set(wanted) - set(SUBJECTS))
    if unknown:
        print(f"No subject {', '.join(unknown)}: there is {', '.join(SUBJECTS)}.", file=sys.stderr)
        return 2
    failed = [subject for subject in wanted or SUBJECTS if not prove(subject)]
    if failed:
        print(f"not proven: {', '.join(failed)}; run it again to go on", file=sys.stderr)
    return 1 if failed else 0


def prove(subject: str) -> bool:
    page, commit = PAGES / f"{subject}.md", head()
    if page.is_file() and f"commit {commit}" in page.read_text():
        print(f"{subject}: proven for this commit")
        return True
    print(f"{subject}: at work", flush=True)
    claim, arguments = SUBJECTS[subject]
    started = time.monotonic()
    result = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False, env=os.environ
    )
    if result.returncode:
        print(result.stdout[-2000:], file=sys.stderr)
        return False
    PAGES.mkdir(parents=True, exist_ok=True)
    page.write_text(text(claim, arguments, commit, time.monotonic() - started, result.stdout))
    return True


def text(claim: str, arguments: list[str], commit: str, seconds: float, output: str) -> str:
    today = datetime.datetime.now(tz=datetime.timezone.utc).date()
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return (
        f"# {claim}\n\n"
        f"{today}, commit {commit}, {machine}, in {seconds:.0f} s:\n\n"
        f"    python {' '.join(arguments)}\n\n"
        f"{output.strip()}\n"
    )


def head() -> str:
    """Figures of a tree that nobody else has are marked as such."""
    commit = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True).strip()
    changed = subprocess.check_output(["git", "status", "--porcelain", "--", ".", ":!docs/proof"], cwd=ROOT, text=True)
    return f"{commit} with uncommitted changes" if changed.strip() else commit


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
