"""What can be lost, and the way back: the laptop, the backend, the key of the secrets. And two operators at once."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from lost import ALIAS, BACKEND, BUCKET, PROVIDER, Operator, kms, lose_the_bucket, lose_the_key, s3
from moto.server import ThreadedMotoServer

from ops.bootstrap import make_stack_in
from ops.errors import OperatorError
from ops.escrow import keep
from ops.escrow.envelope import identities_in, new_identity, unseal
from ops.escrow.places import at_hand
from ops.escrow.restore import restore
from ops.recover import clear_dead_locks
from ops.statestore import ensure_bucket, ensure_key
from ops.target import ROOT

pytestmark = pytest.mark.engine

PASSWORD = "c0rrect-horse"
IDENTITY, RECIPIENT = new_identity()
COMMITTED = {"secretsprovider": PROVIDER, "config": {"neurmatic:escrow": {"recipients": [RECIPIENT]}}}


@pytest.fixture
def ada(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    """An operator whose stack is up, with its state in the team's bucket."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "team")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "team")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    operator = Operator(tmp_path / "ada").check_out(yaml.safe_dump(COMMITTED))
    prepare()
    make_stack_in(operator.session, PROVIDER)
    operator.session.ask("config", "set", "--secret", "neurmatic:password", PASSWORD)
    operator.session.ask("up", "--yes", "--skip-preview")
    assert keep.refresh(operator.session, "up")
    yield operator
    server.stop()


def prepare() -> None:
    """What `./infra bootstrap` does, without moto's taking the TLS-only policy literally: it knows no conditions."""
    list(ensure_bucket(BACKEND))
    list(ensure_key(PROVIDER))
    s3().delete_bucket_policy(Bucket=BUCKET)


def test_the_laptop_is_lost(ada: Operator, tmp_path: Path) -> None:
    """Nothing of hers is needed: the committed files and the team's credentials are enough."""
    bob = Operator(tmp_path / "bob").check_out(ada.stack_file.read_text())
    assert bob.settled()
    assert bob.password() == PASSWORD


def test_the_backend_is_lost(ada: Operator, tmp_path: Path) -> None:
    lose_the_bucket()
    prepare()
    opened = unseal(at_hand("neurmatic", "production").read(), identities_in(IDENTITY))
    bob = Operator(tmp_path / "bob").check_out(ada.stack_file.read_text())

    restore(bob.session, opened, replace=False)

    assert bob.settled()
    assert bob.password() == PASSWORD
    with pytest.raises(OperatorError, match="--replace"):
        restore(bob.session, opened, replace=False)


def test_the_key_is_lost(ada: Operator) -> None:
    """The state is there and nobody can read its secrets. The envelope beside it is sealed to another key."""
    lose_the_key()
    with pytest.raises(OperatorError):
        ada.settled()
    sealed = s3().get_object(Bucket=BUCKET, Key="escrow/neurmatic-production.tar.gz.age")["Body"].read()
    list(ensure_key(PROVIDER))

    restore(ada.session, unseal(sealed, identities_in(IDENTITY)), replace=True)

    assert ada.settled()
    assert ada.password() == PASSWORD
    state = s3().get_object(Bucket=BUCKET, Key=".pulumi/stacks/neurmatic/production.json")["Body"].read().decode()
    provider = json.loads(state)["checkpoint"]["latest"]["secrets_providers"]
    assert (provider["type"], ALIAS in json.dumps(provider)) == ("cloud", True)
    assert PASSWORD not in state
    assert kms().describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyState"] == "Enabled"


def test_age_and_tar_open_it_on_a_bare_machine(ada: Operator, tmp_path: Path) -> None:
    """The one-liner of docs/state.md, and a passphrase in place of the key: no KMS, no S3, no ./infra."""
    key = tmp_path / "key.txt"
    key.write_text(IDENTITY + "\n")
    envelope = at_hand("neurmatic", "production").address
    if shutil.which("age") is None:
        pytest.skip("age is not installed here: apt-get install age")
    command = f"age -d -i {key} {envelope} | tar -xz"
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True, capture_output=True)
    folder = tmp_path / "neurmatic-production"
    assert json.loads((folder / "secrets.json").read_text()) == {"neurmatic:password": PASSWORD}
    assert (folder / "state.json").stat().st_mode & 0o077 == 0
    outputs = json.loads((folder / "state.json").read_text())["deployment"]["resources"][0]["outputs"]
    assert outputs["password"]["plaintext"] == json.dumps(PASSWORD)


def test_the_documented_commands_bring_it_back(ada: Operator, tmp_path: Path) -> None:
    """As they stand in docs/state.md, on a machine without this repository, into a backend that is a folder."""
    if shutil.which("age") is None or shutil.which("jq") is None:
        pytest.skip("age and jq are not installed here: apt-get install age jq")
    key, backend = tmp_path / "key.txt", tmp_path / "backend"
    key.write_text(IDENTITY + "\n")
    backend.mkdir()
    blocks = (ROOT / "docs" / "state.md").read_text().split("\n\n")
    commands = next(block for block in blocks if block.startswith("    age -d")).replace("KEYFILE", str(key))
    commands = commands.replace("ENVELOPE", at_hand("neurmatic", "production").address)
    commands = commands.replace("awskms://alias/NAME?region=REGION", "passphrase")
    bare = {
        **ada.session.environment,
        "PULUMI_BACKEND_URL": f"file://{backend}",
        "PULUMI_CONFIG_PASSPHRASE": "another",
        "PULUMI_HOME": str(tmp_path / "home"),
    }
    check = "pulumi stack output --show-secrets password; pulumi config get neurmatic:password"

    done = subprocess.run(
        ["sh", "-ec", f"{commands}\n{check}"], cwd=tmp_path, env=bare, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-2:] == [PASSWORD, PASSWORD]


def test_two_operators_at_once(ada: Operator, tmp_path: Path) -> None:
    """The second one hears who is at work, since when and what to do; the first is not disturbed."""
    go = tmp_path / "go"
    first = ada.start("up", "--yes", "--skip-preview", WAIT_FOR=str(go))
    try:
        wait_for(tmp_path / "go.begun")
        bob = Operator(tmp_path / "bob").check_out(ada.stack_file.read_text())
        with pytest.raises(OperatorError, match=r"being changed by \S+@\S+ \(process \d+, since .*wait for them"):
            clear_dead_locks(bob.session, BACKEND, "neurmatic")
        refused = bob.start("up", "--yes", "--skip-preview")
        text, _ = refused.communicate(timeout=600)
        assert refused.returncode != 0
        assert "locked by" in text
    finally:
        go.touch()
        output, _ = first.communicate(timeout=600)
    assert first.returncode == 0, output


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 240
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} did not appear"
        time.sleep(0.05)
