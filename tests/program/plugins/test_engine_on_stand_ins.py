"""The engine's own commands on the stand-ins: nothing differs from what the real plugins would show."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import Tiny

pytestmark = pytest.mark.engine

EVERYTHING = """
at = lambda provider: pulumi.ResourceOptions(provider=provider)
a = aws.Provider("a", region="eu-west-1", access_key="rehearsal-k", secret_key="rehearsal-s")
c = cf.Provider("c", api_token="rehearsal-t")
d = docker.Provider("d", host="unix:///nowhere.sock")
bucket = aws.s3.Bucket("data", opts=at(a))
aws.s3.BucketVersioning("v", bucket=bucket.bucket, versioning_configuration={"status": "Enabled"}, opts=at(a))
user = aws.iam.User("u", opts=at(a))
document = aws.iam.get_policy_document_output(
    statements=[{"actions": ["s3:PutObject"], "resources": [bucket.arn]}], opts=pulumi.InvokeOptions(provider=a))
aws.iam.UserPolicy("p", user=user.name, policy=document.json, opts=at(a))
key = aws.iam.AccessKey("k", user=user.name, opts=at(a))
cf.DnsRecord("r", zone_id="z", name="www", type="A", content="192.0.2.1", ttl=1, proxied=True, opts=at(c))
cf.Ruleset("w", zone_id="z", kind="zone", name="n", phase="http_request_firewall_custom",
           rules=[{"action": "block", "expression": "true", "description": "d"}], opts=at(c))
net = docker.Network("n", opts=at(d))
docker.Container("web", image="x@sha256:1", envs=["A=1"], ports=[{"internal": 80, "external": 80}],
                 networks_advanced=[{"name": net.name}], opts=at(d))
password = random.RandomPassword("pw", length=24)
command.local.Command("c", create="echo made", delete="echo gone")
k = tls.PrivateKey("k", algorithm="ED25519")
cert = tls.SelfSignedCert("cert", private_key_pem=k.private_key_pem, allowed_uses=["server_auth"],
                          validity_period_hours=24, subject={"common_name": "x"})
