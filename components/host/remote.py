"""What is said to the server over SSH: one command, and everything else on its standard input.

    line 1  a loader in Python, line 2  the converge script (base64), line 3  the desired state (JSON)

The command itself never changes, so that a new script is no new command (and `ignore_changes` can be used on it).
Pure: `subprocess.run(["ssh", ..., command], input=stdin)` runs it, and components.host.report reads its output. The
exit status is 0 when nothing failed; a check that finds drift ends with 0 as well.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import asdict

from components.host.bundle import bundle
from components.host.config import HostSettings
from components.host.desired import desired_state
from components.host.items import Desired, Item, to_data

LOADER = (
    "import base64,os,sys;"
    "pack=base64.b64decode(sys.stdin.readline());"
    'fd=os.memfd_create("converge");'
    "os.write(fd,pack);"
    'sys.path.insert(0,f"/proc/self/fd/{fd}");'
    "from components.host.converge.main import run;"
    "run(pack)"
)
# What cloud images bring; a bare Debian does not.
PYTHON = "command -v python3 >/dev/null || sudo -n apt-get install -y -qq python3 >&2"
START = "sudo -n python3 -I -c 'import sys;exec(sys.stdin.readline())'"
CONFIRM = "sudo -n /usr/local/sbin/infra-converge confirm"


def apply_command(settings: HostSettings, more: Sequence[Item] = ()) -> tuple[str, str]:
    """The command and its standard input; the output is a report."""
    return f"{PYTHON} && {START} apply", _input(settings, more)


def check_command(settings: HostSettings, more: Sequence[Item] = ()) -> tuple[str, str]:
    """The same in a mode that changes nothing, not even a temporary file."""
    return f"{START} check", _input(settings, more)


def converge_command(settings: HostSettings, more: Sequence[Item] = ()) -> tuple[str, str]:
    """As `apply_command`, for the engine: it repeats all output in its error, so that a failed run says that alone."""
    return f"{PYTHON} && {START} converge", _input(settings, more)


def confirm_command(token: str) -> tuple[str, str]:
    """The second login, after a report with `confirm`: it stops the timer that would bring the old state back."""
    return CONFIRM, f"{token}\n"


def _input(settings: HostSettings, more: Sequence[Item]) -> str:
    pack = base64.b64encode(bundle()).decode()
    return f"{LOADER}\n{pack}\n{encode(desired_state(settings, more))}\n"


def encode(desired: Desired) -> str:
    data = {**asdict(desired), "items": [to_data(item) for item in desired.items]}
    return json.dumps(data, separators=(",", ":"), sort_keys=True)
