"""Which of the 23 seeded defects do two linters find? `compare_linters.py PATH/TO/octorules` (from PyPI).

Install it apart: python -m venv /tmp/octo && /tmp/octo/bin/pip install octorules octorules-cloudflare
octorules-wirefilter. It gets the same rules in its own layout, and the plan in the one mode that honours it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from edgerules.lint import lint
from edgerules.zone import load

SEEDED = Path(__file__).parent / "data" / "seeded.yaml"
SECTIONS = {
    "http_request_firewall_custom": "waf_custom_rules",
    "http_ratelimit": "rate_limiting_rules",
    "http_request_cache_settings": "cache_rules",
    "http_request_firewall_managed": "waf_managed_rules",
}
CONFIG = """providers:
  cloudflare: {class: octorules_cloudflare.CloudflareProvider, token: none}
  rules: {class: octorules.provider.yaml.YamlProvider, directory: ./rules}
zones:
  example.com: {sources: [rules], targets: [cloudflare]}
"""
TALKS_OF = {
    "regex": "CF500",
    "body": "CF021",
    "bots": "CF021",
    "list": "CF102",
    "contra": "CF514",
    "hdr": "CF526",
    "p61": "CF400",
    "hchar": "CF406",
    "http_request_firewall_custom": "CF501",
    "http_ratelimit": "CF501",
}
"""The rule of octorules that is about the defect; whatever else it says of the same rule is not."""


def octorules(program: str) -> list[tuple[str, str, str]]:
    """(code, rule or phase, message) of every finding."""
    zone = yaml.safe_load(SEEDED.read_text())
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder, "rules")
        rules.mkdir()
        (rules / "example.com.yaml").write_text(
            yaml.safe_dump({"cloudflare": {SECTIONS[phase]: found for phase, found in zone["rules"].items()}})
        )
        Path(folder, "config.yaml").write_text(CONFIG)
        words = [program, "--config", "config.yaml", "lint", "--plan", "free", "--format", "json"]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    document = json.loads(done.stdout[done.stdout.index("{") :])
    return [(item["rule_id"], item.get("ref") or item["phase"], item["message"]) for item in document["results"]]


def main() -> None:
    ours = {finding.rule or finding.message.split()[0] for finding in lint(*load(SEEDED))}
    phases = {f"cloudflare.{section}": phase for phase, section in SECTIONS.items()}
    said = {(code, phases.get(rule, rule)) for code, rule, _ in octorules(sys.argv[1])}
    theirs = {defect for defect, code in TALKS_OF.items() if (code, defect) in said}
    for defect in sorted(ours):
        print(f"{defect:32} edgerules found   octorules {'found' if defect in theirs else 'missed'}")
    alarms = sorted(f"{code} on {rule}" for code, rule in said if code in ("CF001", "CF406") and rule != "hchar")
    print(f"edgerules {len(ours)} of 23, octorules {len(theirs)} of 23; false alarms of octorules: {', '.join(alarms)}")


if __name__ == "__main__":
    main()