pulumi.export("password", password.result)
pulumi.export("secret", key.secret)
pulumi.export("arn", bucket.arn)
pulumi.export("document", document.json)
"""


def test_up_then_preview_refresh_and_destroy_show_nothing_unexpected(tiny: Tiny) -> None:
    tiny.write(EVERYTHING)
    printed = tiny.pulumi("up", "--yes", "--skip-preview")
    assert "+ 17 created" in printed or "created" in printed
    outputs = tiny.outputs()
    assert len(outputs["password"]) == 24
    assert outputs["secret"].startswith("rehearsal-")
    assert outputs["arn"].startswith("arn:aws:s3:::data-")
    assert outputs["arn"] in outputs["document"]
    assert outputs["password"] not in tiny.pulumi("stack", "export"), "a secret output is in the state in plain text"
    tiny.pulumi("preview", "--expect-no-changes")
    tiny.pulumi("refresh", "--yes", "--expect-no-changes")
    tiny.pulumi("preview", "--expect-no-changes")
    tiny.pulumi("destroy", "--yes", "--skip-preview")
    clouds = Path(tiny.environment["PULUMI_HOME"]) / "clouds"
    assert not [file for file in clouds.rglob("*") if file.is_file()]


def test_what_a_refresh_finds_changed_is_shown_and_put_right(tiny: Tiny) -> None:
    program = 'cf.DnsRecord("r", zone_id="z", name="www", type="A", content="192.0.2.1", ttl=1,'
    program += 'opts=pulumi.ResourceOptions(provider=cf.Provider("c", api_token="rehearsal-t")))'
    tiny.write(program)
    tiny.pulumi("up", "--yes", "--skip-preview")
    (record,) = (Path(tiny.environment["PULUMI_HOME"]) / "clouds" / "cloudflare" / "DnsRecord").iterdir()
    record.write_text(record.read_text().replace("192.0.2.1", "198.51.100.7"))
    assert "~ 1 updated" in tiny.pulumi("refresh", "--yes", "--skip-preview")
    assert "198.51.100.7" in tiny.pulumi("preview", "--diff")
    tiny.pulumi("up", "--yes", "--skip-preview")
    assert "192.0.2.1" in record.read_text()
    record.unlink()
    assert "- 1 deleted" in tiny.pulumi("refresh", "--yes", "--skip-preview")


def test_an_existing_object_is_imported_by_its_id(tiny: Tiny) -> None:
    provider = 'a = aws.Provider("a", region="eu-west-1", access_key="rehearsal-k", secret_key="rehearsal-s")\n'
    bucket = 'aws.s3.Bucket("b", bucket="kept", tags={"a": "b"}, opts=pulumi.ResourceOptions(provider=a%s))\n'
    tiny.write(provider + bucket % ", retain_on_delete=True")
    tiny.pulumi("up", "--yes", "--skip-preview")
    tiny.write(provider)
    tiny.pulumi("up", "--yes", "--skip-preview")
    tiny.write(provider + bucket % "")
    assert "BucketAlreadyOwnedByYou" in tiny.pulumi("up", "--yes", "--skip-preview", succeeds=False)
    tiny.write(provider + bucket % ', import_="kept"')
    assert "= 1 imported" in tiny.pulumi("up", "--yes", "--skip-preview")
    tiny.pulumi("preview", "--expect-no-changes")
    tiny.write(provider + bucket.replace("kept", "lost") % ', import_="lost"')
    assert "does not exist" in tiny.pulumi("preview", succeeds=False)


def test_the_order_of_a_replacement_is_the_real_plugins(tiny: Tiny) -> None:
    program = 'd = docker.Provider("d", host="unix:///nowhere.sock")\n'
    program += 'docker.Container("web", image="%s", opts=pulumi.ResourceOptions(provider=d%s))\n'
    tiny.write(program % ("x@sha256:1", ""))
    tiny.pulumi("up", "--yes", "--skip-preview")
    tiny.write(program % ("x@sha256:2", ""))
    printed = tiny.pulumi("up", "--yes", "--skip-preview")
    assert printed.index(" deleted original") < printed.index(" created replacement")
    tiny.write(program % ("x@sha256:3", ", delete_before_replace=False"))
    printed = tiny.pulumi("up", "--yes", "--skip-preview")
    assert printed.index(" created replacement") < printed.index(" deleted original")


def test_two_providers_of_one_plugin_keep_their_own_settings(tiny: Tiny) -> None:
    tiny.write("""
for region in ("eu-west-1", "us-west-2"):
    provider = aws.Provider(region, region=region, access_key="rehearsal-k", secret_key="rehearsal-s")
    bucket = aws.s3.Bucket(f"in-{region}", opts=pulumi.ResourceOptions(provider=provider))
    pulumi.export(region, bucket.region)
""")
    tiny.pulumi("up", "--yes", "--skip-preview")
    assert tiny.outputs() == {"eu-west-1": "eu-west-1", "us-west-2": "us-west-2"}


def test_mistakes_name_the_property_and_what_is_meant(tiny: Tiny) -> None:
    provider = 'd = docker.Provider("d", host="unix:///nowhere.sock")\nat = pulumi.ResourceOptions(provider=d)\n'
    tiny.write(provider + 'docker.Container("web", image="x", ports=[{"internal": "eighty"}], opts=at)')
    printed = tiny.pulumi("preview", succeeds=False)
    assert "ports[0].internal must be a whole number, but is a string" in printed
    tiny.write(provider + 'pulumi.CustomResource("docker:index/volume:Volume", "v", {"drvier": "local"}, at)')
    printed = tiny.pulumi("preview", succeeds=False)
    assert "drvier is not a known property. Did you mean driver?" in printed
    tiny.write(provider + 'pulumi.CustomResource("docker:index/volumes:Volumes", "v", {}, at)')
    printed = tiny.pulumi("preview", succeeds=False)
    assert "docker:index/volumes:Volumes is unknown: pulumi-docker as installed has no such type" in printed


def test_a_failing_command_prints_all_it_wrote_and_its_successor_does_not_start(tiny: Tiny) -> None:
    tiny.write("""
