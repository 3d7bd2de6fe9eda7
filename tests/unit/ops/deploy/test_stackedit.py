"""Values are written into a stack file, and nothing else of it changes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ops.deploy.stackedit import written
from ops.errors import OperatorError

ROOT = Path(__file__).resolve().parents[4]
PLACE = ("neurmatic:containers", "release")
VALUES = {"version": "1.4.3", "backend": "sha256:" + "b" * 64, "frontend": "sha256:" + "f" * 64}
FILE = """\
# A comment above.
config:
  neurmatic:containers:
    # Which release runs.
    release:
      version: 1.4.2   # since Tuesday
      backend: "sha256:old"
      frontend: sha256:old
      nginx: sha256:kept
    postgres: {user: x}   # in one line

  neurmatic:data: protected
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Pulumi.production.yaml"
    path.write_text(FILE)
    return path


def test_values_are_replaced_where_they_stand(file: Path) -> None:
    after = written(file, PLACE, VALUES)
    expected = FILE.replace("1.4.2", "1.4.3").replace('"sha256:old"', VALUES["backend"])
    assert after == expected.replace("sha256:old", VALUES["frontend"])


@pytest.mark.parametrize("stack", ["production", "staging"])
def test_a_first_release_is_added_and_every_other_line_stays(stack: str, tmp_path: Path) -> None:
    committed = (ROOT / f"Pulumi.{stack}.yaml").read_text()
    file = tmp_path / f"Pulumi.{stack}.yaml"
    file.write_text(committed)
    after = written(file, PLACE, VALUES)
    added = [line for line in after.splitlines() if line not in committed.splitlines()]
    assert yaml.safe_load("\n".join(added)) == {"release": VALUES}
    assert [line for line in after.splitlines() if line not in added] == committed.splitlines()
    before = yaml.safe_load(committed)
    before["config"]["neurmatic:containers"]["release"] = VALUES
    assert yaml.safe_load(after) == before


@pytest.mark.parametrize("empty", ["", " ~", " null", "  # not yet"])
def test_a_release_that_is_named_but_empty_is_filled(file: Path, empty: str) -> None:
    text = f"config:\n  neurmatic:containers:\n    release:{empty}\n    network: n\n"
    file.write_text(text)
    if empty in (" ~", " null"):
        with pytest.raises(OperatorError, match="release is not written as lines"):
            written(file, PLACE, VALUES)
        return
    data = yaml.safe_load(written(file, PLACE, VALUES))
    assert data == {"config": {"neurmatic:containers": {"release": VALUES, "network": "n"}}}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("config: {}\n", "config is not"),
        ("config:\n  neurmatic:containers: {release: {version: 1}}\n", "neurmatic:containers is not"),
        ("- a\n", "config is not"),
        ("a: [\n", "not readable as YAML"),
    ],
    ids=["empty", "in-one-line", "a-list", "broken"],
)
def test_what_cannot_be_edited_in_place_is_said(file: Path, text: str, place: str) -> None:
    file.write_text(text)
    with pytest.raises(OperatorError, match=place):
        written(file, PLACE, VALUES)
    assert file.read_text() == text
