"""NeuroPilot Inventory: Cloudflare in front of Railway and Vercel, a Neon database, encrypted backups."""

import os

import pulumi

from components.credentials.component import Credentials, CredentialsArgs
from components.edge.component import CloudflareEdge, CloudflareEdgeArgs, rules_of
from components.outputs import CONTRACT, SECRETS
from components.providers import cloud_providers
from components.publish.component import PublishedContract, PublishedContractArgs
from components.settings import SettingsError, load, notes, read_secrets, required_secrets
from components.values import DataPolicy
from neuropilot.contract import database_urls, promised
from neuropilot.server import made as server
from neuropilot.settings import NeuropilotSettings


def main() -> None:
    config = pulumi.Config()
    settings = load(NeuropilotSettings, config, rehearsal="INFRA_REHEARSAL" in os.environ)
    secrets = read_secrets(config, required_secrets(NeuropilotSettings, settings), stack=pulumi.get_stack())
    for note in notes(settings):
        pulumi.log.info(note)

    tags = {"product": "neuropilot", "environment": settings.environment.value}
    clouds = cloud_providers(settings.publish.region, secrets["cloudflare_api_token"], tags)
    on_clouds = pulumi.ResourceOptions(providers=clouds)

    made = CredentialsArgs(settings.credentials.length, settings.credentials.generation.model_dump())
    credentials = Credentials("credentials", made, on_clouds)
    tenants = rules_of(settings.edge.tenants)
    edge = CloudflareEdge("edge", CloudflareEdgeArgs(settings.edge, settings.site, tenants=tenants), on_clouds)
    server(settings, os.environ.get("INFRA_HOST_DRIFT", ""), secrets, credentials, on_clouds)
    promise = promised(settings)
    disposable = settings.data is DataPolicy.DISPOSABLE
    PublishedContract("contract", PublishedContractArgs(settings.publish, promise, disposable, tags), on_clouds)

    pulumi.export(CONTRACT, promise.model_dump())
    pulumi.export("edge", edge.outputs())
    pulumi.export(
        SECRETS,
        pulumi.Output.secret(
            {
                **database_urls(settings, credentials),
                "JWT_SECRET": credentials["jwt"],
                "REFRESH_TOKEN_SECRET": credentials["refresh_token"],
                **{key.upper(): value for key, value in secrets.items() if key.startswith("google_client")},
            }
        ),
    )


try:
    main()
except SettingsError as error:
    raise pulumi.RunError(str(error)) from None
