"""What must be true of a database besides its content: row level security holds for its application, and the audit log
only grows. Read from the catalog by anybody; tried, in a transaction that is rolled back, by its owner.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.backup.onhost.database import Server, Session, literal, quoted
from components.backup.onhost.settings import Guarded

# A policy reads a variable itself, or by a function that it calls.
TABLES = """
SELECT json_build_object('name', c.relname, 'schema', n.nspname, 'on', c.relrowsecurity,
  'forced', c.relforcerowsecurity, 'owner', pg_get_userbyid(c.relowner),
  'truncate', has_table_privilege({app}, c.oid, 'TRUNCATE'),
  'policies', (SELECT coalesce(json_agg(json_build_object('name', p.polname,
      'text', concat_ws(' ', pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid),
        (SELECT string_agg(f.prosrc, ' ') FROM pg_depend d JOIN pg_proc f ON f.oid = d.refobjid
         WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass)))), '[]')
    FROM pg_policy p WHERE p.polrelid = c.oid AND (p.polroles = '{{0}}' OR EXISTS (
      SELECT FROM unnest(p.polroles) r WHERE r <> 0 AND pg_has_role({app}, r, 'MEMBER')))))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relname IN ({names}) AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname"""
ROLES = """
SELECT json_build_object('name', rolname, 'super', rolsuper, 'bypass', rolbypassrls, 'create', rolcreaterole,
  'owns', (SELECT count(*) FROM pg_shdepend d WHERE d.deptype = 'o' AND d.refclassid = 'pg_authid'::regclass
    AND d.refobjid = r.oid AND d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))),
  'through', (SELECT coalesce(json_agg(o.rolname), '[]') FROM pg_roles o WHERE o.oid <> r.oid
    AND (o.rolbypassrls OR o.rolsuper OR o.rolname = {migrator}) AND pg_has_role(r.oid, o.oid, 'MEMBER')))
FROM pg_roles r WHERE rolname IN ({app}, {migrator})"""
# Bits of pg_trigger.tgtype: before the row or the statement (2), and on what.
STOPPED = """
SELECT json_build_object('role', role, 'event', event, 'may', has_table_privilege(role, c.oid, event),
  'stopped', EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal
    AND t.tgenabled IN ('O', 'A') AND t.tgtype & 2 = 2 AND t.tgtype & bit = bit))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN unnest(ARRAY[{roles}]) role
  CROSS JOIN (VALUES ('UPDATE', 16), ('DELETE', 8), ('TRUNCATE', 32)) events (event, bit)
WHERE c.relname = {log} AND n.nspname = {schema}"""
ONLY = "only the application's own migration can, and `./infra database` looks again"
# Who the trial is, for policies that want a number and for those that want a UUID.
SOMEBODY = ("00000000-0000-0000-0000-000000000000", "0")
# Nobody has decided yet: a variable that is not set, or of another kind than the policy wants.
UNDECIDED = ("42704", "22P02", "22023")
BUSY = "55P03"
WENT_THROUGH = "INFRA"


@dataclass(frozen=True)
class Table:
    name: str
    schema: str
    on: bool
    forced: bool
    owner: str
    truncate: bool
    policies: tuple[Mapping[str, str], ...]


def findings(server: Server, database: str, wanted: Guarded) -> list[str]:
    """Each a sentence; empty if all is well, or if the application has made no table yet."""
    with server.session(database) as session:
        tables = tables_of(session, wanted)
        if not tables:
            return []
        return [
            *_missing(tables, wanted),
            *(said for table in tables for said in _of_table(table, wanted)),
            *_variables(tables, wanted),
            *_of_roles(session, wanted),
            *_of_log(session, tables, wanted),
        ]


def tables_of(session: Session, wanted: Guarded) -> list[Table]:
    names = ", ".join(literal(name) for name in (*wanted.tables, wanted.log))
    rows = _rows(session, TABLES.format(app=literal(wanted.app), names=names))
    return [Table(**{**row, "policies": tuple(row["policies"])}) for row in rows]


def _rows(session: Session, sql: str) -> list[dict[str, Any]]:
    session.ask("SET search_path = pg_catalog")
    return [json.loads(line) for line in session.ask(sql)]


def _missing(tables: list[Table], wanted: Guarded) -> Iterator[str]:
    there = {table.name for table in tables}
    for name in (*wanted.tables, wanted.log):
        if name not in there:
            yield f"The table {name} is missing: backup.database.core_tables names what the application protects."


def _of_table(table: Table, wanted: Guarded) -> Iterator[str]:
    if not table.on:
        yield f"Row level security is off on {table.name}: {ONLY}."
    elif not table.forced:
        yield f"Row level security is not forced on {table.name}: its owner reads and writes past it; {ONLY}."
    if table.owner != wanted.migrator:
        yield f"{table.name} belongs to {table.owner}, not to {wanted.migrator}: ALTER TABLE ... OWNER TO it."
    if table.truncate:
        yield f"{wanted.app} may TRUNCATE {table.name}, which no policy stops: REVOKE TRUNCATE on it."
    if table.on and not any(name in each["text"] for each in table.policies for name in wanted.variables):
        what = "No policy" if not table.policies else f"None of the policies ({_names(table)})"
        yield f"{what} of {table.name} looks at {' or '.join(wanted.variables)}: they are all alike to it."


def _names(table: Table) -> str:
    return ", ".join(each["name"] for each in table.policies)


def _variables(tables: list[Table], wanted: Guarded) -> Iterator[str]:
    texts = [each["text"] for table in tables for each in table.policies]
    for name in wanted.variables:
        if texts and not any(name in text for text in texts):
            yield f"No policy at all looks at {name}."


def _of_roles(session: Session, wanted: Guarded) -> Iterator[str]:
    rows = _rows(session, ROLES.format(app=literal(wanted.app), migrator=literal(wanted.migrator)))
    found = {row["name"]: row for row in rows}
    for name in (wanted.app, wanted.migrator):
        if name not in found:
            yield f"There is no role {name}: `./infra up` makes it."
        elif found[name]["super"] or found[name]["bypass"]:
            yield f"{name} bypasses row level security: ALTER ROLE {name} NOBYPASSRLS, as the database's owner."
    app = found.get(wanted.app, {})
    if app.get("owns"):
        yield f"{wanted.app} owns {app['owns']} things and can change what guards them: give them to {wanted.migrator}."
    if app.get("through"):
        yield f"{wanted.app} is a member of {', '.join(app['through'])}, which the policies do not bind: REVOKE that."
    if app.get("create"):
        yield f"{wanted.app} can make roles: ALTER ROLE {wanted.app} NOCREATEROLE."


def _of_log(session: Session, tables: Iterable[Table], wanted: Guarded) -> Iterator[str]:
    for table in (each for each in tables if each.name == wanted.log):
        roles = ", ".join(literal(role) for role in (wanted.app, wanted.migrator))
        for row in _rows(session, STOPPED.format(roles=roles, log=literal(table.name), schema=literal(table.schema))):
            if row["may"] and not row["stopped"]:
                yield (
                    f"{row['role']} may {row['event']} {wanted.log}: it has the right, and no trigger stands before; "
                    f"{ONLY}."
                )


def tried(server: Server, database: str, wanted: Guarded) -> tuple[list[str], list[str]]:
    """What went through, and what could not be tried. By the database's owner, who can become either role."""
    bad: list[str] = []
    open_: list[str] = []
    with server.session(database) as session:
        for table in (each for each in tables_of(session, wanted) if each.name == wanted.log):
            name = f"{quoted(table.schema)}.{quoted(table.name)}"
            place = "".join(session.ask(f"SELECT ctid FROM {name} LIMIT 1"))  # noqa: S608 (quoted)
            if not place:
                open_.append(f"{wanted.log} has no row yet: UPDATE and DELETE could not be tried on one.")
            for role in (wanted.app, wanted.migrator):
                for event, sql in _attempts(session, table, place).items():
                    _judge(_attempt(session, wanted, role, name, sql), f"{event} of {wanted.log} by {role}", bad, open_)
    return bad, open_


