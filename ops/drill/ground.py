"""Where the engine works on a stack that is brought back: the real backend, a rehearsal, or a drill's own folder."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from neurmatic.settings import NeurmaticSettings
from ops import engine
from ops.deploy import stackedit
from ops.drill.lost import DUMPS, key_of
from ops.drill.newserver import NewServer
from ops.errors import OperatorError
from ops.escrow.envelope import Envelope
from ops.escrow.restore import OLD_KEY, OLD_SECRET
from ops.session import Session, open_session, say, with_policies
from ops.stackcheck import check_file
from ops.target import ROOT, Target
from rehearsal.stackfile import without_secrets
from rehearsal.workspace import Workspace, machine_of, write

OPERATORS_OWN = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY", "CLOUDFLARE_EMAIL")
APART = ROOT / ".toolchain" / "drills" / "apart"
PROVIDER = re.compile(r"^secretsprovider: .*\n", re.MULTILINE)
IPV6 = re.compile(r"^    ipv6: .*\n", re.MULTILINE)
# A rehearsal knows its machine by itself.
OF_THE_MACHINE = ("address", "ssh", "capacity", "deploy", "ipv4", "ipv6")


def stack_file_of(envelope: Envelope) -> str:
    name = f"Pulumi.{envelope.about.stack}.yaml"
    if name not in envelope.files:
        raise OperatorError(f"The envelope holds no {name}: it is none of a stack that can be brought back.")
    return envelope.files[name]


def settings_in(envelope: Envelope, rehearsal: bool) -> NeurmaticSettings:
    """As they were when the envelope was written."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"Pulumi.{envelope.about.stack}.yaml"
        path.write_text(stack_file_of(envelope))
        report = check_file(path, rehearsal=rehearsal)
    if not isinstance(report.settings, NeurmaticSettings):
        why = "; ".join(each.text for each in report.mistakes[:3]) or "it is not of neurmatic"
        raise OperatorError(
            f"The stack file of {envelope.about.written} does not fit this checkout ({why}): check out commit "
            f"{envelope.about.commit}, which it was written by, and call this again."
        )
    return report.settings


def with_server(envelope: Envelope, new: NewServer) -> str:
    """The envelope's stack file with another server in it; everything else stays as it is."""
    text = stack_file_of(envelope)
    host, ssh = ("neurmatic:host",), ("neurmatic:host", "ssh")
    values = {"address": new.address, "ipv4": new.ipv4, **({"ipv6": quoted(new.ipv6)} if new.ipv6 else {})}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"Pulumi.{envelope.about.stack}.yaml"
        path.write_text(text)
        path.write_text(stackedit.written(path, host, values))
        result = stackedit.written(path, ssh, {"user": new.user, "host_key": new.host_key})
    result = result if new.ipv6 else IPV6.sub("", result, count=1)
    if new.ipv6 is None and yaml.safe_load(result)["config"]["neurmatic:host"].get("ipv6"):
        raise OperatorError(
            f"neurmatic:host in {path.name} has an ipv6 address that is not written as a line of its own, and AAAA "
            "records would lead to the old server: give the new one's by --ipv6."
        )
    return result


def quoted(text: str) -> str:
    return f'"{text}"'


def real(target: Target, envelope: Envelope, new: NewServer) -> Session:
    """The stack file of the checkout becomes the envelope's, with the new server."""
    path = target.stack_file()
    before, text = path.read_text(), stack_file_of(envelope)
    if without_secrets(yaml.safe_load(before)) != without_secrets(yaml.safe_load(text)):
        say(f"{path.name} was another one on {envelope.about.written}: that one counts. `git diff` shows what differs.")
    write(path, with_server(envelope, new))
    return open_session(target)


def rehearsed(target: Target, envelope: Envelope, new: NewServer) -> Session:
    config: Mapping[str, Any] = without_secrets(yaml.safe_load(stack_file_of(envelope))["config"])
    kept = {key: value for key, value in config.items() if key.startswith(f"{target.system}:")}
    host = {key: value for key, value in kept[f"{target.system}:host"].items() if key not in OF_THE_MACHINE}
    kept[f"{target.system}:host"] = {**host, "ipv4": new.ipv4}
    name = target.rehearsal or "default"
    Workspace(target.source, name, machine_of(name)).keep(kept)
    return open_session(target)


@contextmanager
def apart(target: Target, envelope: Envelope, new: NewServer) -> Iterator[Session]:
    """A drill beside the living: its own state and its own stack file, gone afterwards. The backend is not touched."""
    place = APART / f"{target.system}-{target.stack}"
    shutil.rmtree(place, ignore_errors=True)
    folder, state = place / "project", place / "state"
    folder.mkdir(parents=True)
    state.mkdir()
    try:
        (folder / "Pulumi.yaml").write_text(project_file(envelope, target))
        path = folder / f"Pulumi.{target.stack}.yaml"
        text = OLD_SECRET.sub("", OLD_KEY.sub("", PROVIDER.sub("", with_server(envelope, new))))
        path.write_text(quiet(text, target.system))
        environment = with_policies(engine.environment(powerless(os.environ, envelope), engine.ensure(say)))
        # The passphrase is known to this process alone: what lies in the folder meanwhile is of no use to anybody.
        own = {"PULUMI_BACKEND_URL": f"file://{state}", "PULUMI_CONFIG_PASSPHRASE": secrets.token_hex(32)}
        yield Session(target, folder, {**environment, **own})
    finally:
        shutil.rmtree(place, ignore_errors=True)


def powerless(environment: Mapping[str, str], envelope: Envelope) -> dict[str, str]:
    """The engine comes to AWS with the server's key, which reads and adds dumps and can do nothing else: whatever goes
    wrong in a drill, there is nothing that it could change."""
    kept = {name: value for name, value in environment.items() if name not in OPERATORS_OWN}
    key = key_of(envelope.state, DUMPS)
    return {**kept, "AWS_ACCESS_KEY_ID": key[0], "AWS_SECRET_ACCESS_KEY": key[1]} if key else kept


def project_file(envelope: Envelope, target: Target) -> str:
    project = yaml.safe_load(envelope.files["Pulumi.yaml"])
    project.pop("backend", None)
    project["main"] = str(target.source)
    project["runtime"]["options"]["virtualenv"] = str(ROOT / ".venv")
    return str(yaml.safe_dump(project, sort_keys=False))


def quiet(text: str, system: str) -> str:
    """Nobody is told by Slack or mail what happens on a drill's server."""
    document = yaml.safe_load(text)
    backup = document["config"].get(f"{system}:backup") or {}
    document["config"][f"{system}:backup"] = {key: value for key, value in backup.items() if key != "notify"}
    if not document["config"][f"{system}:backup"]:
        del document["config"][f"{system}:backup"]
    return yaml.safe_dump(document, sort_keys=False)
