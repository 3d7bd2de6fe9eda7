"""What was found on a server that runs the old stack, what would be done, and what does not fit: pure text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.containers.config import ContainersSettings
from components.containers.onhost.takeover.found import ORDER
from components.values import ImageRef

Facts = Mapping[str, Any]
SUPERUSER = "postgres"
# Of a copy within one machine, by which the outage is longer; a rename takes none.
COPY_PER_SECOND = 100 * 2**20
STOP, START = 10, 25
MAJOR = {"postgres": 15, "redis": 7}


@dataclass(frozen=True)
class Finding:
    """One sentence; one that blocks has to be answered first."""

    text: str
    blocks: bool = True


def described(facts: Facts) -> Iterator[str]:
    """What runs there, for a person to compare with what he knows."""
    containers = sorted(facts["containers"], key=lambda each: (-ORDER.index(each["kind"]), each["name"]))
    projects = sorted({each["project"] for each in containers} - {""})
    by = f"docker-compose (project {', '.join(projects)})" if projects else "docker"
    yield f"The server runs a stack by {by}, {len(containers)} containers:"
    for each in containers:
        ports = f", ports {', '.join(map(str, each['ports']))}" if each["ports"] else ""
        state = "" if each["running"] else " (stopped)"
        yield f"  {each['kind']:9} {each['name']}{state}: {named(each)}{ports}"
    if (postgres := facts["postgres"]) and "databases" in postgres:
        yield from _postgres(postgres)
    if (redis := facts["redis"]) and "keys" in redis:
        yield f"Redis {redis['major']}, {redis['keys']} keys in {redis['place']} ({went(redis)})"


def named(container: Facts) -> str:
    digest = next((each.rpartition("@")[2] for each in container["digests"]), "")
    image = str(container["image"])
    return image if not digest or digest in image else f"{image} ({digest[:19]})"


def _postgres(postgres: Facts) -> Iterator[str]:
    sums = "with" if postgres["checksums"] else "without"
    about = f"{sums} checksums, superuser {postgres['superuser']}"
    yield f"PostgreSQL {postgres['major']} {about}, in {postgres['place']} ({went(postgres)})"
    for each in postgres["databases"]:
        words = f"{each['encoding']}, {each['collate']}, {size(each['size'])}"
        yield f"  database {each['name']} of {each['owner']} ({words})"


def went(place: Facts) -> str:
    target = place["target"]
    how = {"stay": "stays there", "rename": f"moves to {target}", "copy": f"is copied to {target}"}
    return f"{size(place.get('size', 0))}, {how[place['how']]}" if place.get("how") else "not on the host"


def size(count: int) -> str:
    value, units = float(count), iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while value >= 1024 and unit != "TB":
        value, unit = value / 1024, next(units)
    return f"{value:.0f} {unit}"


def outage(facts: Facts, settings: ContainersSettings) -> int:
    """Seconds: until the old ones have stopped, the data is in its place, and the new ones have been found healthy."""
    return STOP + START + settings.rolling.health_interval + round(to_copy(facts) / COPY_PER_SECOND)


def to_copy(facts: Facts) -> int:
    return sum(int(each["size"]) for kind in MAJOR if (each := facts[kind]) and each.get("how") == "copy")


def judged(facts: Facts, settings: ContainersSettings) -> list[Finding]:
    return [*_containers(facts), *_database(facts, settings), *_cache(facts), *_room(facts), *_notes(facts, settings)]


def _containers(facts: Facts) -> Iterator[Finding]:
    if facts["ours"]:
        yield Finding(
            f"Containers of this stack are there already ({', '.join(facts['ours'])}): an `up` that failed has left "
            "them, so remove them (docker rm); or both stacks are in use, and only you know which has the data."
        )
    for kind, name in (("postgres", "PostgreSQL"), ("redis", "Redis")):
        some = [each for each in facts["containers"] if each["kind"] == kind]
        if not some:
            yield Finding(f"None of the containers is {name}: bring its data by `./infra restore`, not by adoption.")
        elif len(some) > 1:
            names = ", ".join(each["name"] for each in some)
            yield Finding(f"{names} are all {name}: only you know which has the data; remove the others.")
        elif not some[0]["running"]:
            yield Finding(f"{some[0]['name']} does not run, so nobody can ask what is in it: start it.")
    if facts["host_nginx"]:
        text = (
            "The server's own nginx is stopped and masked by the preparation: the outage begins there, minutes earlier."
        )
        yield Finding(text, blocks=False)


def _database(facts: Facts, settings: ContainersSettings) -> Iterator[Finding]:
    postgres, wanted = facts["postgres"], settings.postgres
    if not postgres:
        return
    if "trouble" in postgres:
        yield Finding(f"The old PostgreSQL could not be asked: {postgres['trouble']}")
        return
    if postgres["major"] != MAJOR["postgres"]:
        yield Finding(
            f"PostgreSQL {postgres['major']} keeps its data in another form than {MAJOR['postgres']}: load a dump by "
            "`./infra restore`, or upgrade it there by pg_upgrade first."
        )
        return
    yield from _lies_well(postgres, "PostgreSQL's data")
    if postgres.get("wal_elsewhere") or postgres["tablespaces"]:
        yield Finding("Part of the cluster lies outside of its folder (a tablespace, or pg_wal): bring it home first.")
    if postgres["replicas"]:
        yield Finding("A replica follows this PostgreSQL: it loses its source, and has to be made anew.", blocks=False)
    yield from _owners(postgres, wanted.database, wanted.user)


def _owners(postgres: Facts, database: str, user: str) -> Iterator[Finding]:
    databases = {each["name"]: each for each in postgres["databases"]}
    if database not in databases:
        known = ", ".join(sorted(databases))
        yield Finding(
            f"There is no database {database}, but {known}: write the right one as `containers.postgres.database`."
        )
        return
    roles, superuser = {each["name"] for each in postgres["roles"]}, postgres["superuser"]
    owner = databases[database]["owner"]
    if user in roles:
        others = {name: count for name, count in postgres["owners"].items() if name != user}
        if owner != user or others:
            whose = ", ".join(f"{count} tables of {name}" for name, count in sorted(others.items())) or "none of others"
            yield Finding(
                f"{database} belongs to {owner}, with {whose}, but `containers.postgres.user` is {user}: give "
                "everything in it to that role (ALTER DATABASE ... OWNER TO, REASSIGN OWNED), or name its owner there."
            )
    elif set(postgres["owners"]) - {superuser} or owner != superuser:
        names = ", ".join(sorted({owner, *postgres["owners"]}))
        yield Finding(f"There is no role {user}; {database} is {names}'s: write that as `containers.postgres.user`.")
    if superuser not in (user, SUPERUSER) or user not in roles:
        becomes = user if user not in roles else SUPERUSER
        yield Finding(f"The superuser is called {superuser}: it is renamed to {becomes}, and back again.", blocks=False)


def _cache(facts: Facts) -> Iterator[Finding]:
    redis = facts["redis"]
    if not redis:
        return
    if "trouble" in redis:
        yield Finding(f"The old Redis could not be asked: {redis['trouble']}")
        return
    if redis["major"] > MAJOR["redis"]:
        yield Finding(f"Redis {redis['major']} writes files that {MAJOR['redis']} does not read.")
    if redis["other_names"]:
        yield Finding(f"Redis calls its files otherwise ({', '.join(redis['other_names'])}): set them back first.")
    if not redis["append_only"]:
        yield Finding("Redis keeps no append-only file yet: it is switched on while it serves.", blocks=False)
    yield from _lies_well(redis, "Redis's data")


def _lies_well(place: Facts, what: str) -> Iterator[Finding]:
    if not place["place"]:
        yield Finding(f"{what} lies in the container itself: put it on a volume first.")
    elif place["taken"]:
        yield Finding(f"{place['target']} is not empty, so {what} has no place there: move away what is in it.")


def _room(facts: Facts) -> Iterator[Finding]:
    copied = to_copy(facts)
    dumped = sum(each["size"] for each in (facts["postgres"] or {}).get("databases", []))
    for name, needed in (("data", copied), ("backups", dumped)):
        if needed > facts["free"][name]:
            yield Finding(f"{size(needed)} are needed for {name}, and {size(facts['free'][name])} are free.")


def _notes(facts: Facts, settings: ContainersSettings) -> Iterator[Finding]:
    postgres = facts["postgres"] or {}
    mine = {each["name"]: each for each in postgres.get("databases", [])}.get(settings.postgres.database)
    if mine and mine["provider"] == "c" and sorts_otherwise(mine, settings.postgres.image):
        yield Finding(
            f"{mine['name']} is sorted by {mine['collate']} as glibc {mine['collation_version']} does it, and "
            f"{settings.postgres.image} has another C library: its indexes would be wrong. Load a dump by "
            "`./infra restore`, or name an image of the same C library."
        )
    yield Finding("Everybody has to log in again: the keys that sign sessions are the new stack's own.", blocks=False)


def sorts_otherwise(database: Facts, image: ImageRef) -> bool:
    """musl tells no version of its sorting, and an image of alpine has musl."""
    plain = str(database["collate"]).upper() in ("C", "POSIX")
    return not plain and bool(database["collation_version"]) and "alpine" in str(image.tag)


def running_release(facts: Facts, settings: ContainersSettings) -> dict[str, str]:
    """What runs, in the words of the stack file: by its digests, where the images came from our repositories."""
    found: dict[str, str] = {}
    for kind in ("backend", "frontend"):
        repository = getattr(settings, kind).image.repository
        some = [each for each in facts["containers"] if each["kind"] == kind]
        digests = {digest for each in some for digest in each["digests"] if digest.startswith(f"{repository}@")}
        if len(digests) != 1:
            return {}
        found[kind] = digests.pop().rpartition("@")[2]
        if kind == "backend":
            found["version"] = version_of(some)
    return found if found["version"] else {}


def version_of(containers: Sequence[Facts]) -> str:
    """As its image says, or as it was pulled."""
    tags = {str(each["version"] or str(each["image"]).partition("@")[0].rpartition(":")[2]) for each in containers}
    tag = tags.pop() if len(tags) == 1 else ""
    return tag if tag.count(".") == 2 and tag[0].isdigit() else ""