def _attempts(session: Session, table: Table, place: str) -> dict[str, str]:
    name = f"{quoted(table.schema)}.{quoted(table.name)}"
    first = session.ask(
        "SELECT attname FROM pg_catalog.pg_attribute WHERE attnum > 0 AND NOT attisdropped AND attidentity = '' "  # noqa: S608
        f"AND attgenerated = '' AND attrelid = {literal(name)}::pg_catalog.regclass ORDER BY attnum LIMIT 1"
    )
    attempts = {"TRUNCATE": f"TRUNCATE {name}"}
    if place and first:
        column = quoted(first[0])
        attempts["UPDATE"] = f"UPDATE {name} SET {column} = {column} WHERE ctid = {literal(place)}"  # noqa: S608
        attempts["DELETE"] = f"DELETE FROM {name} WHERE ctid = {literal(place)}"  # noqa: S608
    return attempts


def _attempt(session: Session, wanted: Guarded, role: str, table: str, sql: str) -> str:
    """SQLSTATE and words of what stopped it; WENT_THROUGH and the number of rows if nothing did."""
    said = ""
    for somebody in SOMEBODY:
        values = (somebody if name.endswith("id") else "admin" for name in wanted.variables)
        lines = [
            "BEGIN",
            "SET LOCAL lock_timeout = '3s'",
            *(f"SET LOCAL {name} = {literal(value)}" for name, value in zip(wanted.variables, values, strict=True)),
            _block(role, table, sql, role == wanted.migrator),
            "SELECT pg_catalog.current_setting('infra.said')",
        ]
        said = session.ask("; ".join(lines))[-1]
        session.ask("ROLLBACK")
        if said[:5] not in UNDECIDED:
            break
    return said


def _block(role: str, table: str, sql: str, owns: bool) -> str:
    """Its exception undoes all of it, the change of role as well. Policies that hide the row from its owner go first:
    what has to stop him is the trigger."""
    seen = f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;" if owns else ""
    return f"""DO $infra$ DECLARE n bigint; BEGIN
      BEGIN
        SET LOCAL row_security = on; SET LOCAL ROLE {quoted(role)}; {seen}
        {sql}; GET DIAGNOSTICS n = ROW_COUNT;
        RAISE EXCEPTION USING ERRCODE = '{WENT_THROUGH}', MESSAGE = n::pg_catalog.text;
      EXCEPTION WHEN OTHERS THEN
        PERFORM pg_catalog.set_config('infra.said', SQLSTATE || ' ' ||
          pg_catalog.translate(SQLERRM, pg_catalog.chr(10), ' '), true);
      END;
    END $infra$"""


def _judge(said: str, what: str, bad: list[str], open_: list[str]) -> None:
    state, _, words = said.partition(" ")
    if state == WENT_THROUGH and (words != "0" or what.startswith("TRUNCATE")):
        bad.append(f"{what} went through (and was rolled back): {ONLY}.")
    if state in UNDECIDED:
        open_.append(f"{what} could not be tried: {words}.")
    if state == BUSY:
        open_.append(f"{what} could not be tried: the table is in use. Try again.")
