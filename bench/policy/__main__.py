"""What the policies cost, and what they notice, beside Checkov on the same stack.

    python -m bench.policy [--runs 5] [--quick]

The pack is measured by itself, behind the SDK's own servicer, for stacks of 150 to 5 000 resources (in time of one
processor), and in previews of 150 resources with and without it, taking turns. Checkov judges production's S3 and IAM
resources rendered as a Terraform plan; it has no checks for the other providers.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from bench.policy.defects import DEFECTS, Resource, planted
from bench.policy.plan import plan
from bench.preview.programs import with_records
from ops.session import Session, open_session
from ops.target import POLICY_PACK, ROOT, Target
from rehearsal.workspace import WORKSPACES

NAME = "bench-policy"
SIZES = (150, 1000, 5000)
CHECKOV = "checkov==3.3.30"
VENV = ROOT / ".toolchain" / "bench" / "checkov"
EMPTY = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy, StackValidationPolicy
nothing = lambda args, report: None
PolicyPack("neurmatic", policies=[
    ResourceValidationPolicy("resource", "Nothing", nothing, EnforcementLevel.MANDATORY),
    StackValidationPolicy("stack", "Nothing", nothing, EnforcementLevel.MANDATORY),
])
"""
PACK_VARIABLE = "PULUMI_OPTION_POLICY_PACK"


def main() -> int:
    options = parse()
    resources = declared()
    print(f"production declares {len(resources)} resources\n")
    by_itself(resources)
    if not options.quick:
        previews(options.runs)
    beside_checkov(resources)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="without the previews through the engine")
    return parser.parse_args()


def declared() -> list[Resource]:
    """What production declares, with its inputs, from one preview on the embedded clouds."""
    session = open_session(Target("neurmatic", "production", NAME))
    steps = json.loads(session.ask("preview", "--json"))["steps"]
    states = [step["newState"] for step in steps]
    return [(s["type"], s["urn"].rpartition("::")[2], as_for_real(s.get("inputs") or {})) for s in states]


def as_for_real(inputs: dict[str, Any]) -> dict[str, Any]:
    """A rehearsal's data may go, and says so; production's may not."""
    tags = {key: value for key, value in (inputs.get("tags") or {}).items() if key != "data"}
    kept = {"tags": tags} if "tags" in inputs else {}
    return {**inputs, **kept, **({"forceDestroy": False} if "forceDestroy" in inputs else {})}


