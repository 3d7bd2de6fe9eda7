"""The sealed copy: what it keeps, whom it opens for, and what is said when it does not."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pyrage  # type: ignore[import-untyped]
import pytest
from click.testing import CliRunner

from ops.errors import OperatorError
from ops.escrow.envelope import About, Envelope, identities_in, new_identity, seal, unseal
from ops.escrow.places import beside, place
from ops.escrow.restore import OLD_KEY, OLD_SECRET, refuse_another
from ops.escrow.verb import escrow
from ops.session import Session
from ops.target import Target

ABOUT = About("neurmatic", "production", "2026-11-21T20:00:00+00:00", "up", "s3://b", "awskms://k", "v3", "abc", 1)
STATE = {"version": 3, "deployment": {"resources": [{"urn": "urn:pulumi:x"}]}}
ENVELOPE = Envelope(ABOUT, STATE, {"neurmatic:token": "päss$word"}, {"Pulumi.yaml": "name: neurmatic\n"})
PRIVATE, PUBLIC = new_identity()


def test_what_goes_in_comes_out() -> None:
    assert unseal(seal(ENVELOPE, [PUBLIC]), identities_in(PRIVATE)) == ENVELOPE


def test_each_of_several_keys_opens_it_alone() -> None:
    other, public = new_identity()
    sealed = seal(ENVELOPE, [PUBLIC, public])
    assert unseal(sealed, identities_in(other)) == unseal(sealed, identities_in(PRIVATE)) == ENVELOPE


def test_nothing_of_it_can_be_read_without_a_key() -> None:
    sealed = seal(ENVELOPE, [PUBLIC])
    assert "päss$word".encode() not in sealed
    stranger, _ = new_identity()
    with pytest.raises(OperatorError, match="does not open the envelope"):
        unseal(sealed, identities_in(stranger))


@pytest.mark.parametrize("cut", [0, 40, 200, -1])
def test_a_damaged_envelope_is_a_sentence(cut: int) -> None:
    with pytest.raises(OperatorError, match="does not open the envelope"):
        unseal(seal(ENVELOPE, [PUBLIC])[:cut], identities_in(PRIVATE))


def test_something_else_in_an_envelope_is_a_sentence() -> None:
    sealed = pyrage.encrypt(b"a note", [pyrage.x25519.Recipient.from_str(PUBLIC)])
    with pytest.raises(OperatorError, match="what is inside is not whole"):
        unseal(sealed, identities_in(PRIVATE))


def test_a_later_format_is_a_sentence() -> None:
    with pytest.raises(OperatorError, match="has format 2; this checkout reads 1"):
        unseal(seal(replace(ENVELOPE, about=replace(ABOUT, version=2)), [PUBLIC]), identities_in(PRIVATE))


def test_nobody_else_may_read_what_is_unpacked() -> None:
    plain = pyrage.decrypt(seal(ENVELOPE, [PUBLIC]), identities_in(PRIVATE))
    with tarfile.open(fileobj=io.BytesIO(plain), mode="r:gz") as archive:
        modes = {entry.name: entry.mode for entry in archive}
    assert set(modes.values()) == {0o600}
    assert "neurmatic-production/README.txt" in modes


@pytest.mark.parametrize("text", ["", "# a comment\n", "AGE-SECRET-KEY-1WRONG", "ssh-ed25519 AAAA"])
def test_a_file_that_holds_no_key_is_a_sentence(text: str) -> None:
    with pytest.raises(OperatorError, match="AGE-SECRET-KEY-1"):
        identities_in(text)


def test_a_recipient_that_is_none_is_a_sentence() -> None:
    with pytest.raises(OperatorError, match="no age recipient"):
        seal(ENVELOPE, ["age1" + "q" * 58])


def test_the_new_keys_file_opens_what_the_shown_half_seals(tmp_path: Path) -> None:
    file = tmp_path / "key.txt"
    shown = CliRunner().invoke(escrow, ["key", str(file)])
    assert shown.exit_code == 0
    public = next(line for line in shown.output.splitlines() if line.startswith("age1"))
    assert file.stat().st_mode & 0o777 == 0o600
    assert unseal(seal(ENVELOPE, [public]), identities_in(file.read_text())) == ENVELOPE
    again = CliRunner().invoke(escrow, ["key", str(file)])
    assert isinstance(again.exception, OperatorError)
    assert public in file.read_text()


def test_an_envelope_of_another_stack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="holds neurmatic/production, not neurmatic/staging"):
        refuse_another(Session(Target("neurmatic", "staging"), tmp_path, {}), ENVELOPE)


def test_what_only_the_lost_key_could_read_leaves_the_stack_file() -> None:
    text = (
        "# ours\nencryptedkey: AQID\nsecretsprovider: awskms://a\nconfig:\n  n:plain: 1\n  n:token:\n    secure: v1:x\n"
    )
    kept = OLD_SECRET.sub("", OLD_KEY.sub("", text))
    assert kept == "# ours\nsecretsprovider: awskms://a\nconfig:\n  n:plain: 1\n"


def test_places(tmp_path: Path) -> None:
    with_state = beside(f"file://{tmp_path}", "neurmatic", "production")
    assert with_state is not None
    assert with_state.written() is None
    with_state.write(b"1")
    assert place(str(tmp_path / "escrow" / "neurmatic-production.tar.gz.age")).read() == b"1"
    assert with_state.written() is not None
    assert beside("https://api.pulumi.com", "neurmatic", "production") is None
    with pytest.raises(OperatorError, match="There is no envelope to read"):
        place(str(tmp_path / "none")).read()
    with pytest.raises(OperatorError, match="names no object"):
        place("s3://bucket")
