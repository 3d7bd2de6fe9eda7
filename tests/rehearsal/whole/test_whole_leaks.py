"""No secret of a whole stack stands anywhere but in its own file: not in the state, a plan, a log or a process list."""

from __future__ import annotations

import base64
import json
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ops.session import LOUDEST
from rehearsal.leaks.forms import Leak, Search
from rehearsal.leaks.machine import FOLDERS, look, sampling
from rehearsal.rotating import Rotation, secrets_now
from rehearsal.stackfile import laid_over
from rehearsal.whole import WholeStack

pytestmark = [pytest.mark.rehearsal, pytest.mark.engine, pytest.mark.slow]

CANARY = 'canary/it\'s+"a\\secret"&%é-0123456789-abcdefghij'
# What `./infra` passes on at most: with more, the engine itself writes secrets in plain text (ops/session.py).
LOUD = ("--diff", f"-v={LOUDEST}", "--logtostderr", "--logflow")
CONTAINER = "sudo docker run --rm --detach --name planted"
REDIS = "neurmatic-redis-production"


@pytest.fixture(scope="module")
def search(whole: WholeStack, rotation: Rotation) -> Search:
    """For what is secret now and for what was before the rotation."""
    known = {**rotation.before, **secrets_now(whole)}
    generated = [name for name in known if name.startswith("credentials-")]
    assert len(generated) >= 7
    assert {"neurmatic:cloudflare_api_token", "neurmatic:registry_token", "storage-uploads-key.secret"} <= set(known)
    return Search(known)


def told(leaks: list[Leak]) -> str:
    return "\n".join(sorted({str(leak) for leak in leaks}))


def in_files(search: Search, folder: Path) -> list[Leak]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files, folder
    return [leak for path in files for leak in search.find(path.read_bytes(), str(path))]


def one_more(whole: WholeStack, *names: str) -> dict[str, Any]:
    """Settings with the next version of each."""
    now = whole.settings.get("neurmatic:credentials", {}).get("generation", {})
    return {"neurmatic:credentials": {"generation": {name: now.get(name, 1) + 1 for name in names}}}


def test_the_state_and_what_is_beside_it(whole: WholeStack, search: Search) -> None:
    """Also its history, backups and locks; and the stack file and the plugins' own log."""
    workspace = whole.workspace
    leaks = [*in_files(search, workspace.backend), *in_files(search, workspace.project)]
    for log in workspace.home.glob("*.log"):
        leaks += search.find(log.read_bytes(), log.name)
    assert not leaks, told(leaks)


def test_what_the_rotation_said(rotation: Rotation, search: Search) -> None:
    said = (rotation.done.stdout + rotation.done.stderr).encode()
    assert b"credentials-postgres-2" in said
    leaks = list(search.find(said, "output"))
    assert not leaks, told(leaks)


def test_a_plan_with_everything_that_infra_lets_it_say(whole: WholeStack, search: Search) -> None:
    kept = whole.settings
    whole.settings = laid_over(kept, one_more(whole, "jwt", "redis", "uploads"))
    try:
        plan, data = whole.pulumi("preview", *LOUD), whole.pulumi("preview", "--json")
    finally:
        whole.settings = kept
        whole.prepared()
    assert plan.returncode == 0, plan.stderr[-3000:]
    assert "credentials-redis-3" in plan.stdout
    leaks = list(search.find((plan.stdout + plan.stderr).encode(), "preview"))
    leaks += search.find((data.stdout + data.stderr).encode(), "preview --json")
    assert not leaks, told(leaks)


def test_what_anybody_on_the_server_saw_run(rotation: Rotation, search: Search) -> None:
    seen = b"\n".join(rotation.sampled.texts)
    assert b"postgres-logins" in seen
    assert b"docker\0exec" in seen
    leaks = rotation.sampled.leaks(search)
    assert not leaks, told(leaks)


@pytest.mark.parametrize("what", ["files", "engine", "logs"])
def test_what_is_left_on_the_server(whole: WholeStack, search: Search, what: str) -> None:
    leaks = look(whole.machine, search, what, *(FOLDERS if what == "files" else ()))
    assert not leaks, told(leaks)


