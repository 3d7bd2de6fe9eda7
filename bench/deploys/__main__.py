"""Deploys of the whole stack under load, beside docker-compose doing the same; in one run.

    python -m bench.deploys [--long] [--rate 100] [--deploys 2] [--rollbacks 1] [--backends 2] [--compose 1]

The short version takes some minutes; `--long` is what the promises are about. What has been measured is kept in a
folder, deploy by deploy, so that a run that was cut short goes on where it was: one for each commit, or `--folder`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from bench.deploys import compose, people, stage
from bench.deploys.deploy import Result, measured
from bench.deploys.page import page, targets
from rehearsal import TOOLCHAIN
from rehearsal.docker import docker
from rehearsal.whole import WholeStack

NAME = "bench-deploys"
NICE = 10
LONG = {"deploys": 10, "rollbacks": 4, "rate": 150, "requests": 200_000, "backends": [2, 8], "compose": 5}


def main() -> int:
    options = parse()
    folder = Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    for backends in options.backends:
        with_us(folder, options, backends)
    if options.compose:
        with_compose(folder, options)
    print(page(folder, options.rate))
    missed = list(targets(folder, options.requests))
    print("\n".join(["", *(f"- MISSED: {each}" for each in missed)]) if missed else "\nAll targets are met.")
    return 1 if missed else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.deploys")
    parser.add_argument("--long", action="store_true", help=f"the defaults of the proof: {LONG}")
    parser.add_argument("--deploys", type=int, default=2, help="with each number of backends")
    parser.add_argument("--rollbacks", type=int, default=1, help="with each number of backends")
    parser.add_argument("--rate", type=float, default=100, help="requests a second")
    parser.add_argument("--requests", type=int, default=0, help="how many there must be in all")
    parser.add_argument("--backends", type=numbers, default=[2], help="such as 2,8")
    parser.add_argument("--compose", type=int, default=1, help="deploys by docker-compose; 0 leaves it out")
    parser.add_argument("--people", type=int, default=1000, help="connections that stay open; 0 leaves them out")
    parser.add_argument("--folder", help="where results are kept")
    if parser.parse_known_args()[0].long:
        parser.set_defaults(**LONG)
    options = parser.parse_args()
    options.folder = options.folder or str(TOOLCHAIN / "bench" / "deploys" / f"{head()}-{options.rate:.0f}")
    return options


def head() -> str:
    return subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip()


def numbers(words: str) -> list[int]:
    return [int(word) for word in words.split(",")]


def with_us(folder: Path, options: argparse.Namespace, backends: int) -> None:
    wanted = [f"{backends}-deploy-{number:02}" for number in range(1, options.deploys + 1)]
    wanted += [f"{backends}-rollback-{number:02}" for number in range(1, options.rollbacks + 1)]
    crowd = f"{backends}-people"
    missing = [name for name in wanted if not kept(folder, name).exists()]
    if not missing and (kept(folder, crowd).exists() or not options.people):
        return
    with stage.running(NAME, backends) as stack:
        if options.people and not kept(folder, crowd).exists():
            keep(folder, crowd, people.measured(stack.target(), options.people))
        previous = stack.release
        if missing and "deploy" not in missing[0]:
            # A run that goes on: there has to be something to go back from.
            up(stack, stack.images.release("1.5.1"))
        for number, name in enumerate(missing, 2):
            now = stack.release
            after = previous if "rollback" in name else stack.images.release(f"1.5.{number}")
            change = without_registry if "rollback" in name else up
            result = measured(stack, after["version"], options.rate, partial(aside, partial(change, stack, after)))
            # What did not go through is not what runs.
            previous, stack.release = (now, after) if result.done else (previous, now)
            keep(folder, name, asdict(result))
            print(f"{name}: {said(result)}", file=sys.stderr, flush=True)


def up(stack: WholeStack, release: dict[str, str]) -> Any:
    stack.release = release
    return stack.pulumi("up", "--yes", "--skip-preview")


def without_registry(stack: WholeStack, release: dict[str, str]) -> Any:
    """Nobody answers there: whatever wanted an image would wait."""
    registry = stack.images.registry.container.id
    docker("pause", registry)
    try:
        return up(stack, release)
    finally:
        docker("unpause", registry)


def aside(change: Callable[[], Any]) -> Any:
    """The operator sits at another machine; here the server's work goes before his."""
    done: list[Any] = []

    def run() -> None:
        os.setpriority(os.PRIO_PROCESS, 0, NICE)  # of this thread, and of what it starts
        done.append(change())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if not done:
        raise SystemExit("The deploy could not be run: see above.")
    return done[0]


def with_compose(folder: Path, options: argparse.Namespace) -> None:
    missing = [
        name for number in range(1, options.compose + 1) if not kept(folder, name := f"compose-{number:02}").exists()
    ]
    if not missing:
        return
    with compose.running() as stack:
        for number, name in enumerate(missing, 1):
            result = compose.measured(stack, f"1.5.{number}", options.rate)
            keep(folder, name, result)
            print(f"{name}: {result}", file=sys.stderr, flush=True)


def said(result: Result) -> str:
    return f"{result.seconds:.1f} s, {result.requests} requests, {result.mistakes or 'nothing wrong'} {result.said}"


def kept(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"


def keep(folder: Path, name: str, result: dict[str, Any]) -> None:
    partial = kept(folder, name).with_suffix(".partial")
    partial.write_text(json.dumps(result, indent=1) + "\n")
    partial.rename(kept(folder, name))


if __name__ == "__main__":
    sys.exit(main())
