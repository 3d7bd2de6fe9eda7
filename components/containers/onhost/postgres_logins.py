"""Who may log in to PostgreSQL, changed while it runs. Standard library only: it runs on the server.

    postgres-logins accept    a login of one generation of the password, which is read from standard input
    postgres-logins withdraw  that login ends, unless a later generation has its place by now
    postgres-logins close     the owner itself can no longer log in by password

Two logins of one owner take turns: the new one is accepted before anybody uses it, the old one withdrawn when nobody
does any more. Each command can be repeated, and goes on where one before it was cut off. The password is in no command
line; only its SCRAM verifier leaves this process.
"""

import argparse
import base64
import hashlib
import hmac
import secrets
import subprocess
import sys
import time
from collections.abc import Callable

SUPERUSER = "postgres"
READY_SECONDS = 60
SCRAM_ROUNDS = 4096

# While it is set up, the image calls the superuser by the owner's name. Here the superuser gets a name of its own, and
# the owner is made anew as an ordinary role that has the database and everything in it. REASSIGN OWNED refuses
# to do that for the first superuser. A role cannot rename itself: somebody else does, who is gone afterwards.
HELPER = "infra_setup"
MAKE_HELPER = f"""
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{HELPER}') THEN CREATE ROLE {HELPER} SUPERUSER LOGIN; END IF;
END $$;
"""
MAKE_OWNER = """
BEGIN;
SET LOCAL lock_timeout = '30s';
DO $$
DECLARE kept text; was oid; statement text;
BEGIN
  SELECT oid, rolpassword INTO was, kept FROM pg_authid WHERE rolname = '{owner}';
  ALTER ROLE "{owner}" RENAME TO {superuser};
  EXECUTE format('CREATE ROLE "{owner}" LOGIN CREATEDB PASSWORD %L', kept);
  ALTER ROLE {superuser} PASSWORD NULL;
  ALTER DATABASE "{database}" OWNER TO "{owner}";
  FOR statement IN
    WITH extended AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
      ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
      things AS (
        SELECT 'pg_namespace'::regclass, oid, 1, format('SCHEMA %I', nspname)
          FROM pg_namespace WHERE nspowner = was AND oid IN (SELECT oid FROM ours)
        UNION ALL
        SELECT 'pg_class'::regclass, c.oid, 2, format('%s %s', CASE relkind WHEN 'S' THEN 'SEQUENCE'
            WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
            c.oid::regclass)
          FROM pg_class c JOIN ours ON ours.oid = relnamespace
          WHERE relowner = was AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE relkind = 'S' AND d.classid = 'pg_class'::regclass
              AND d.objid = c.oid AND d.deptype IN ('a', 'i'))
        UNION ALL
        SELECT 'pg_proc'::regclass, p.oid, 3, format('ROUTINE %s', p.oid::regprocedure)
          FROM pg_proc p JOIN ours ON ours.oid = pronamespace WHERE proowner = was
        UNION ALL
        SELECT 'pg_type'::regclass, t.oid, 4, format('TYPE %s', t.oid::regtype)
          FROM pg_type t JOIN ours ON ours.oid = typnamespace LEFT JOIN pg_class c ON c.oid = typrelid
          WHERE typowner = was AND (typtype IN ('e', 'd', 'r') OR c.relkind = 'c')
      )
    SELECT format('ALTER %s OWNER TO "{owner}"', what) FROM things AS t (kind, id, rank, what)
      WHERE NOT EXISTS (SELECT FROM extended e WHERE e.classid = kind AND e.objid = id) ORDER BY rank
  LOOP EXECUTE statement; END LOOP;
END $$;
COMMIT;
"""
# Dumps are restored and sessions ended by the owner, through the socket, which asks for no password.
OWNER = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{owner}') THEN CREATE ROLE "{owner}" LOGIN; END IF;
END $$;
ALTER ROLE "{owner}" LOGIN CREATEDB;
GRANT pg_signal_backend, pg_monitor TO "{owner}";
DROP ROLE IF EXISTS {helper};
"""
# Each session becomes the owner at once, so that what a migration makes is the owner's.
ACCEPT = """
BEGIN;
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{login}') THEN CREATE ROLE "{login}"; END IF;
END $$;
GRANT "{owner}" TO "{login}";
ALTER ROLE "{login}" SET role TO "{owner}";
ALTER ROLE "{login}" LOGIN PASSWORD '{verifier}';
COMMENT ON ROLE "{login}" IS 'generation {generation}';
COMMIT;
"""
WHOSE = "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = '{login}';"
WITHDRAW = """
ALTER ROLE "{login}" NOLOGIN PASSWORD NULL;
COMMENT ON ROLE "{login}" IS 'withdrawn';
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{login}';
"""


class FailureError(Exception):
    """One sentence for the operator."""


def accept(given: argparse.Namespace) -> None:
    password = sys.stdin.readline().rstrip("\n")
    if len(password) < 64:
        raise FailureError("A password of 64 characters or more belongs on standard input.")
    await_answer(given.container)
    names = {"owner": given.owner, "database": given.database, "superuser": SUPERUSER, "helper": HELPER}
    if not has_superuser(given.container):
        psql(given, given.owner, MAKE_HELPER)
        psql(given, HELPER, MAKE_OWNER.format(**names), given.database)
    psql(given, SUPERUSER, OWNER.format(**names))
    holder = psql(given, SUPERUSER, WHOSE.format(login=given.login))
    if holder not in ("", "withdrawn", f"generation {given.generation}"):
        raise FailureError(f"{given.login} is in use by {holder}: complete or take back that one, then count one up.")
    told = {"login": given.login, "generation": given.generation, "verifier": verifier(password)}
    psql(given, SUPERUSER, ACCEPT.format(**names, **told))


def withdraw(given: argparse.Namespace) -> None:
    if not exists(given.container):
        return
    await_answer(given.container)
    if psql(given, SUPERUSER, WHOSE.format(login=given.login)) == f"generation {given.generation}":
        psql(given, SUPERUSER, WITHDRAW.format(login=given.login))


def close(given: argparse.Namespace) -> None:
    await_answer(given.container)
    psql(given, SUPERUSER, f'ALTER ROLE "{given.owner}" PASSWORD NULL;')


def verifier(password: str) -> str:
    """What PostgreSQL keeps of a password; made here, no log of the server can show more (RFC 5803)."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, SCRAM_ROUNDS)
    client = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    words = [base64.b64encode(part).decode() for part in (salt, client, server)]
    return f"SCRAM-SHA-256${SCRAM_ROUNDS}:{words[0]}${words[1]}:{words[2]}"


