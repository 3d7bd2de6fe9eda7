"""What a killed run left behind is found by what it was made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ops.inventory import find_by_name
from ops.recover import settle_pending
from rehearsal.inventory import OBJECTS, find_in_rehearsal

BUCKET = "aws:s3/bucket:Bucket"
RECORD = "cloudflare:index/dnsRecord:DnsRecord"
# Without a machine, what Docker would hold is only written down.
NETWORK = "docker:index/network:Network"


class Engine:
    """Answers as `pulumi stack export` does, and keeps what it is told and what is imported."""

    def __init__(self, *pending: dict[str, Any]) -> None:
        self.deployment = {"resources": [{"id": "taken"}], "pending_operations": list(pending)}
        self.told: list[tuple[str, ...]] = []
        self.imported: dict[str, Any] = {}

    def ask(self, *arguments: str) -> str:
        self.told.append(arguments)
        if arguments[:2] == ("stack", "import"):
            self.imported = json.loads(Path(arguments[-1]).read_text())["deployment"]
        return json.dumps({"deployment": self.deployment})


def creating(type_: str, **inputs: Any) -> dict[str, Any]:
    return {"type": "creating", "resource": {"urn": f"urn::{type_}", "type": type_, "inputs": inputs}}


def test_nothing_pending_asks_for_nothing() -> None:
    engine = Engine()
    settle_pending(engine, find_by_name)  # type: ignore[arg-type]
    assert engine.told == [("stack", "export")]


def test_what_exists_is_adopted_and_the_rest_is_cleared() -> None:
    engine = Engine(creating(BUCKET, bucket="media"), creating(RECORD, name="x"))
    settle_pending(engine, find_by_name)  # type: ignore[arg-type]
    assert engine.imported["pending_operations"] == []
    assert [each["id"] for each in engine.imported["resources"]] == ["taken", "media"]
    assert engine.told[-1] == ("refresh", "--yes", "--skip-preview", "--target", f"urn::{BUCKET}")


def test_what_the_state_has_is_not_adopted_twice() -> None:
    assert find_by_name(creating(BUCKET, bucket="taken")["resource"], frozenset({"taken"})) is None


@pytest.fixture
def clouds(tmp_path: Path) -> Path:
    def keep(number: int, identity: str, **inputs: Any) -> None:
        file = tmp_path / OBJECTS / "docker" / f"{number}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"type": NETWORK, "id": identity, "inputs": inputs, "outputs": {}}))

    keep(1, "first", name="api", content="1.2.3.4")
    keep(2, "second", name="www", content="1.2.3.4")
    return tmp_path


def test_found_by_its_inputs(clouds: Path) -> None:
    operation = creating(NETWORK, name="www", content="1.2.3.4", __defaults=[])["resource"]
    assert find_in_rehearsal(clouds, operation, frozenset()) == "second"
    assert find_in_rehearsal(clouds, operation, frozenset({"second"})) is None


def test_not_found_by_other_inputs(clouds: Path) -> None:
    assert find_in_rehearsal(clouds, creating(NETWORK, name="www", content="9.9.9.9")["resource"], frozenset()) is None
    volume = creating("docker:index/volume:Volume", name="www")["resource"]
    assert find_in_rehearsal(clouds, volume, frozenset()) is None


def test_a_secret_input_is_not_compared(clouds: Path) -> None:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:"}
    assert find_in_rehearsal(clouds, creating(NETWORK, name="api", content=secret)["resource"], frozenset()) == "first"
