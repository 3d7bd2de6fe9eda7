"""What the application's containers are, and what their variables and arguments say."""

from __future__ import annotations

import subprocess

import pytest

from components.containers.application import backend, frontend, load_balancer
from components.containers.config import ContainersSettings, Release
from components.containers.docker import container_arguments
from components.containers.environment import Surroundings, environment_file, plain_variables, secret_variables
from components.containers.migration import script
from components.containers.services import Service, postgres, redis
from components.site import NeurmaticSite

SITE = NeurmaticSite(apex="neurmatic.com", www="www.neurmatic.com", api="api.neurmatic.com")
AROUND = Surroundings("production", SITE, "neurmatic-production-media", "eu-west-1", "neurmatic_prod_a")
RELEASE = Release(version="1.4.2", backend="sha256:" + "a" * 64, frontend="sha256:" + "b" * 64)
SETTINGS = ContainersSettings.model_validate(
    {"postgres": {"database": "neurmatic_production", "user": "neurmatic_prod"}, "release": RELEASE}
)
SERVICES = (
    postgres(SETTINGS.postgres, "/mnt/data"),
    redis(SETTINGS.redis, "/mnt/data"),
    backend(SETTINGS, RELEASE, 1, AROUND),
    frontend(SETTINGS, RELEASE),
    load_balancer(SETTINGS, "/opt/neurmatic/infrastructure/nginx"),
)
# Every variable that the specification names; those of secrets come in the file.
NAMES = """
NODE_ENV ENVIRONMENT HOST API_URL FRONTEND_URL POSTGRES_USER POSTGRES_PASSWORD DATABASE_URL REDIS_PASSWORD REDIS_URL
JWT_SECRET JWT_REFRESH_SECRET JWT_EXPIRES_IN REFRESH_TOKEN_EXPIRES_IN SESSION_SECRET BCRYPT_ROUNDS SENDGRID_API_KEY
FROM_EMAIL SUPPORT_EMAIL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_S3_BUCKET AWS_REGION SENTRY_DSN
SENTRY_ENVIRONMENT SENTRY_TRACES_SAMPLE_RATE SENTRY_PROFILES_SAMPLE_RATE RATE_LIMIT_WINDOW_MS
RATE_LIMIT_MAX_REQUESTS LOG_LEVEL
"""
LOGINS = [f"{name}_{part}" for name in ("GOOGLE", "LINKEDIN", "GITHUB") for part in ("CLIENT_ID", "CLIENT_SECRET")]
CALLBACKS = ["GOOGLE_CALLBACK_URL", "LINKEDIN_CALLBACK_URL", "GITHUB_CALLBACK_URL"]


def test_every_variable_of_the_specification_is_given_once() -> None:
    plain, secret = plain_variables(SETTINGS, AROUND), secret_variables(SETTINGS, AROUND)
    assert not set(plain) & set(secret)
    assert set(plain) | set(secret) == {*NAMES.split(), *LOGINS, *CALLBACKS, "PORT"}
    assert plain["JWT_EXPIRES_IN"] == "15m"
    assert plain["REFRESH_TOKEN_EXPIRES_IN"] == "30d"
    assert plain["RATE_LIMIT_WINDOW_MS"] == "900000"
    assert plain["GITHUB_CALLBACK_URL"] == "https://api.neurmatic.com/api/v1/auth/oauth/github/callback"
    assert "connection_limit=45&pool_timeout=30" in secret["DATABASE_URL"]


@pytest.mark.parametrize("value", ["plain", "a b", "it's", '"$HOME"', "`id`", "$(id)", "a\nb=c", "\\", "ü{}", "!"])
def test_a_shell_reads_each_value_as_it_is(value: str) -> None:
    text = environment_file({"ONE": "{it}", "TWO": "x={it}"}, {"it": value})
    command = f'set -a\n{text}\nprintf "%s\\0%s" "$ONE" "$TWO"'
    done = subprocess.run(["sh", "-euc", command], capture_output=True, text=True, check=True, env={})
    assert done.stdout.split("\0") == [value, f"x={value}"]


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_container_is_confined(service: Service) -> None:
    arguments = container_arguments(service, SETTINGS, "/secrets")
    assert arguments["read_only"] is True
    assert arguments["privileged"] is False
    assert arguments["capabilities"] == {"drops": ["ALL"]}
    assert arguments["security_opts"] == ["no-new-privileges:true"]
    assert not arguments["user"].startswith("0")
    assert arguments["memory"] == arguments["memory_swap"] > 0
    assert float(arguments["cpus"]) > 0
    assert arguments["cgroup_parent"] == f"neurmatic-{service.kind}.slice"
    assert arguments["destroy_grace_seconds"] == arguments["stop_timeout"] >= 30
    assert arguments["healthcheck"]["tests"][0] in ("CMD", "CMD-SHELL")


def test_only_the_load_balancer_is_reached_from_outside() -> None:
    published = {
        service.name: {(port["ip"], port["external"]) for port in container_arguments(service, SETTINGS, "")["ports"]}
        for service in SERVICES
    }
    assert published == {
        "postgres": {("127.0.0.1", 5432)},
        "redis": {("127.0.0.1", 6379)},
        "backend-1": set(),
        "frontend": set(),
        "nginx": {("0.0.0.0", 80), ("0.0.0.0", 443)},
    }


def test_no_argument_holds_a_secret_or_its_place() -> None:
    for service in SERVICES:
        assert "{" not in str(container_arguments(service, SETTINGS, "/secrets")["envs"]).replace("{}", "")
    command = script("neurmatic-network", SERVICES[2], SETTINGS.backend.migration, "/secrets", "/history")
    assert "{postgres}" not in command
    assert "npx prisma migrate deploy && exit\n" in command
    assert f"ghcr.io/alexbaum-ai/neurm-backend@{RELEASE.backend}" in command


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_the_provider_waits_for_all_but_what_rolls(service: Service) -> None:
    """Of a container that fails it would keep the log for itself, and the state would hold half of it."""
    arguments = container_arguments(service, SETTINGS, "/secrets")
    judged_by_the_switch = service.kind in ("backend", "frontend")
    assert arguments["wait"] is not judged_by_the_switch
    assert arguments["must_run"] is not judged_by_the_switch