def test_nobody_else_opens_the_files_of_secrets(whole: WholeStack, rotation: Rotation) -> None:
    listed = whole.machine.ssh("sudo find /opt/neurmatic/infrastructure/secrets -type f -printf '%m %p\\n'").stdout
    files = listed.splitlines()
    assert len(files) >= 5
    assert not [line for line in files if line.split(" ")[0] not in ("400", "600")], listed


PLANTED = {
    "a world-readable file": ("files", f"printf %s {shlex.quote(CANARY)} >/tmp/planted", "rm /tmp/planted"),
    "base64 in a file": (
        "files",
        f"printf %s {base64.b64encode(b'x' + CANARY.encode()).decode()} >/var/tmp/planted",
        "rm /var/tmp/planted",
    ),
    "a URL in the journal": ("logs", f"logger -- 'postgres://u:{quote(CANARY, safe='')}@h'", "true"),
    "a container's variable": (
        "engine",
        f"{CONTAINER} --env PLANTED={shlex.quote(CANARY)} $(sudo docker inspect -f '{{{{.Image}}}}' {REDIS}) sleep 60",
        "sudo docker rm -f planted",
    ),
    "a container's log": (
        "logs",
        f"{CONTAINER} $(sudo docker inspect -f '{{{{.Image}}}}' {REDIS}) sh -c "
        f"{shlex.quote('printf %s ' + CANARY.encode().hex() + '; exec sleep 60')}",
        "sudo docker rm -f planted",
    ),
}


@pytest.mark.parametrize("kind", list(PLANTED))
def test_a_leak_that_was_planted_is_found(whole: WholeStack, kind: str) -> None:
    what, plant, remove = PLANTED[kind]
    whole.machine.ssh(plant)
    try:
        folders = FOLDERS if what == "files" else ()
        found = look(whole.machine, Search({"canary": CANARY}), what, *folders)
    finally:
        whole.machine.ssh(remove)
    assert {leak.secret for leak in found} == {"canary"}


def test_a_secret_in_a_command_line_or_in_anybodys_environment_is_found(whole: WholeStack) -> None:
    search = Search({"canary": CANARY})
    line = f"sh -c 'sleep 1; :' -- {shlex.quote(json.dumps(CANARY))}"
    theirs = f"sudo -u nobody env PLANTED={base64.b64encode(CANARY.encode()).decode()} sleep 1"
    for planted in (line, theirs):
        with sampling(whole.machine) as sampled:
            whole.machine.ssh(planted)
        assert sampled.leaks(search), planted
    with sampling(whole.machine) as sampled:
        whole.machine.ssh("sleep 1")
    assert not sampled.leaks(search)


def test_a_verbosity_that_shows_secrets_is_refused(whole: WholeStack) -> None:
    done = whole.infra("preview", "--", f"-v={LOUDEST + 1}", "--logtostderr")
    assert done.returncode == 1
    assert "secrets in plain text" in done.stderr


@pytest.mark.long
def test_an_up_with_everything_that_infra_lets_it_say(whole: WholeStack, rotation: Rotation) -> None:
    """With new versions of everything, so that each secret passes through the engine and every plugin."""
    kept, before = whole.settings, secrets_now(whole)
    whole.settings = laid_over(kept, one_more(whole, "redis", "jwt", "jwt_refresh", "session", "uploads", "dumps"))
    with sampling(whole.machine) as sampled:
        done = whole.pulumi("up", "--yes", "--skip-preview", *LOUD)
    assert done.returncode == 0, done.stderr[-3000:]
    search = Search({**before, **secrets_now(whole)})
    leaks = [*search.find(done.stdout.encode(), "stdout"), *search.find(done.stderr.encode(), "engine's log")]
    leaks += sampled.leaks(search)
    for what in ("files", "engine", "logs"):
        leaks += look(whole.machine, search, what, *(FOLDERS if what == "files" else ()))
    assert not leaks, told(leaks)
