"""`./infra check` reads what a stack file says to the policies with the pack's own reader."""

from __future__ import annotations

import datetime
from pathlib import Path

from ops.policycheck import policy_mistakes
from ops.stackcheck import check_file

ROOT = Path(__file__).resolve().parents[3]
EXCEPTION = {
    "rule": "edge-proxied",
    "resource": "edge-a-mail",
    "reason": "mail",
    "owner": "alex",
    "expires": datetime.date.today() + datetime.timedelta(days=30),
}


def test_nothing_is_asked_when_nothing_is_said() -> None:
    assert list(policy_mistakes({"neurmatic:environment": "production"})) == []


def test_good_settings_have_no_mistakes() -> None:
    config = {"policy:exceptions": [EXCEPTION], "policy:levels": {"naming-*": "advisory"}}
    assert list(policy_mistakes(config)) == []


def test_a_mistake_is_the_packs_own_sentence_with_its_line(tmp_path: Path) -> None:
    for name in ("Pulumi.yaml", "Pulumi.production.yaml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    file = tmp_path / "Pulumi.production.yaml"
    file.write_text(f"{file.read_text()}  policy:levels:\n    edge-proxid: advisory\n")

    report = check_file(file, rehearsal=True)

    lines = list(report.lines())
    count = len(file.read_text().splitlines())
    assert lines == [
        f"{file}:{count - 1}: policy:levels.edge-proxid: there is no such rule; did you mean edge-proxied."
    ]
