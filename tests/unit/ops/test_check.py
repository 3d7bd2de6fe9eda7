"""`./infra check`: lines, places and exit codes; and no input whatever ends in a traceback."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurmatic.settings import NeurmaticSettings
from ops.check import check
from ops.stackcheck import check_file

ROOT = Path(__file__).resolve().parents[3]
STACKS = [
    *(ROOT / f"Pulumi.{stack}.yaml" for stack in ("staging", "production")),
    *(ROOT / "neuropilot" / f"Pulumi.{stack}.yaml" for stack in ("staging", "production")),
]
PRODUCTION = STACKS[1].read_text(encoding="utf-8")
# FUZZ_EXAMPLES=5000 for a long look; the short one is part of every run.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
fuzz = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(check, [str(each) for each in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: neurmatic\nruntime: python\n", encoding="utf-8")
    return tmp_path / "Pulumi.production.yaml"


def written(path: Path, content: str | bytes) -> Result:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return run("--rehearsal", path)


@pytest.mark.parametrize("path", STACKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_committed_stacks_rehearse(path: Path) -> None:
    result = run("--rehearsal", path)
    assert result.exit_code == 0, result.output
    assert "no mistakes" in result.output


@pytest.mark.parametrize("path", STACKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_committed_stacks_are_not_deployed_by_accident(path: Path) -> None:
    """Every mistake of a real run is a value or a secret that only its owner knows."""
    result = run(path)
    assert result.exit_code == 1
    mistakes = [line for line in result.output.splitlines() if " note: " not in line][:-1]
    assert mistakes
    for line in mistakes:
        unset = "not set" in line and ("--secret" in line or ":escrow.recipients:" in line)
        assert "stands for a value that is not known yet" in line or unset


def test_a_mistake_has_its_line(stack: Path) -> None:
    lines = PRODUCTION.replace("ipv4: 192.0.2.10", "ipv4: 300.1.1.1").splitlines()
    number = next(index for index, line in enumerate(lines, 1) if "300.1.1.1" in line)
    result = written(stack, "\n".join(lines))
    assert result.exit_code == 1
    expected = f'{stack}:{number}: neurmatic:host.ipv4: given "300.1.1.1"; allowed is an IPv4 address'
    assert result.output.startswith(expected)
    assert result.output.endswith(f"{stack}: 1 mistake\n")


def test_for_programs(stack: Path) -> None:
    stack.write_text(PRODUCTION.replace("role: owner", "role: onwer"), encoding="utf-8")
    [report] = json.loads(run("--rehearsal", "--json", stack).output)
    assert report["ok"] is False
    assert [each["key"] for each in report["mistakes"]] == ["neurmatic:edge.role"]
    assert PRODUCTION.splitlines()[report["mistakes"][0]["line"] - 1].strip() == "role: owner"


def test_what_the_edge_does_otherwise_than_asked_is_said() -> None:
    assert "note: auth: 10 requests in 60 s at the edge, looser than 10/15min" in run("--rehearsal", STACKS[3]).output


def test_all_kinds_of_wrong_keys(stack: Path) -> None:
    content = PRODUCTION.replace("secretsprovider:", "secretprovider:").replace("pulumi:disable", "polumi:disable")
    content += (
        "  neurmatic:hots: {}\n  aws:region: eu-west-1\n  host: {}\n  neuropilot:host: {}\n  neurmatik:edge: {}\n"
    )
    output = written(stack, content).output
    assert "secretprovider: there is no such key; did you mean secretsprovider?" in output
    assert "polumi:disable-default-providers: nothing reads it" in output
    assert "neurmatic:hots: there is no such key; did you mean host?" in output
    assert "aws:region: nothing reads it" in output
    assert " host: nothing reads it; did you mean neurmatic:host?" in output
    assert "neurmatik:edge: nothing reads it; did you mean neurmatic:edge?" in output
    assert "neuropilot:host: belongs to another system" in output
    assert output.endswith("7 mistakes\n")


def test_a_secret_is_encrypted_and_a_setting_is_not(stack: Path) -> None:
    content = PRODUCTION.replace("vps-1a707765.vps.ovh.net", "{secure: v1:abc:def}")
    content += (
        "  neurmatic:sentry_dsn: https://word@sentry.invalid/1\n  neurmatic:sendgrid_api_key: {secure: v1:abc:def}\n"
    )
    output = written(stack, content).output
    assert "neurmatic:host.address: an encrypted value, but no setting is a secret" in output
    command = "pulumi config set --secret neurmatic:sentry_dsn --stack production"
    assert f"neurmatic:sentry_dsn: given in plain text; a secret is encrypted. Set it with: {command}" in output
    assert "word" not in output
    assert output.endswith("2 mistakes\n")


def test_missing_secrets_are_named_even_beside_other_mistakes(stack: Path) -> None:
    stack.write_text(PRODUCTION.replace("role: owner", "role: onwer"), encoding="utf-8")
    output = run(stack).output
    assert output.count("pulumi config set --secret neurmatic:") == 9
    stack.write_text(PRODUCTION + "environment: [shared]\n", encoding="utf-8")
    output = run(stack).output
    assert output.count("pulumi config set --secret") == 0
    assert "note: secrets still to set: neurmatic:cloudflare_api_token" in output


def test_a_copied_file_still_says_the_other_environment(stack: Path) -> None:
    output = written(stack, PRODUCTION.replace("environment: production", "environment: staging")).output
    assert 'neurmatic:environment: given "staging", but this is the stack production' in output
    assert written(stack.with_name("Pulumi.trial.yaml"), PRODUCTION).output.count("but this is the stack") == 0


def test_what_two_stacks_may_not_share(stack: Path) -> None:
    staging = STACKS[0].read_text(encoding="utf-8").replace("role: tenant", "role: owner")
    stack.with_name("Pulumi.staging.yaml").write_text(staging, encoding="utf-8")
    result = written(stack, PRODUCTION)
    assert result.exit_code == 1
    assert (
        f'neurmatic:edge.role: given "owner", but {stack.with_name("Pulumi.staging.yaml")} owns the zone'
        in result.output
    )


UNREADABLE = {
    "an unclosed list": ("config: [1\n", "not readable as YAML"),
    "a tab": ("config:\n\tneurmatic:host: 1\n", "a tab; indent with spaces"),
    "an anchor": ("config: &all\n  a: *all\n", "anchors and aliases are not used"),
    "a tag": ("config: !!python/object:os.system x\n", "tags (!...) are not used"),
    "a list on top": ("- 1\n", "a stack file is a mapping"),
    "text on top": ("hello", "a stack file is a mapping"),
    "two documents": ("a: 1\n---\nb: 1\n", "not readable as YAML"),
    "a key that is a list": ("? [a]\n: 1\n", "a key has to be text"),
    "NUL": ("config:\n  a: \0\n", "the character U+0000 does not belong"),
    "an escape character": ("config: \x1b[31m\n", "the character U+001B does not belong"),
    "no UTF-8": (b"config:\n  a: \xff\xfe\n", "byte 14 is not UTF-8"),
    "UTF-16": ("config: {}".encode("utf-16"), "is not UTF-8"),
    "too deep in brackets": ("config: " + "[" * 5000 + "]" * 5000, "nested more than 24 deep"),
    "too deep in lines": ("\n".join(" " * level + "a:" for level in range(300)), "nested more than 24 deep"),
    "too large": ("#" * 2_000_000, "larger than 1024 KB"),
    "a bad escape": ('config: "\\UFFFFFFFF"\n', "not readable as YAML"),
    "config is a list": ("config: []\n", "config: has to be a mapping of settings"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_one_sentence(stack: Path, name: str) -> None:
    content, sentence = UNREADABLE[name]
    result = written(stack, content)
    assert result.exit_code == 1
    assert sentence in result.output
    assert len(result.output.splitlines()) == 2


def test_an_empty_file_is_told_everything_it_needs(stack: Path) -> None:
    output = written(stack, "").output
    assert output.count(": not set; ") > 10
    assert "neurmatic:host.ssh.host_key: not set" in output


def test_a_file_that_belongs_to_no_system(tmp_path: Path) -> None:
    assert "config: is missing or no mapping" in written(tmp_path / "Pulumi.x.yaml", "").output
    output = written(tmp_path / "Pulumi.x.yaml", "config: {a:b: 1}\n").output
    assert "keys begin with neurmatic: or neuropilot:" in output


@pytest.mark.parametrize("project", ["name: [neurmatic]", "name: {a: b}", "- name", "name: \t[", "name: 5", ""])
def test_a_project_file_of_another_shape_is_left_to_pulumi(stack: Path, project: str) -> None:
    stack.with_name("Pulumi.yaml").write_text(project, encoding="utf-8")
    assert written(stack, PRODUCTION).exit_code == 0


@pytest.mark.parametrize("path", ["missing.yaml", ".", "x" * 5000, "a\0b", ""])
def test_what_is_no_file_is_one_sentence(tmp_path: Path, path: str) -> None:
    report = check_file(tmp_path / path, rehearsal=True)
    assert len(report.mistakes) == 1
    assert "cannot be read" in report.mistakes[0].text


SHAPES = {
    "a key twice": ("  neurmatic:data: protected\n  neurmatic:data: protected\n", "neurmatic:data: given twice"),
    "a huge number": (f"  neurmatic:data: {'9' * 5000}\n", "a number of more than 18 digits"),
    "an infinite number": ("  neurmatic:data: 1e999\n", "a number that is not finite"),
    "half a character": ('  neurmatic:data: "\\ud800"\n', "half a character"),
    "an empty name": ('  "neurmatic:": 1\n', "neurmatic:: there is no such key"),
    "a section twice": ("  neurmatic:host: {}\n", "neurmatic:host: given twice, first in line"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_odd_values_in_a_sound_file(stack: Path, name: str) -> None:
    addition, sentence = SHAPES[name]
    result = written(stack, PRODUCTION + addition)
    assert result.exit_code == 1
    assert sentence in result.output


def test_scalars_are_read_as_the_engine_reads_them(stack: Path) -> None:
    """YAML 1.1 would read these as 120, false and a date."""
    content = PRODUCTION + "  neurmatic:backup: {schedule: 02:00, before_deploy: no, max_age: 2026-11-21}\n"
    output = written(stack, content).output
    assert "backup.schedule" not in output
    assert 'neurmatic:backup.before_deploy: given "no"; allowed is true or false' in output
    assert 'neurmatic:backup.max_age: given "2026-11-21"; allowed is a time from' in output


# --- Fuzzing: whatever is in the file, the answer is lines that begin with its name.


def assert_sentences(path: Path, content: bytes) -> None:
    result = written(path, content)
    assert result.exit_code in (0, 1)
    for line in result.output.splitlines():
        assert line.startswith(str(path)), line
    assert "Traceback" not in result.output


@fuzz
@given(content=st.binary(max_size=400))
def test_any_bytes(stack: Path, content: bytes) -> None:
    assert_sentences(stack, content)


@fuzz
@given(content=st.text(alphabet="abc:{}[]&*!|>'\"#%@`,?- \n\t0123.\\", max_size=120))
def test_any_text_of_yaml_characters(stack: Path, content: str) -> None:
    assert_sentences(stack, f"config:\n  neurmatic:host:\n    {content}".encode())


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner))
NAMES = st.sampled_from([*NeurmaticSettings.model_fields, "sentry_dsn", "x"])


@fuzz
@given(config=st.dictionaries(NAMES.map("neurmatic:{}".format), TREES))
def test_any_structure(stack: Path, config: dict[str, Any]) -> None:
    assert_sentences(stack, yaml.safe_dump({"config": config}).encode("utf-8", "surrogatepass"))


@fuzz
@given(data=st.data())
def test_mutations_of_the_real_files(stack: Path, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(STACKS)).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        stop = min(len(content), start + data.draw(st.integers(0, 12)))
        content[start:stop] = data.draw(st.binary(max_size=6) | st.sampled_from([b"\n", b": ", b"  ", b"- ", b'"']))
    assert_sentences(stack, bytes(content))


@fuzz
@given(data=st.data())
def test_any_value_in_the_place_of_a_real_one(stack: Path, data: st.DataObject) -> None:
    document = yaml.safe_load(PRODUCTION)
    place, key = document["config"], data.draw(st.sampled_from(sorted(document["config"])))
    while isinstance(place[key], dict) and data.draw(st.booleans()):
        place, key = place[key], data.draw(st.sampled_from(sorted(place[key])))
    place[key] = data.draw(TREES)
    assert_sentences(stack, yaml.safe_dump(document).encode("utf-8", "surrogatepass"))


# --- As the operator runs it.


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_it_takes_less_than_a_second() -> None:
    """Of the processor's time: how busy the machine is otherwise says nothing about the command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert command("-m", "ops.check", "--rehearsal", "Pulumi.production.yaml").returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0


def test_it_needs_no_engine_and_no_provider() -> None:
    loaded = "import sys, ops.check; print([name for name in sys.modules if name.startswith(('pulumi', 'grpc'))])"
    assert command("-c", loaded).stdout.strip() == "[]"
