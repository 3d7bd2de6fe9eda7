"""What a server shall be, as plain data: one class for each kind of thing that the converge script knows.

The builders make these, JSON carries them, the script on the server (components/host/converge/) reads them. So this
module needs the standard library alone. An item's `key` names it in reports and in the list of what the script owns.

How an item is applied: everything that differs is put right in the order of the list, kind by kind (ORDER); after
that the `on_change` commands of what changed run, each once. Commands that are due are written down first, so that a
run that was killed between a file and its reload is completed by the next one.

`guarded` is for what can lock the owner out (sshd, firewall). Before the first guarded change the old state is kept and
a timer on the server is set that brings it back: old files, then the `undo` commands of the changed items, then a rule
that lets SSH in. Only a second login stops that timer (`confirm` in components/host/remote.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

Argv = tuple[str, ...]


@dataclass(frozen=True)
class Reader:
    """The program that will read a file reads the new content first; a refusal keeps the old file.

    In `argv`, `{candidate}` is the new content in a private folder, under its own name. A reader that wants a whole
    configuration gets `{wrapper}`, a file made of the text `wrapper`, in which `{candidate}` stands as well.
    """

    argv: Argv
    wrapper: str = ""


@dataclass(frozen=True)
class Package:
    kind: ClassVar[str] = "package"
    name: str

    @property
    def key(self) -> str:
        return f"package:{self.name}"


@dataclass(frozen=True)
class User:
    """An account for key logins: no password. Taken back it is locked and its keys are set aside, its files stay."""

    kind: ClassVar[str] = "user"
    name: str
    home: str
    shell: str = "/bin/bash"

    @property
    def key(self) -> str:
        return f"user:{self.name}"


@dataclass(frozen=True)
class Group:
    """A group with exactly these members; for groups that give rights, such as docker."""

    kind: ClassVar[str] = "group"
    name: str
    members: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"group:{self.name}"


@dataclass(frozen=True)
class AuthorizedKeys:
    """Exactly these keys may log in as this user."""

    kind: ClassVar[str] = "keys"
    user: str
    keys: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"keys:{self.user}"


@dataclass(frozen=True)
class Directory:
    """Never removed: there may be data in it."""

    kind: ClassVar[str] = "directory"
    path: str
    mode: str = "0755"
    owner: str = "root"
    group: str = "root"

    @property
    def key(self) -> str:
        return f"directory:{self.path}"


@dataclass(frozen=True)
class File:
    """`content` None: the file must not be there (what it held is kept and comes back when the item is taken back).

    `secret` keeps the content out of diffs.
    """

    kind: ClassVar[str] = "file"
    path: str
    content: str | None
    mode: str = "0644"
    owner: str = "root"
    group: str = "root"
    reader: Reader | None = None
    on_change: tuple[Argv, ...] = ()
    guarded: bool = False
    undo: tuple[Argv, ...] = ()
    secret: bool = False

    @property
    def key(self) -> str:
        return f"file:{self.path}"


@dataclass(frozen=True)
class Mode:
    """Owner and mode of a file whose content is not ours."""

    kind: ClassVar[str] = "mode"
    path: str
    mode: str
    owner: str = "root"
    group: str = "root"

    @property
    def key(self) -> str:
        return f"mode:{self.path}"


@dataclass(frozen=True)
class Sysctl:
    """The running value; a File makes it last. In a container, what has no namespace is compared, never written."""

    kind: ClassVar[str] = "sysctl"
    name: str
    value: str

    @property
    def key(self) -> str:
        return f"sysctl:{self.name}"


@dataclass(frozen=True)
class Limits:
    """A limits.d file. Where the machine cannot grant a limit, PAM may refuse logins: then the most that it grants."""

    kind: ClassVar[str] = "limits"
    path: str
    values: Mapping[str, int]
    domains: tuple[str, ...] = ("*", "root")

    @property
    def key(self) -> str:
        return f"limits:{self.path}"


@dataclass(frozen=True)
class Swap:
    """A swap file and its line in fstab; 0 for none. Compared in a container."""

    kind: ClassVar[str] = "swap"
    path: str
    megabytes: int

    @property
    def key(self) -> str:
        return f"swap:{self.path}"


@dataclass(frozen=True)
class Unit:
    """A systemd unit: `enabled` is enabled, disabled or masked; `active` None is not looked at.

    `optional`: a unit that is not installed is in order.
    """

    kind: ClassVar[str] = "unit"
    name: str
    enabled: str = "enabled"
    active: bool | None = True
    optional: bool = False
    guarded: bool = False
    undo: tuple[Argv, ...] = ()

    @property
    def key(self) -> str:
        return f"unit:{self.name}"


@dataclass(frozen=True)
class Live:
    """A state that lives in no file: what `show` prints is compared line by line, `repair` puts it right.

    `exact`: nothing but these lines may be there (more lines are reported as extra, and `repair` takes them away), else
    they may stand among others. Lines are compared without surrounding blanks; `ignore` is a regular expression for
    lines that come and go by themselves. `compare_only` in a container: the machine underneath has this state.
    """

    kind: ClassVar[str] = "live"
    name: str
    show: Argv
    lines: tuple[str, ...]
    repair: tuple[Argv, ...] = ()
    exact: bool = True
    ignore: str = ""
    guarded: bool = False
    undo: tuple[Argv, ...] = ()
    compare_only: bool = False
    partly: bool = False
    """What `repair` leaves is put right by the engine, later in the same run."""

    @property
    def key(self) -> str:
        return f"live:{self.name}"


@dataclass(frozen=True)
class Logins:
    """Who may log in at all: other accounts with a shell, and other people's keys, are extra."""

    kind: ClassVar[str] = "logins"
    accounts: tuple[str, ...]
    first_contact: str

    @property
    def key(self) -> str:
        return "logins:"


