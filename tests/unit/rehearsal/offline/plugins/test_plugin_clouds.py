"""The types that only keep state: what they refuse, what replaces them, what they remember."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Opened

from rehearsal.offline.install import _installed_version, _site
from rehearsal.offline.plugins.behaviour import RULES, Rules
from rehearsal.offline.plugins.diff import compare
from rehearsal.offline.plugins.kept import Kept, Subject
from rehearsal.offline.plugins.schema import Schema
from rehearsal.offline.plugins.session import Session

BUCKET = "aws:s3/bucket:Bucket"
RECORD = "cloudflare:index/dnsRecord:DnsRecord"
WWW = {"zoneId": "z", "name": "www", "type": "A", "content": "192.0.2.1", "ttl": 1}


def made(driver: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    """Check and create; give the answer."""
    checked = driver.play({"do": "check", "with": inputs})
    assert "inputs" in checked, checked
    return dict(driver.play({"do": "create"}))


def changed(driver: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    """Check other inputs and give what would change."""
    checked = driver.play({"do": "check", "with": inputs})
    assert "inputs" in checked, checked
    return dict(driver.play({"do": "diff"}))


@pytest.mark.parametrize("token", sorted(RULES))
def test_the_table_names_only_what_the_installed_sdks_have(
    token: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    plugin = token.split(":", maxsplit=1)[0]
    cache = tmp_path_factory.getbasetemp() / "schemas"
    entry = Schema(plugin, _installed_version(plugin), _site(), cache).resource(token)
    rules = RULES[token]
    nested = {name for properties in entry["objects"].values() for name in properties}
    assert (rules.replaces - {"*"}) | rules.unique_by <= entry["inputs"].keys()
    assert rules.in_place | rules.defaults.keys() <= entry["inputs"].keys()
    assert rules.unordered <= entry["inputs"].keys() | nested
    assert rules.computed.keys() <= entry["outputs"].keys()


@pytest.mark.parametrize(
    ("token", "inputs", "change", "replaces"),
    [
        (BUCKET, {"bucket": "a"}, {"bucket": "b"}, True),
        (BUCKET, {"bucket": "a"}, {"tags": {"x": "y"}}, False),
        (BUCKET, {"bucket": "a"}, {"objectLockEnabled": True}, True),
        ("aws:iam/user:User", {"name": "a"}, {"name": "b"}, False),
        ("aws:iam/userPolicy:UserPolicy", {"user": "u", "policy": "{}"}, {"policy": '{"a":1}'}, False),
        ("aws:iam/accessKey:AccessKey", {"user": "u"}, {"user": "v"}, True),
        (RECORD, WWW, {"content": "192.0.2.2"}, False),
        (RECORD, WWW, {"type": "CNAME"}, True),
        (RECORD, WWW, {"zoneId": "y"}, True),
        (
            "cloudflare:index/ruleset:Ruleset",
            {"zoneId": "z", "kind": "zone", "name": "n", "phase": "p", "rules": []},
            {"rules": [{"action": "block", "expression": "true"}]},
            False,
        ),
        (
            "cloudflare:index/ruleset:Ruleset",
            {"zoneId": "z", "kind": "zone", "name": "n", "phase": "p"},
            {"phase": "q"},
            True,
        ),
        (
            "cloudflare:index/zoneSetting:ZoneSetting",
            {"zoneId": "z", "settingId": "ssl", "value": "full"},
            {"value": "strict"},
            False,
        ),
        (
            "cloudflare:index/zoneSetting:ZoneSetting",
            {"zoneId": "z", "settingId": "ssl", "value": "full"},
            {"settingId": "tls_1_3"},
            True,
        ),
    ],
)
def test_what_replaces(opened: Opened, token: str, inputs: dict[str, Any], change: Any, replaces: bool) -> None:
    driver = opened(token.split(":", maxsplit=1)[0], token)
    made(driver, inputs)
    answer = changed(driver, {**inputs, **change})
    assert answer["changes"]
    assert answer["replaces"] is replaces
    assert {path.split("[")[0].split(".")[0] for path in answer["paths"]} == set(change)


def test_the_same_policy_in_other_words_is_no_change(opened: Opened) -> None:
    driver = opened("aws", "aws:s3/bucketPolicy:BucketPolicy")
    made(driver, {"bucket": "b", "policy": '{"Version": "2012-10-17", "Statement": []}'})
    assert not changed(driver, {"bucket": "b", "policy": '{"Statement":[],"Version":"2012-10-17"}'})["changes"]
    assert not changed(driver, {"bucket": "b", "policy": {"Version": "2012-10-17", "Statement": []}})["changes"]
    assert changed(driver, {"bucket": "b", "policy": {"Version": "2008-10-17", "Statement": []}})["changes"]


@pytest.mark.parametrize(
    ("token", "inputs", "reason"),
    [
        (RECORD, {**WWW, "ttl": "soon"}, "ttl must be a number, but is a string."),
        (RECORD, {**WWW, "proxied": "yes"}, "proxied must be true or false, but is a string."),
        (RECORD, {"name": "www", "type": "A", "ttl": 1}, "zoneId is required, but was not given."),
        (RECORD, {**WWW, "data": {"prot": 5}}, "data.prot is not a known property. Did you mean data.port?"),
        (RECORD, {**WWW, "tags": "x"}, "tags must be a list, but is a string."),
        (BUCKET, {"corsRules": [{"allowedMethods": ["GET"]}]}, "corsRules[0].allowedOrigins is required"),
        (BUCKET, {"tags": {"a": {}}}, "tags.a must be a string, but is an object."),
        (
            "aws:iam/userPolicy:UserPolicy",
            {"user": "u", "policy": {"Version": "2012-10-17"}},
            "policy.Statement is required",
        ),
        (
            "aws:iam/userPolicy:UserPolicy",
            {"user": "u", "policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Permit"}]}},
            "policy.Statement[0].Effect must be one of Allow, Deny, but is a string.",
        ),
        (
            "cloudflare:index/ruleset:Ruleset",
            {"kind": "zone", "name": "n", "phase": "p", "rules": [{"action": "block", "expresion": "true"}]},
            "Did you mean rules[0].expression?",
        ),
    ],
)
def test_a_mistake_is_named_by_its_path(opened: Opened, token: str, inputs: dict[str, Any], reason: str) -> None:
    answer = opened(token.split(":", maxsplit=1)[0], token).play({"do": "check", "with": inputs})
    assert any(reason in failure for failure in answer["failures"]), answer


def test_a_wrong_value_is_never_repeated(opened: Opened) -> None:
    answer = opened("cloudflare", RECORD).play({"do": "check", "with": {**WWW, "ttl": "hunter2", "proxied": "hunter2"}})
    assert len(answer["failures"]) == 2
    assert "hunter2" not in str(answer)


def test_a_generated_name_stays_until_the_resource_is_replaced(opened: Opened) -> None:
    driver = opened("aws", BUCKET)
    driver.name = "Data"
    first = made(driver, {})["properties"]["bucket"]
    assert first.startswith("data-")
    assert len(first) == len("data-") + 7
    driver.seed = b"y" * 32
    again = driver.play({"do": "check", "with": {"tags": {"a": "b"}}})["inputs"]
    assert (again["bucket"], again["__defaults"]) == (first, ["bucket"])
    driver.inputs = {}
    assert driver.play({"do": "check", "with": {}})["inputs"]["bucket"] != first
    driver.seed = b"x" * 32
    assert driver.play({"do": "check", "with": {}})["inputs"]["bucket"] == first, "the engine's seed decides"
    assert driver.play({"do": "check", "with": {"bucketPrefix": "p-"}})["inputs"].get("bucket") is None


def test_a_name_fixed_by_hand_goes_before_its_successor_comes(opened: Opened) -> None:
    driver = opened("aws", "aws:iam/policy:Policy")
    made(driver, {"name": "p", "policy": "{}", "description": "a"})
    assert changed(driver, {"name": "p", "policy": "{}", "description": "b"})["deleteFirst"]
    other = opened("aws", "aws:iam/policy:Policy")
    other.name = "unnamed"
    made(other, {"policy": "{}", "description": "a"})
    assert not changed(other, {"policy": "{}", "description": "b"})["deleteFirst"]


def test_two_of_one_name_are_refused_in_the_clouds_words(opened: Opened) -> None:
    made(opened("aws", BUCKET), {"bucket": "taken"})
    assert "BucketAlreadyOwnedByYou" in made(opened("aws", BUCKET), {"bucket": "taken"})["error"]
    container = "docker:index/container:Container"
    made(opened("docker", container), {"name": "web", "image": "x"})
    assert (
        'The container name "/web" is already in use'
        in made(opened("docker", container), {"name": "web", "image": "x"})["error"]
    )


def test_a_zone_has_one_ruleset_per_phase(opened: Opened) -> None:
    token, rules = "cloudflare:index/ruleset:Ruleset", {"kind": "zone", "name": "n", "phase": "p", "zoneId": "z"}
    made(opened("cloudflare", token), rules)
    refused = made(opened("cloudflare", token), {**rules, "name": "other"})
    assert refused["error"] == "exceeded maximum number of zone rulesets for phase p: 1"
    assert "id" in made(opened("cloudflare", token), {**rules, "phase": "q"})
    assert "id" in made(opened("cloudflare", token), {**rules, "zoneId": "y"})
    made(opened("cloudflare", RECORD), WWW)
    assert made(opened("cloudflare", RECORD), WWW)["error"] == "An identical record already exists."
    assert "id" in made(opened("cloudflare", RECORD), {**WWW, "content": "192.0.2.2"})


def test_what_was_made_is_read_back_and_imported_by_id(opened: Opened) -> None:
    driver = opened("cloudflare", RECORD)
    record = made(driver, {**WWW, "comment": "c"})
    read = opened("cloudflare", RECORD).play({"do": "read", "import": record["id"]})
    assert read["inputs"]["comment"] == "c"
    assert read["properties"] == record["properties"]
    assert opened("cloudflare", RECORD).play({"do": "read", "import": "none"})["id"] == ""
    driver.play({"do": "delete"})
    assert driver.play({"do": "read"})["id"] == ""
    driver.play({"do": "delete"})


def test_an_update_keeps_what_the_cloud_computed_and_drops_what_is_no_longer_given(opened: Opened) -> None:
    driver = opened("cloudflare", RECORD)
    before = made(driver, {**WWW, "comment": "c"})["properties"]
    driver.play({"do": "check", "with": {**WWW, "content": "192.0.2.9"}})
    after = driver.play({"do": "update"})["properties"]
    assert (after["content"], after.get("comment")) == ("192.0.2.9", None)
    assert after["createdOn"] == before["createdOn"]


def test_a_preview_knows_the_inputs_and_nothing_that_the_cloud_decides(opened: Opened) -> None:
    driver = opened("aws", BUCKET)
    driver.play({"do": "check", "with": {"bucket": "b", "tags": {"a": {"$": "unknown"}}}})
    planned = driver.play({"do": "preview"})["properties"]
    assert planned["bucket"] == "b"
    assert planned["arn"] == {"$": "unknown"}
    assert planned["tags"] == {"a": {"$": "unknown"}}
    assert not list(Path(driver.identity or "nothing").glob("*"))


def test_an_access_key_is_a_rehearsal_value_and_secret(opened: Opened) -> None:
    key = made(opened("aws", "aws:iam/accessKey:AccessKey"), {"user": "u"})
    assert key["id"].startswith("AKIAREHEARSAL")
    assert key["properties"]["secret"]["$"] == "secret"
    assert key["properties"]["secret"]["value"].startswith("rehearsal-")


def test_an_object_file_that_was_cut_short_gets_a_sentence(opened: Opened, tmp_path: Path) -> None:
    driver = opened("cloudflare", RECORD)
    made(driver, WWW)
    (file,) = (tmp_path / "clouds" / "cloudflare" / "DnsRecord").iterdir()
    for text in ("{", "[]", "", '{"id": 1}'):
        file.write_text(text)
        error = driver.play({"do": "read"})["error"]
        assert str(file) in error
        assert "delete it, and refresh the stack" in error


def test_object_files_are_for_their_owner_only(opened: Opened, tmp_path: Path) -> None:
    made(opened("aws", "aws:iam/accessKey:AccessKey"), {"user": "u"})
    (file,) = (tmp_path / "clouds" / "aws" / "AccessKey").iterdir()
    assert file.stat().st_mode & 0o077 == 0


def test_a_type_that_the_sdk_does_not_have_gets_a_sentence(opened: Opened) -> None:
    for token in ("cloudflare:index/nothing:Nothing", "aws:s3/bukcet:Bukcet", "aws:nowhere/bucket:Bucket"):
        answer = opened(token.split(":")[0], token).play({"do": "check", "with": {}})
        assert answer["error"].startswith(f"{token} is unknown")


def test_a_zone_that_exists_is_adopted_by_its_id(opened: Opened) -> None:
    zone = opened("cloudflare", "cloudflare:index/zone:Zone").play({"do": "read", "import": "0" * 32})
    assert (zone["id"], zone["inputs"]["name"], zone["properties"]["status"]) == (
        "0" * 32,
        "neurmatic.example",
        "active",
    )
    assert opened("cloudflare", "cloudflare:index/zone:Zone").play({"do": "read", "import": "1" * 32})["id"] == ""


def test_all_tags_follow_the_tags(opened: Opened) -> None:
    driver = opened("aws", BUCKET)
    assert made(driver, {"tags": {"a": "b"}})["properties"]["tagsAll"] == {"a": "b"}
    driver.play({"do": "check", "with": {"tags": {"a": "c"}}})
    assert driver.play({"do": "update"})["properties"]["tagsAll"] == {"a": "c"}


@pytest.mark.parametrize(
    ("ignored", "left"),
    [
        ("rules", set()),
        ("rules[*].description", {"rules[0].expression"}),
        ("rules[0]", {"rules[1].description.x"}),
        ("rule", {"rules[0].description", "rules[0].expression", "rules[1].description.x"}),
        ("rules[1].description.x", {"rules[0].description", "rules[0].expression"}),
    ],
)
def test_only_the_ignored_path_is_ignored(ignored: str, left: set[str]) -> None:
    old = {"rules": [{"description": "a", "expression": "b"}, {"description": {"x": 1}}]}
    new = {"rules": [{"description": "A", "expression": "B"}, {"description": {"x": 2}}]}
    found = compare(old, new, Rules(frozenset({"rules"})), [ignored])
    assert set(found.paths) == left
    assert bool(found.replaces) is bool(found.paths)


PREVIEWS = """
import sys
sys.path[:0] = [{here!r}]
from plugin_driver import ENGINE, SSH, ZONE, stand_in
from pathlib import Path
home = Path({home!r})
for plugin, token, inputs in (
    ("command", "command:remote:Command", {{"connection": {{"host": "127.0.0.1"}}, "create": "true"}}),
    ("docker", "docker:index/container:Container", {{"image": "x"}}),
    ("aws", "aws:s3/bucket:Bucket", {{"bucket": "b"}}),
    ("cloudflare", "cloudflare:index/zoneSetting:ZoneSetting", {{"zoneId": ZONE, "settingId": "ssl", "value": "full"}}),
):
    driver, server = stand_in(plugin, home, machine=(*SSH, *ENGINE), clouds=home / "emulated")
    driver.configure({{}})
    driver.token = token
    assert "inputs" in driver.play({{"do": "check", "with": inputs}})
    assert "properties" in driver.play({{"do": "preview"}})
    server.stop(None)
print(sorted({{name.split(".")[0] for name in sys.modules}} & {{"boto3", "docker", "paramiko", "requests"}}))
print((home / "emulated").exists())
"""


def test_a_preview_loads_no_client_and_starts_no_cloud(tmp_path: Path) -> None:
    program = PREVIEWS.format(here=str(Path(__file__).parent), home=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "False"]


def test_a_type_that_nothing_stands_behind_says_so(tmp_path: Path) -> None:
    """Where its plugin acts on the others: what is not made must not look as if it were."""
    token = "docker:index/service:Service"
    noted: list[tuple[str, str]] = []
    schema = Schema("docker", _installed_version("docker"), _site(), tmp_path / "schemas").resource(token)

    def note(_urn: str, line: str, severity: str = "info") -> None:
        noted.append((severity, line))

    for marker in ({}, {"machine": ["192.0.2.1"]}):
        session = Session(str(tmp_path), {"PULUMI_HOME": str(tmp_path)}, note, marker)
        Kept().create(Subject(token, "s", "urn", schema, Rules(), session), {"name": "s"})
    assert noted == [("warning", f"{token} is not emulated: its state is kept, and nothing is made.")]
