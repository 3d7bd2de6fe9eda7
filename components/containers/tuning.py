"""Settings that PostgreSQL and Redis take over while they run: no restart, and nobody notices."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

import pulumi
import pulumi_docker as docker
from pulumi_command import remote

from components.containers.config import RedisSettings
from components.containers.postgres import SUPERUSER, PostgresSettings
from components.containers.run import Runner
from components.containers.services import postgres_reloaded, redis_reloaded


def tune_postgres(
    runner: Runner, settings: PostgresSettings, running: docker.Container, login: pulumi.Resource
) -> remote.Command:
    """Said again to another container: its data may come from elsewhere."""
    script = postgres_script(settings, _name(runner, "postgres"))
    return runner.command("postgres-settings", script, running.id, depends_on=[running, login])


def tune_redis(runner: Runner, settings: RedisSettings, running: docker.Container, folder: str) -> remote.Command:
    logins = f"{runner.args.place.infrastructure}/scripts/redis-logins"
    say = [logins, "say", "--container", _name(runner, "redis"), "--folder", folder]
    return runner.command("redis-settings", redis_script(settings, say), running.id, depends_on=[running])


def _name(runner: Runner, service: str) -> str:
    return runner.args.place.called(service)


def postgres_script(settings: PostgresSettings, container: str) -> str:
    """A value that PostgreSQL refuses is refused before it is written down."""
    said = [*(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in postgres_reloaded(settings).items())]
    connection = ["-qAt", "-v", "ON_ERROR_STOP=1", "-U", SUPERUSER, "-d", settings.database]
    commands = [word for text in (*said, "SELECT pg_reload_conf()") for word in ("-c", text)]
    return f"sudo -n {shlex.join(['docker', 'exec', container, 'psql', *connection, *commands])} >/dev/null"


def redis_script(settings: RedisSettings, say: list[str]) -> str:
    return f"sudo -n {shlex.join([*say, '--', 'CONFIG', 'SET', *_pairs(redis_reloaded(settings))])}"


def _pairs(values: Mapping[str, str]) -> list[str]:
    return [word for pair in values.items() for word in pair]
