"""The old front door's certificate serves until ours has come: visitors must not meet a self-signed one in between."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

from components.containers.onhost.takeover.docker import Docker
from components.containers.onhost.takeover.problem import TakeoverError

Facts = dict[str, Any]
COMMENT = re.compile(r"#.*")
# One with a variable is another for each visitor.
LINE = re.compile(r"\b(ssl_certificate|ssl_certificate_key)\s+([^;$]+);")
CHAIN, KEY = "fullchain.pem", "privkey.pem"


def carry_over(docker: Docker, nginx: Facts, folder: Path, name: str, owner: int) -> bool:
    """True when it is there. One that does not hold for `name`, or that nobody may read, is left where it is."""
    if (folder / CHAIN).exists():
        return True
    command = nginx["Config"].get("Cmd") or []
    given = command[command.index("-c") :][:2] if "-c" in command else []
    try:
        named = first_pair(docker.ask(nginx["Id"], "nginx", "-T", *given))
        if not named:
            return False
        chain, key = (docker.ask(nginx["Id"], "cat", path) for path in named)
    except TakeoverError:
        return False
    if not holds(chain, name):
        return False
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    for file, text in ((KEY, key), (CHAIN, chain)):
        put(folder / file, text, owner)
    return True


def first_pair(configuration: str) -> "tuple[str, str] | None":
    """Of the first server that has both."""
    found = [(name, path.strip().strip("'\"")) for name, path in LINE.findall(COMMENT.sub("", configuration))]
    chain = next((path for name, path in found if name == "ssl_certificate"), "")
    key = next((path for name, path in found if name == "ssl_certificate_key"), "")
    return (chain, key) if chain and key else None


def holds(chain: str, name: str) -> bool:
    """For this name, and for an hour at least."""
    return "does match" in said_of(chain, "-checkhost", name) and "will not" in said_of(chain, "-checkend", "3600")


def said_of(chain: str, *words: str) -> str:
    """One question at a time: openssl answers no second one."""
    ask = ["openssl", "x509", "-noout", *words]
    return subprocess.run(ask, input=chain, capture_output=True, text=True, check=False).stdout


def put(path: Path, text: str, owner: int) -> None:
    partial = path.with_name(f".{path.name}.new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w") as file:
        os.fchown(file.fileno(), owner, owner)
        file.write(text)
    partial.rename(path)