def await_answer(container: str) -> None:
    """By TCP: while the image prepares the data, only the socket answers."""
    ask = ["docker", "exec", container, "pg_isready", "--quiet", "--host", "127.0.0.1"]
    within(READY_SECONDS, lambda: succeeds(ask), f"{container} does not answer")


def has_superuser(container: str) -> bool:
    ask = ["docker", "exec", container, "psql", "-XAtq", "-U", SUPERUSER, "-d", "postgres", "-c", "SELECT 1"]
    done = subprocess.run(ask, capture_output=True, text=True, check=False)
    if done.returncode and f'role "{SUPERUSER}" does not exist' not in done.stderr:
        raise FailureError(done.stderr.strip())
    return done.returncode == 0


def psql(given: argparse.Namespace, user: str, sql: str, database: str = "postgres") -> str:
    words = ["psql", "-XAtq", "--set", "ON_ERROR_STOP=1", "-U", user, "-d", database]
    return run(["docker", "exec", "--interactive", given.container, *words], sql)


def exists(container: str) -> bool:
    return succeeds(["docker", "inspect", "--type", "container", container])


def succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def run(command: list[str], told: str) -> str:
    done = subprocess.run(command, input=told, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FailureError((done.stderr or done.stdout).strip())
    return done.stdout.strip()


def within(seconds: float, happened: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            raise FailureError(f"{otherwise} (waited {seconds} s).")
        time.sleep(0.5)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="postgres-logins", description="Who may log in to PostgreSQL.")
    parser.add_argument("action", choices=list(ACTIONS))
    parser.add_argument("--container", required=True)
    parser.add_argument("--owner", required=True, help="the role that the database belongs to")
    parser.add_argument("--database")
    parser.add_argument("--login", help="the role that logs in")
    parser.add_argument("--generation", help="of its password")
    return parser.parse_args()


ACTIONS = {"accept": accept, "withdraw": withdraw, "close": close}

if __name__ == "__main__":
    asked = arguments()
    try:
        ACTIONS[asked.action](asked)
    except FailureError as failure:
        sys.exit(str(failure))
