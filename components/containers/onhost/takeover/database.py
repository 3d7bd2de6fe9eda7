"""PostgreSQL of the old stack: what it is, who logs in to it, and which of its own settings another container bears."""

import json
import re
import struct
from pathlib import Path
from typing import Any

from components.containers.onhost.takeover import found
from components.containers.onhost.takeover.docker import Docker
from components.containers.onhost.takeover.problem import TakeoverError

Facts = dict[str, Any]
MARK = "PG_VERSION"
HBA, CONF, AUTO = "pg_hba.conf", "postgresql.conf", "postgresql.auto.conf"
KEPT_AS = ".before-adoption"
SUPERUSER, HELPER = "postgres", "infra_takeover"
# The first two words of global/pg_control are its identity, the fifth number is its state (catalog/pg_control.h).
CONTROL, CONTROL_FORMAT, SHUT_DOWN = "global/pg_control", "<QIIi", 1
NUMBER, POWER = "SHOW server_version_num", "SHOW is_superuser"
ABOUT = """
SELECT json_build_object(
  'checksums', current_setting('data_checksums') = 'on', 'folder', current_setting('data_directory'),
  'databases', (SELECT json_agg(json_build_object('name', datname, 'owner', pg_get_userbyid(datdba),
      'encoding', pg_encoding_to_char(encoding), 'collate', datcollate, 'collation_version', datcollversion,
      'provider', datlocprovider, 'size', pg_database_size(oid)) ORDER BY datname)
    FROM pg_database WHERE NOT datistemplate),
  'roles', (SELECT json_agg(json_build_object('name', rolname, 'super', rolsuper) ORDER BY rolname)
    FROM pg_roles WHERE rolname !~ '^pg_'),
  'tablespaces', (SELECT count(*) FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')),
  'replicas', (SELECT count(*) FROM pg_stat_replication),
  'settings', (SELECT json_object_agg(name, setting) FROM pg_settings WHERE source = 'configuration file'))
"""
OWNERS = """
SELECT coalesce(json_object_agg(owner, count), '{}') FROM (
  SELECT pg_get_userbyid(relowner) AS owner, count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
  WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND nspname !~ '^pg_' AND nspname <> 'information_schema' GROUP BY 1) AS t
"""
ROLES = """
SELECT coalesce(json_agg(json_build_object('name', rolname, 'super', rolsuper, 'login', rolcanlogin,
  'createdb', rolcreatedb, 'password', rolpassword)), '[]') FROM pg_authid WHERE rolname !~ '^pg_'
"""
# What initdb of the official image writes: the socket and the container itself are trusted, everybody else shows a
# password.
HBA_TEXT = """\
local all all trust
host all all 127.0.0.1/32 trust
host all all ::1/128 trust
local replication all trust
host replication all 127.0.0.1/32 trust
host replication all ::1/128 trust
host all all all scram-sha-256
"""
# Of the settings in its files, these belong to the data. The container brings its own for everything else.
OF_THE_DATA = re.compile(
    r"\s*(lc_\w+|datestyle|intervalstyle|timezone|default_text_search_config|max_wal_size|min_wal_size|wal_level"
    r"|default_transaction_isolation|max_locks_per_transaction|max_prepared_transactions)\s*(=|\s)",
    re.IGNORECASE,
)
ALWAYS = ("listen_addresses = '*'", "dynamic_shared_memory_type = posix", "password_encryption = scram-sha-256")