a = command.local.Command("a", create="echo first; exit 3")
command.local.Command("b", create="echo second", opts=pulumi.ResourceOptions(depends_on=[a]))
""")
    printed = tiny.pulumi("up", "--yes", "--skip-preview", succeeds=False)
    assert 'exit status 3: running "echo first; exit 3"' in printed
    assert "second" not in printed


@pytest.mark.parametrize(
    ("provider", "key"),
    [
        ('cf.Provider("p", api_token="v1.0-0123456789abcdef")', "apiToken"),
        ('aws.Provider("p", access_key="AKIAIOSFODNN7EXAMPLE", secret_key="rehearsal-x")', "accessKey"),
        ('docker.Provider("p", registry_auth=[{"address": "r", "username": "u", "password": "p4ss"}])', "registryAuth"),
    ],
)
def test_real_credentials_are_refused_and_never_printed(tiny: Tiny, provider: str, key: str) -> None:
    tiny.write(provider)
    printed = tiny.pulumi("preview", succeeds=False)
    assert f"{key} is not a rehearsal value" in printed
    assert "0123456789abcdef" not in printed
    assert "IOSFODNN7" not in printed
    assert "p4ss" not in printed


def test_an_unknown_setting_of_a_provider_suggests_the_right_one(tiny: Tiny) -> None:
    tiny.pulumi("config", "set", "docker:hst", "unix:///x")
    tiny.write('docker.Network("n")')
    assert "hst is not a known property. Did you mean host?" in tiny.pulumi("preview", succeeds=False)


def test_a_stack_outside_the_rehearsal_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    other = tmp_path / "real-state"
    other.mkdir()
    tiny.environment["PULUMI_BACKEND_URL"] = f"file://{other}"
    tiny.write('random.RandomId("r", byte_length=4)')
    tiny.pulumi("stack", "init", "production")
    printed = tiny.pulumi("preview", succeeds=False)
    assert "which is not the rehearsal's own backend: a real stack needs the official plugins" in printed


def test_a_home_that_is_no_rehearsal_is_refused(tiny: Tiny) -> None:
    (Path(tiny.environment["PULUMI_HOME"]) / "rehearsal.json").unlink()
    tiny.write('random.RandomId("r", byte_length=4)')
    assert "a real stack needs the official plugin" in tiny.pulumi("preview", succeeds=False)


def test_a_corrupt_object_gets_a_sentence(tiny: Tiny) -> None:
    tiny.write('docker.Volume("v", opts=pulumi.ResourceOptions(provider=docker.Provider("d")))')
    tiny.pulumi("up", "--yes", "--skip-preview")
    (volume,) = (Path(tiny.environment["PULUMI_HOME"]) / "clouds" / "docker" / "Volume").iterdir()
    volume.write_text("{half")
    assert "delete it, and refresh the stack" in tiny.pulumi("refresh", "--yes", succeeds=False)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_running_when_the_engine_ends(tiny: Tiny, ending: signal.Signals) -> None:
    tiny.write('command.local.Command("c", create="echo $$ > pid; sleep 600")')
    engine = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"],
        cwd=tiny.folder,
        env=tiny.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _until(lambda: (tiny.folder / "pid").exists() and (tiny.folder / "pid").read_text().strip() != "")
    assert _of_this(tiny), "the plugin server runs while the command does"
    engine.send_signal(ending)
    engine.wait(120)
    _until(lambda: not _of_this(tiny))
    assert not _alive((tiny.folder / "pid").read_text().strip()), "the command outlived the engine"


def _alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _until(condition: "object", seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def _of_this(tiny: Tiny) -> list[str]:
    """List the processes that serve this rehearsal's plugins."""
    home, found = tiny.environment["PULUMI_HOME"], []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words, env = (entry / "cmdline").read_text(), (entry / "environ").read_text()
            except OSError:
                continue
            if "rehearsal" in words and "plugins" in words and home in env:
                found.append(words)
    return found
