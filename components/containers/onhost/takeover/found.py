"""Which containers are the old stack, what each of them is, and where its files lie on the host. Changes nothing."""

from collections.abc import Iterable
from typing import Any

Facts = dict[str, Any]
PORTS = frozenset({80, 443, 5432, 6379})
PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"
# They end in this order: nobody asks a database that is gone.
ORDER = ("other", "backend", "frontend", "nginx", "redis", "postgres")
# nginx does not start before the names in its configuration are there.
START = ("postgres", "redis", "other", "backend", "frontend", "nginx")
MACHINE = "machine"
ASIDE = "before-adoption-"


def ours(container: Facts) -> bool:
    """Made by this program, which says on every container which machine it is for."""
    labels = container["Config"].get("Labels") or {}
    return labels.get("product") == "neurmatic" and MACHINE in labels


def old_stack(containers: Iterable[Facts], prefix: str) -> list[Facts]:
    """Whoever has our names or our ports, and with him his whole compose project."""
    others = [each for each in containers if not ours(each)]
    in_the_way = [each for each in others if name(each).startswith(prefix) or PORTS & published(each)]
    projects = {project(each) for each in in_the_way} - {""}
    return [each for each in others if each in in_the_way or project(each) in projects]


def name(container: Facts) -> str:
    return str(container["Name"]).lstrip("/")


def project(container: Facts) -> str:
    return str((container["Config"].get("Labels") or {}).get(PROJECT, ""))


def service(container: Facts) -> str:
    return str((container["Config"].get("Labels") or {}).get(SERVICE, "")) or name(container)


def published(container: Facts) -> set[int]:
    bound = (container["HostConfig"].get("PortBindings") or {}).values()
    return {int(each["HostPort"]) for some in bound for each in some or [] if str(each.get("HostPort")).isdigit()}


def variables(container: Facts) -> dict[str, str]:
    return dict(each.partition("=")[::2] for each in container["Config"].get("Env") or [])


def role(container: Facts, repositories: "dict[str, str]") -> str:
    """What it is one of, by its image; `repositories` are those of the application's own images."""
    repository = image_name(container)
    for kind, known in repositories.items():
        if repository == known:
            return kind
    last = repository.rpartition("/")[2]
    if last.startswith("postgres") or "PGDATA" in variables(container):
        return "postgres"
    if last.startswith(("redis", "valkey")):
        return "redis"
    if last.startswith("nginx") and PORTS & published(container):
        return "nginx"
    return next((kind for kind in ("backend", "frontend") if kind in service(container)), "other")


def image_name(container: Facts) -> str:
    """Without tag and digest."""
    named = str(container["Config"]["Image"]).partition("@")[0]
    head, slash, last = named.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def on_host(container: Facts, path: str) -> str:
    """Where a path inside is on the host: the deepest mount that holds it. Nothing for one in the container's layer."""
    held = [each for each in container.get("Mounts") or [] if _holds(each["Destination"], path)]
    if not held:
        return ""
    mount = max(held, key=lambda each: len(each["Destination"]))
    rest = path[len(mount["Destination"].rstrip("/")) :]
    return str(mount["Source"]).rstrip("/") + rest.rstrip("/")


def _holds(folder: str, path: str) -> bool:
    return path.rstrip("/") == folder.rstrip("/") or path.startswith(folder.rstrip("/") + "/")


def redis_password(container: Facts) -> str:
    """As the container was given it: on its command line, or in a variable."""
    words = [*(container["Config"].get("Entrypoint") or []), *(container["Config"].get("Cmd") or [])]
    text = " ".join(words).split()
    if "--requirepass" in text[:-1]:
        given = text[text.index("--requirepass") + 1].strip("'\"")
        return variables(container).get(given.strip("${}"), "") if given.startswith("$") else given
    return variables(container).get("REDIS_PASSWORD", "")