def look(docker: Docker, container: Facts, database: str) -> Facts:
    """Of another major version no more than that is asked: other columns may be missing."""
    user = superuser(container)
    number = int(docker.sql(container["Id"], user, NUMBER).strip())
    told: Facts = {"major": number // 10000, "superuser": user}
    if told["major"] < 15:
        return told
    told |= json.loads(docker.sql(container["Id"], user, ABOUT))
    if database in {each["name"] for each in told["databases"]}:
        told["owners"] = json.loads(docker.sql(container["Id"], user, OWNERS, database))
    told["place"] = found.on_host(container, told["folder"])
    if told["place"]:
        wal = Path(told["place"]) / "pg_wal"
        told["wal_elsewhere"] = wal.is_symlink()
    return told


def superuser(container: Facts) -> str:
    return found.variables(container).get("POSTGRES_USER", SUPERUSER)


def roles(docker: Docker, container: str, user: str) -> "list[Facts]":
    """With the verifiers of their passwords: for the way back, and for no other eye."""
    return list(json.loads(docker.sql(container, user, ROLES)))


def renamed(user: str, known: "list[Facts]", owner: str) -> str:
    """What the superuser is called afterwards, so that components/containers/onhost/postgres_logins.py knows what to
    do: by the owner's name while there is no such role (it then makes one of the two), else by its own."""
    names = {each["name"] for each in known}
    if user == owner or (owner in names and user == SUPERUSER):
        return user
    return owner if owner not in names else SUPERUSER


def rename(docker: Docker, container: str, old: str, new: str) -> None:
    """Nobody renames himself: somebody else does, who is gone afterwards. Said again it completes what was begun."""
    there = any_superuser(docker, container, [old, new, HELPER])
    make = f"IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{HELPER}') THEN CREATE ROLE {HELPER} SUPERUSER LOGIN;"
    docker.sql(container, there, f"DO $$ BEGIN {make} END IF; END $$;")
    change = f'IF EXISTS (SELECT FROM pg_roles WHERE rolname = \'{old}\') THEN ALTER ROLE "{old}" RENAME TO "{new}";'
    docker.sql(container, HELPER, f"DO $$ BEGIN {change} END IF; END $$;")
    docker.sql(container, new, f"DROP ROLE {HELPER};")


def demote(docker: Docker, container: str, owner: str) -> None:
    """After a way back the owner is a superuser once more, beside the one that has its own name by now."""
    docker.sql(container, SUPERUSER, f'ALTER ROLE "{owner}" NOSUPERUSER;')


def any_superuser(docker: Docker, container: str, names: "list[str]") -> str:
    for name in names:
        try:
            if docker.sql(container, name, POWER).strip() == "on":
                return name
        except TakeoverError:
            continue
    raise TakeoverError(f"{container}: none of {', '.join(names)} is a superuser who may come in by the socket.")


def restore_roles(docker: Docker, container: str, journal: Facts) -> None:
    """Every role as it was noted: the superuser's name, who may log in, and by which password."""
    was = journal["superuser"]
    now = any_superuser(docker, container, [SUPERUSER, journal["called"], was, HELPER])
    names = {each["name"] for each in roles(docker, container, now)}
    if was not in names:
        rename(docker, container, now, was)
        now = was
    lines = [_role(each) for each in journal["roles"] if each["name"] in {*names, was}]
    last = [f"DROP ROLE IF EXISTS {HELPER};", "COMMIT;"]
    docker.sql(container, now, "\n".join(["BEGIN;", "SET LOCAL log_statement = 'none';", *lines, *last]))


def _role(role: Facts) -> str:
    password = "NULL" if role["password"] is None else "'" + role["password"].replace("'", "''") + "'"
    words = [
        "SUPERUSER" if role["super"] else "NOSUPERUSER",
        "LOGIN" if role["login"] else "NOLOGIN",
        "CREATEDB" if role["createdb"] else "NOCREATEDB",
    ]
    return f'ALTER ROLE "{role["name"]}" {" ".join(words)} PASSWORD {password};'


def is_shut_down(folder: Path) -> bool:
    """By its own word, which it writes last."""
    control = folder / CONTROL
    if not control.exists():
        return False
    with control.open("rb") as file:
        state = struct.unpack(CONTROL_FORMAT, file.read(struct.calcsize(CONTROL_FORMAT)))[3]
    return int(state) == SHUT_DOWN


def prepare_files(folder: Path) -> None:
    """Its own files stay beside the new ones. A second time they are the new ones: those are not kept over the old."""
    texts = {HBA: HBA_TEXT, CONF: configuration(_old(folder, CONF)), AUTO: configuration(_old(folder, AUTO), ())}
    for name, text in texts.items():
        path, kept = folder / name, folder / f"{name}{KEPT_AS}"
        if path.exists() and not kept.exists():
            path.rename(kept)
        if name == AUTO and not kept.exists():
            continue
        partial = folder / f"{name}.new"
        partial.write_text(text)
        partial.chmod(0o600)
        partial.replace(path)


def give_back_files(folder: Path, names: "tuple[str, ...]") -> None:
    for name in names:
        kept = folder / f"{name}{KEPT_AS}"
        if kept.exists():
            kept.replace(folder / name)


def configuration(old: str, always: "tuple[str, ...]" = ALWAYS) -> str:
    kept = [line.strip() for line in old.splitlines() if OF_THE_DATA.match(line)]
    return "\n".join([*kept, *always, ""])


def _old(folder: Path, name: str) -> str:
    for path in (folder / f"{name}{KEPT_AS}", folder / name):
        if path.exists():
            return path.read_text()
    return ""