@dataclass(frozen=True)
class Listeners:
    """Which ports may be listened on at addresses that others can reach, as "22/tcp"; others are extra."""

    kind: ClassVar[str] = "listeners"
    allowed: tuple[str, ...]

    @property
    def key(self) -> str:
        return "listeners:"


Item = (
    Package
    | User
    | Group
    | AuthorizedKeys
    | Directory
    | File
    | Mode
    | Sysctl
    | Limits
    | Swap
    | Unit
    | Live
    | Logins
    | Listeners
)
KINDS: tuple[type[Any], ...] = (
    *(Package, User, Group, AuthorizedKeys, Directory, File, Mode, Limits, Sysctl, Swap, Unit, Live, Logins, Listeners),
)
# Packages bring the programs that read the files; guarded things come last, so that the timer can be short.
ORDER = ("package", "user", "group", "keys", "directory", "file", "mode", "limits", "sysctl", "swap", "unit", "live")


@dataclass(frozen=True)
class Desired:
    """All that the script is told. Where it has never been applied, what a server already runs is reported first.

    `adopt`: take it over. `prefix`: how containers of the product are called. `ssh_port` is let in by a rollback, which
    comes when the second login has not within so many seconds.
    """

    items: tuple[Item, ...]
    adopt: bool
    data: str
    prefix: str
    ssh_port: int
    second_login: int = 120


def to_data(item: Item) -> dict[str, Any]:
    return {"kind": item.kind, **asdict(item)}


def from_data(data: Mapping[str, Any]) -> Item:
    of_kind = {each.kind: each for each in KINDS}
    kind = of_kind[data["kind"]]
    known = {field.name for field in fields(kind)}
    given = {name: _frozen(value) for name, value in data.items() if name in known}
    if isinstance(given.get("reader"), Mapping):
        given["reader"] = Reader(**given["reader"])
    item: Item = kind(**given)
    return item


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _frozen(inner) for name, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_frozen(inner) for inner in value)
    return value
