"""A stack whose state lies in S3 and whose secrets a KMS key guards, both served by moto, run by the real engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT
from moto.kms.models import kms_backends

from ops import engine
from ops.session import Session, say
from ops.target import Target

BUCKET, ALIAS = "team-pulumi-state", "alias/neurmatic-production"
BACKEND = f"s3://{BUCKET}?region=eu-west-1&awssdk=v2&use_path_style=true"
PROVIDER = f"awskms://{ALIAS}?region=eu-west-1"
PROGRAM = """
import os
import pathlib
import time

import pulumi

waiting = os.environ.get("WAIT_FOR")
if waiting:
    pathlib.Path(waiting + ".begun").touch()
    while not pathlib.Path(waiting).exists():
        time.sleep(0.05)


class Thing(pulumi.ComponentResource):
    def __init__(self, name, password):
        super().__init__("test:index:Thing", name, {"password": password})
        self.register_outputs({"password": password})


password = pulumi.Config("neurmatic").require_secret("password")
Thing("thing", password)
pulumi.export("password", password)
"""


@dataclass(frozen=True)
class Operator:
    """A laptop: a checkout, an engine's home, and credentials of the team's account."""

    folder: Path

    @property
    def session(self) -> Session:
        binaries = engine.ensure(say)
        kept = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        environment = {
            **kept,
            "HOME": str(self.folder),
            "PATH": os.pathsep.join([str(binaries), os.environ["PATH"]]),
            "PULUMI_BACKEND_URL": BACKEND,
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_HOME": str(self.folder / ".pulumi"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        return Session(Target("neurmatic", "production"), self.folder / "checkout", environment)

    @property
    def stack_file(self) -> Path:
        return self.folder / "checkout" / "Pulumi.production.yaml"

    def check_out(self, committed: str) -> Operator:
        checkout = self.folder / "checkout"
        checkout.mkdir(parents=True)
        runtime = {"name": "python", "options": {"virtualenv": sys.prefix}}
        (checkout / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "neurmatic", "runtime": runtime}))
        (checkout / "__main__.py").write_text(PROGRAM)
        self.stack_file.write_text(committed)
        return self

    def password(self) -> str:
        shown = self.session.ask("stack", "output", "--json", "--show-secrets")
        return str(json.loads(shown)["password"])

    def settled(self) -> bool:
        self.session.ask("preview", "--expect-no-changes")
        return True

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        session = self.session
        return subprocess.Popen(
            ["pulumi", "--non-interactive", *arguments, "--stack", "production"],
            cwd=session.folder,
            env={**session.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def s3() -> Any:
    return boto3.client("s3", region_name="eu-west-1")


def kms() -> Any:
    return boto3.client("kms", region_name="eu-west-1")


def lose_the_bucket() -> None:
    versions = s3().list_object_versions(Bucket=BUCKET)
    for each in (*versions.get("Versions", ()), *versions.get("DeleteMarkers", ())):
        s3().delete_object(Bucket=BUCKET, Key=each["Key"], VersionId=each["VersionId"])
    s3().delete_bucket(Bucket=BUCKET)


def lose_the_key() -> None:
    key = kms().describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"]
    kms().delete_alias(AliasName=ALIAS)
    # As when the waiting time of a deletion is over. moto goes on decrypting with a key that waits.
    del kms_backends[ACCOUNT]["eu-west-1"].keys[key]
