"""The two other tools that read Cloudflare's expressions, each installed beside the project and asked in bulk."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[2] / ".toolchain" / "bench"
_SECONDS = 120

# Each answers on standard output with what it refused and how long the rest took, best of some rounds.
_OCTORULES = """
import json, sys, time
from octorules_wirefilter import parse_expression
texts, rounds = json.load(sys.stdin)
accepted = [text for text in texts if not parse_expression(text).get("error")]
best = 1e9
for _ in range(rounds):
    start = time.perf_counter()
    for text in accepted:
        parse_expression(text)
    best = min(best, time.perf_counter() - start)
json.dump({"accepted": accepted, "seconds": best}, sys.stdout)
"""
_FIREWALKER = """
const {Firewall, Request} = require('firewalker');
const [texts, rounds] = JSON.parse(require('fs').readFileSync(0));
const firewall = new Firewall();
const create = text => { try { return firewall.createRule(text); } catch (error) { return null; } };
const accepted = texts.filter(create);
const timed = work => {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start) / 1e9;
};
let seconds = 1e9;
for (let round = 0; round < rounds; round++) seconds = Math.min(seconds, timed(() => accepted.forEach(create)));
const request = new Request('https://www.example.com/api/users?id=1', {method: 'GET'});
const rules = accepted.slice(0, 3).map(create);
rules.forEach(rule => rule.match(request));  // warm: what the first match sets up is not counted
let made = 0;
const deciding = timed(() => {
  const end = Date.now() + 2000;
  while (Date.now() < end) rules.forEach(rule => { rule.match(request); made++; });
});
console.log(JSON.stringify({accepted, seconds, decisions: made / deciding}));
process.exit(0);
"""


class MissingError(RuntimeError):
    """A tool that cannot be installed or does not run here; the message says why."""


def octorules(texts: Sequence[str], rounds: int) -> dict[str, Any]:
    """Parsing only: octorules evaluates nothing."""
    home = HOME / "octorules"
    python = home / "bin" / "python"
    if not (home / "installed").exists():
        venv.create(home, with_pip=True)
        packages = ["octorules-cloudflare==0.18.1", "octorules-wirefilter==0.7.0"]
        _run("octorules", [str(python), "-m", "pip", "install", "--quiet", *packages])
        (home / "installed").touch()
    return _ask("octorules", [str(python), "-c", _OCTORULES], texts, rounds)


def firewalker(texts: Sequence[str], rounds: int) -> dict[str, Any]:
    """Parsing and deciding, one expression at a time."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise MissingError("firewalker: node and npm are missing")
    home = HOME / "firewalker"
    if not (home / "installed").exists():
        home.mkdir(parents=True, exist_ok=True)
        (home / "package.json").write_text('{"private": true}', encoding="utf-8")
        _run("firewalker", [npm, "install", "--no-fund", "--no-audit", "--silent", "firewalker@1.0.10"], home)
        (home / "installed").touch()
    return _ask("firewalker", [node, "-e", _FIREWALKER], texts, rounds, home)


def _ask(name: str, command: list[str], texts: Sequence[str], rounds: int, home: Path | None = None) -> dict[str, Any]:
    answer = _run(name, command, home, json.dumps([list(texts), rounds]))
    try:
        found: dict[str, Any] = json.loads(answer.strip().splitlines()[-1])
    except (ValueError, IndexError):
        raise MissingError(f"{name}: its answer was no JSON") from None
    return found


def _run(name: str, command: list[str], home: Path | None = None, given: str = "") -> str:
    try:
        done = subprocess.run(
            command, cwd=home, input=given, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise MissingError(f"{name}: no answer within {_SECONDS} s") from None
    except OSError as error:
        raise MissingError(f"{name}: {error}") from None
    if done.returncode:
        print(done.stderr.strip(), file=sys.stderr)
        raise MissingError(f"{name}: {command[0].rpartition('/')[2]} ended with {done.returncode}")
    return done.stdout