def by_itself(resources: list[Resource]) -> None:
    columns = (
        "resources",
        "judging each, ms",
        "as a whole, s",
        "together, s",
        "engine, s",
        "engine, one empty rule, s",
    )
    print(f"| {' | '.join(columns)} |")
    print("|---|---|---|---|---|---|")
    for size in SIZES:
        many = [each for number in range(size // len(resources) + 1) for each in stack_like(resources, number)]
        each, whole = judged(many[:size])
        engine, floor = analyzed(many[:size], POLICY_PACK), analyzed(many[:size], empty_pack())
        cells = (
            size,
            f"{1000 * each / size:.2f}",
            f"{whole:.2f}",
            f"{each + whole:.2f}",
            f"{engine:.1f}",
            f"{floor:.1f}",
        )
        print(f"| {' | '.join(map(str, cells))} |", flush=True)


def stack_like(resources: list[Resource], number: int) -> list[Resource]:
    """The same stack once more: its buckets and its zone are others, or every bucket would belong to every copy."""
    names = {str(props["bucket"]) for _, _, props in resources if isinstance(props.get("bucket"), str)}
    zones = {str(props["zoneId"]) for _, _, props in resources if isinstance(props.get("zoneId"), str)}
    text = json.dumps([[kind, f"{name}-{number}", props] for kind, name, props in resources])
    for known in sorted(names, key=len, reverse=True):
        text = text.replace(known, f"{known}-{number}")
    for zone in zones:
        text = text.replace(zone, f"{number:032x}")
    return [(kind, name, props) for kind, name, props in json.loads(text)]


def judged(resources: list[Resource]) -> tuple[float, float]:
    """Seconds of one processor for the resources, each by itself as the engine asks, and for the stack."""
    pack, declare = harness()
    run, given = pack(), [declare(kind, props, name, True) for kind, name, props in resources]
    requests = [each.request() for each in given]
    started = time.process_time()
    for request in requests:
        run.servicer.Remediate(request, None)
        run.servicer.Analyze(request, None)
    middle = time.process_time()
    run.stack(*given)
    return middle - started, time.process_time() - middle


def empty_pack() -> Path:
    """What the engine and the SDK cost by themselves: a pack with one rule that looks at nothing."""
    folder = WORKSPACES / NAME / "empty-pack"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__main__.py").write_text(EMPTY)
    runtime = {"name": "python", "options": {"virtualenv": str(ROOT / ".venv")}}
    (folder / "PulumiPolicy.yaml").write_text(json.dumps({"runtime": runtime}))
    return folder


def analyzed(resources: list[Resource], pack: Path) -> float:
    """Seconds of `pulumi policy analyze` over a state with these resources, start of engine and pack included."""
    environment = open_session(Target("neurmatic", "production", NAME)).environment
    root = "urn:pulumi:b::b::pulumi:pulumi:Stack::b-b"
    listed: list[dict[str, Any]] = [{"urn": root, "type": "pulumi:pulumi:Stack", "custom": False}]
    for kind, name, props in resources:
        if not kind.startswith(("pulumi:", "infra:")):
            urn = f"urn:pulumi:b::b::{kind}::{name}"
            values = {"inputs": props, "outputs": props, "protect": True}
            listed.append({"urn": urn, "type": kind, "custom": True, "id": name, **values})
    manifest = {"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""}
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.json"
        state.write_text(json.dumps({"version": 3, "deployment": {"manifest": manifest, "resources": listed}}))
        command = ["pulumi", "policy", "analyze", "--file", str(state), "--policy-pack", str(pack)]
        started = time.perf_counter()
        ran = subprocess.run(command, env=dict(environment), cwd=folder, capture_output=True, text=True, check=False)
        taken = time.perf_counter() - started
    if "neurmatic@" not in ran.stdout:
        raise RuntimeError(f"the policies did not run: {ran.stderr or ran.stdout}")
    return taken


def harness() -> tuple[Any, Any]:
    """The tests' way of asking the pack without an engine."""
    for folder in ("policy", "tests/policy"):
        path = str(ROOT / folder)
        if path not in sys.path:
            sys.path.insert(0, path)
    servicer = importlib.import_module("servicer")
    return servicer.Pack, servicer.Declared


def previews(runs: int) -> None:
    """150 resources, with and without the pack, in turns on one machine."""
    session = open_session(Target("neurmatic", "production", NAME))
    with_pack, without = dict(session.environment), dict(session.environment)
    without.pop(PACK_VARIABLE)
    stack_file = session.folder / "Pulumi.production.yaml"
    original = stack_file.read_text()
    with tempfile.TemporaryDirectory() as folder:
        grown = Path(folder) / "Pulumi.production.yaml"
        grown.write_text(with_records(original, max(0, SIZES[0] - len(declared()))))
        taken: dict[str, list[tuple[float, float]]] = {"with": [], "without": []}
        for turn in range(runs + 1):
            for name, environment in (("with", with_pack), ("without", without)):
                run = preview(session, environment, grown)
                if turn:
                    taken[name].append(run)
    for index, unit in enumerate(("s", "s of processors")):
        has, lacks = (statistics.median(run[index] for run in taken[name]) for name in ("with", "without"))
        print(
            f"{'' if index else chr(10)}A preview of {SIZES[0]} resources, median of {runs}: {has:.2f} {unit} with "
            f"policies, {lacks:.2f} without: {has - lacks:+.2f}"
        )


def preview(session: Session, environment: Mapping[str, str], config: Path) -> tuple[float, float]:
    """Seconds on the clock, and of the processors: the first depend on what else the machine does."""
    command = ["pulumi", "preview", "--non-interactive", "--stack", "production", "--config-file", str(config)]
    started, before = time.perf_counter(), processors()
    subprocess.run(command, cwd=session.folder, env=dict(environment), check=True, capture_output=True)
    return time.perf_counter() - started, processors() - before


def processors() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def beside_checkov(resources: list[Resource]) -> None:
    problem = install_checkov()
    print("\n| planted in production | this pack | Checkov |\n|---|---|---|")
    base_ours, base_theirs = ours(resources), set() if problem else theirs(resources)
    noticed = [0, 0]
    told = 0
    for what, kind, path, value in DEFECTS:
        broken = planted(resources, kind, path, value)
        if broken is None:
            print(f"| {what} | no such resource | |")
            continue
        told += 1
        own = sorted(ours(broken) - base_ours)
        other = [] if problem else sorted(theirs(broken) - base_theirs)
        noticed = [noticed[0] + bool(own), noticed[1] + bool(other)]
        print(f"| {what} | {', '.join(own) or 'no'} | {', '.join(other) or 'no'} |", flush=True)
    print(f"| noticed of {told} | {noticed[0]} | {problem or noticed[1]} |")
    if not problem:
        speed_beside_checkov(resources)


def ours(resources: list[Resource]) -> set[str]:
    pack, declare = harness()
    found = pack().preview(*(declare(kind, props, name, True) for kind, name, props in resources))
    return {each.policyName for each in found} - {"coverage", "pack-summary"}


def theirs(resources: list[Resource]) -> set[str]:
    """Asked once for each plan: most defects are in resources that a plan for Checkov does not hold."""
    return set(_failed(json.dumps(plan(resources))))


@lru_cache
def _failed(text: str) -> frozenset[str]:
    report = checkov(text)
    reports = report if isinstance(report, list) else [report]
    failed = [check for each in reports for check in each.get("results", {}).get("failed_checks", [])]
    return frozenset(f"{check['check_id']} on {check['resource']}" for check in failed)


def checkov(text: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plan.json"
        file.write_text(text)
        environment = {"PATH": os.environ["PATH"], "HOME": folder, "BC_SKIP_MAPPING": "TRUE"}
        command = [
            str(VENV / "bin" / "checkov"),
            "-f",
            str(file),
            "--framework",
            "terraform_plan",
            "-o",
            "json",
            "--quiet",
        ]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=folder)
        return json.loads(ran.stdout)


def speed_beside_checkov(resources: list[Resource]) -> None:
    clouds = [each for each in resources if each[0].startswith("aws:")]
    started = time.perf_counter()
    report = checkov(json.dumps(plan(clouds)))
    taken = time.perf_counter() - started
    first = report[0] if isinstance(report, list) else report
    started = time.perf_counter()
    ours(clouds)
    own = time.perf_counter() - started
    failed = len(theirs(resources))
    print(
        f"\nProduction's {len(clouds)} S3 and IAM resources: Checkov {taken:.1f} s (start included), "
        f"{first['summary']['passed']} checks passed, {failed} failed of its default set; "
        f"this pack {own:.2f} s (start not included), none failed.\n"
        f"The other {len(resources) - len(clouds)} resources are of providers that Checkov has no checks for."
    )


def install_checkov() -> str:
    """In an environment of its own; says why not where that fails."""
    if (VENV / "bin" / "checkov").exists():
        return ""
    try:
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True, capture_output=True)
        subprocess.run([VENV / "bin" / "pip", "install", "-q", CHECKOV], check=True, capture_output=True, timeout=540)
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(VENV, ignore_errors=True)
        return f"not installed ({type(error).__name__})"
    return ""


if __name__ == "__main__":
    try:
        sys.exit(main())
    finally:
        shutil.rmtree(WORKSPACES / NAME, ignore_errors=True)
