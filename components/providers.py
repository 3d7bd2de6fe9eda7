"""Every provider is made here and named to the components: with default providers off, none can slip in by mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from components.containers.config import Registry
from components.sdk import enter_lightly

enter_lightly("pulumi_cloudflare")

import pulumi_command as command  # noqa: E402
import pulumi_docker as docker  # noqa: E402
import pulumi_random as random  # noqa: E402
import pulumi_tls as tls  # noqa: E402
from pulumi_cloudflare.provider import Provider as CloudflareProvider  # noqa: E402

if TYPE_CHECKING:
    from components.host.component import VpsHost


def cloud_providers(
    region: str, cloudflare_token: pulumi.Input[str], tags: Mapping[str, str]
) -> list[pulumi.ProviderResource]:
    """AWS credentials come from the environment (a role or a profile); Cloudflare's token is a secret of the stack."""
    return [
        aws.Provider("aws", region=region, default_tags={"tags": dict(tags)}),
        CloudflareProvider("cloudflare", api_token=cloudflare_token),
        command.Provider("command"),
        random.Provider("random"),
        tls.Provider("tls"),
    ]


def engine_on(host: VpsHost, registry: Registry, token: pulumi.Input[str] | None) -> docker.Provider:
    """The server's engine; what it pulls from the registry it pulls with the token, once there is a release."""
    login: docker.ProviderRegistryAuthArgsDict = {"address": registry.host, "username": registry.user}
    return docker.Provider(
        "docker",
        host=host.docker_host,
        ssh_opts=host.ssh_options,
        registry_auth=[{**login, "password": token}] if token is not None else None,
    )
