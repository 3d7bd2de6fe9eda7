"""Which passwords Redis takes, changed while it runs. Standard library only: it runs on the server.

    redis-logins accept    one more password is valid, now and after a restart; it is read from standard input
    redis-logins withdraw  that password is no longer valid, unless a later generation has its place by now
    redis-logins say ...   one command, as root of this server may

Two places take turns, as the logins of PostgreSQL do (postgres_logins.py). Each command can be repeated, and goes on
where one before it was cut off. Passwords are in no command line, and in files only as hashes.
"""

import argparse
import hashlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

EVERYTHING = "~* &* +@all"
NOTHING = "resetkeys resetchannels -@all"

Places = dict[str, dict[str, str]]


class FailureError(Exception):
    """One sentence for the operator."""


def accept(given: argparse.Namespace) -> None:
    password = sys.stdin.readline().rstrip("\n")
    if len(password) < 64:
        raise FailureError("A password of 64 characters or more belongs on standard input.")
    holder = places_of(given).get(given.place, {}).get("generation", given.generation)
    if holder != given.generation:
        raise FailureError(
            f"Place {given.place} is in use by generation {holder}: complete or take back that one, then count one up."
        )
    digest = hashlib.sha256(password.encode()).hexdigest()
    change(given, lambda places: {**places, given.place: {"generation": given.generation, "hash": digest}})


def withdraw(given: argparse.Namespace) -> None:
    def mine(name: str, place: dict[str, str]) -> bool:
        return name == given.place and place["generation"] == str(given.generation)

    change(given, lambda places: {name: place for name, place in places.items() if not mine(name, place)})


def say(given: argparse.Namespace) -> None:
    print(redis(given.container, operator_of(Path(given.folder)), " ".join(map(quoted, given.words))))


def change(given: argparse.Namespace, changed: Callable[[Places], Places]) -> None:
    """First what a restart would read, then what runs: cut off in between, a repetition completes it."""
    folder = Path(given.folder)
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    places = changed(places_of(given))
    operator = operator_of(folder)
    write(folder / "places.json", json.dumps(places, sort_keys=True), 0)
    write(folder / "users.acl", users(places, operator), given.user)
    if running(given.container):
        redis(given.container, operator, f"ACL SETUSER default resetpass {' '.join(passwords(places))}".rstrip())


def places_of(given: argparse.Namespace) -> Places:
    kept = Path(given.folder) / "places.json"
    return dict(json.loads(kept.read_text())) if kept.exists() else {}


def users(places: Places, operator: str) -> str:
    """`health` may say PING and nothing else; `operator` is root of this server, with a secret that never leaves it."""
    known = hashlib.sha256(operator.encode()).hexdigest()
    lines = [
        " ".join(["user default on", *passwords(places), EVERYTHING]),
        f"user health on nopass {NOTHING} +ping",
        f"user operator on #{known} {EVERYTHING}",
    ]
    return "\n".join([*lines, ""])


def passwords(places: Places) -> list[str]:
    return [f"#{place['hash']}" for _, place in sorted(places.items())]


def operator_of(folder: Path) -> str:
    path = folder / "operator"
    if not path.exists():
        write(path, secrets.token_urlsafe(48), 0)
    return path.read_text()


def redis(container: str, operator: str, command: str) -> str:
    told = f"AUTH operator {operator}\n{command}\n"
    answer = run(["docker", "exec", "--interactive", container, "redis-cli", "-e"], told)
    login, _, said = answer.partition("\n")
    if login != "OK":
        raise FailureError(f"{container} does not know the user operator: {login}. A restart of it reads its users.")
    return said


def quoted(word: str) -> str:
    """As redis-cli reads a line."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def running(container: str) -> bool:
    ask = ["docker", "inspect", "--type", "container", "--format", "{{.State.Running}}", container]
    return subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip() == "true"


def run(command: list[str], told: str) -> str:
    done = subprocess.run(command, input=told, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FailureError((done.stderr or done.stdout).strip())
    return done.stdout.strip()


def write(path: Path, text: str, owner: int) -> None:
    """A reader sees the old content or the new one, and nobody else sees any."""
    partial = path.with_name(f".{path.name}.new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w") as file:
        os.fchown(file.fileno(), owner, owner)
        file.write(text)
    partial.rename(path)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="redis-logins", description="Which passwords Redis takes.")
    parser.add_argument("action", choices=list(ACTIONS))
    parser.add_argument("--container", required=True)
    parser.add_argument("--folder", required=True, help="where the container's secret files are")
    parser.add_argument("--user", type=int, help="the uid that reads them")
    parser.add_argument("--place", choices=["a", "b"])
    parser.add_argument("--generation")
    # argparse would take the words of a command for its own.
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    return parser.parse_args(sys.argv[1:at], argparse.Namespace(words=sys.argv[at + 1 :]))


ACTIONS = {"accept": accept, "withdraw": withdraw, "say": say}

if __name__ == "__main__":
    asked = arguments()
    try:
        ACTIONS[asked.action](asked)
    except FailureError as failure:
        sys.exit(str(failure))
