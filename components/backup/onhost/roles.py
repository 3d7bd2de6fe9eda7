"""The roles of a database elsewhere: who owns its schema, who works with it, who dumps it.

As its owner, who is no superuser at a provider such as Neon: nothing here needs one. Each statement can be repeated.
Passwords go as they are, over TLS: Neon refuses verifiers that were made elsewhere (docs/decisions/0014).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from components.backup.onhost.database import Server, literal, quoted
from components.backup.onhost.problem import BackupError

SYSTEM = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
HINTS = (
    (
        "permission denied to create role",
        "The address has to be that of the database's owner, with CREATEROLE: in Neon, the role it was made with.",
    ),
    (
        "BYPASSRLS",
        "The owner has to have BYPASSRLS itself to give it to the role that dumps: in Neon, one made in its console.",
    ),
    (
        "permission denied to alter role",
        "The role is somebody else's: drop it, or name another one in backup.database.",
    ),
)


@dataclass(frozen=True)
class Roles:
    migrator: str
    app: str
    backup: str
    log: str

    @property
    def all(self) -> tuple[str, str, str]:
        return (self.migrator, self.app, self.backup)


def make(server: Server, database: str, roles: Roles, passwords: Mapping[str, str]) -> None:
    """All of it or nothing."""
    missing = [name for name in roles.all if len(passwords.get(name, "")) < 32]
    if missing:
        raise BackupError(f"There is no password of 32 characters or more for {', '.join(missing)}.")
    if database not in server.databases():
        raise BackupError(
            f"There is no database {database} on that server: make it there (in Neon, its console) first."
        )
    statements = [
        "BEGIN",
        "SET LOCAL lock_timeout = '30s'",
        "SET LOCAL client_min_messages = error",
        *(_role(name, passwords[name], name == roles.backup) for name in roles.all),
        # Whoever makes a role may administer it, but is none of its members: without that it can give it nothing.
        *(f"GRANT {quoted(name)} TO CURRENT_USER" for name in roles.all),
        *_owner(database, roles),
        *_app(roles),
        *_backup(roles),
        "COMMIT",
    ]
    try:
        server.ask(database, ";\n".join([*statements, ""]))
    except BackupError as error:
        hint = next((hint for words, hint in HINTS if words in str(error)), "")
        raise BackupError(f"{without(str(error), passwords)}{f' {hint}' if hint else ''}") from None


def without(text: str, passwords: Mapping[str, str]) -> str:
    """PostgreSQL quotes the statement that it did not understand."""
    for password in passwords.values():
        text = text.replace(password, "...")
    return text


def _role(name: str, password: str, bypass: bool) -> str:
    missing = f"NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal(name)})"
    rights = f"LOGIN {'BYPASSRLS' if bypass else 'NOBYPASSRLS'} PASSWORD {literal(password)}"
    return (
        f"DO $$ BEGIN IF {missing} THEN CREATE ROLE {quoted(name)}; END IF; END $$;\nALTER ROLE {quoted(name)} {rights}"
    )


def _owner(database: str, roles: Roles) -> list[str]:
    migrator = quoted(roles.migrator)
    other = (
        f"(SELECT nspowner FROM pg_namespace WHERE nspname = 'public') <> {literal(quoted(roles.migrator))}::regrole"  # noqa: S608
    )
    return [
        *(f"GRANT CONNECT ON DATABASE {quoted(database)} TO {quoted(name)}" for name in roles.all),
        # It makes extensions and schemas of its own; and nobody can be given a schema without that.
        f"GRANT CREATE ON DATABASE {quoted(database)} TO {migrator}",
        f"DO $$ BEGIN IF {other} THEN ALTER SCHEMA public OWNER TO {migrator}; END IF; END $$",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    ]


def _app(roles: Roles) -> list[str]:
    """Rows, and nothing about tables; of the log only to add. TRUNCATE knows no policies, so it is not given."""
    app, made = quoted(roles.app), f"ALTER DEFAULT PRIVILEGES FOR ROLE {quoted(roles.migrator)} IN SCHEMA public"
    rows, numbers = "SELECT, INSERT, UPDATE, DELETE", "USAGE, SELECT"
    shut = f"REVOKE UPDATE, DELETE, TRUNCATE ON public.{quoted(roles.log)} FROM {app}, PUBLIC"
    return [
        f"GRANT USAGE ON SCHEMA public TO {app}",
        f"GRANT {rows} ON ALL TABLES IN SCHEMA public TO {app}",
        f"GRANT {numbers} ON ALL SEQUENCES IN SCHEMA public TO {app}",
        f"{made} GRANT {rows} ON TABLES TO {app}",
        f"{made} GRANT {numbers} ON SEQUENCES TO {app}",
        f"DO $$ BEGIN IF to_regclass({literal(f'public.{quoted(roles.log)}')}) IS NOT NULL THEN {shut}; END IF; END $$",
    ]


def _backup(roles: Roles) -> list[str]:
    """Everything there is, in whatever schema, and what the owner or the migrations make later; to read."""
    backup = quoted(roles.backup)
    each = f"""DO $$ DECLARE s text; BEGIN
  FOR s IN SELECT n.nspname FROM pg_namespace n WHERE {SYSTEM} AND pg_has_role(n.nspowner, 'USAGE') LOOP
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO {backup}', s);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO {backup}', s);
    EXECUTE format('GRANT SELECT ON ALL SEQUENCES IN SCHEMA %I TO {backup}', s);
  END LOOP;
END $$"""  # noqa: S608
    later = [
        f"ALTER DEFAULT PRIVILEGES {of} GRANT {what} TO {backup}"
        for of in ("", f"FOR ROLE {quoted(roles.migrator)}")
        for what in ("SELECT ON TABLES", "SELECT ON SEQUENCES", "USAGE ON SCHEMAS")
    ]
    return [each, *later, f"ALTER ROLE {backup} SET default_transaction_read_only = on"]
