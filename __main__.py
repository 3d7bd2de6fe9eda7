"""Neurmatic: a full stack on a VPS behind Cloudflare. Settings in, components wired, outputs out."""

import os

import pulumi

from components.adoption import adopt_existing
from components.certificates.component import Certificate, CertificateArgs
from components.containers.component import ContainerStack, ContainerStackArgs
from components.containers.opt_in import STANDING, must_be_allowed
from components.credentials.component import Credentials, CredentialsArgs
from components.edge.component import CloudflareEdge, CloudflareEdgeArgs, rules_of
from components.host.component import VpsHost, VpsHostArgs
from components.outputs import CONTRACT, SECRETS
from components.providers import cloud_providers, engine_on
from components.publish.component import PublishedContract, PublishedContractArgs
from components.settings import SettingsError, load, notes, read_secrets, required_secrets
from components.storage.component import Storage, StorageArgs
from components.values import DataPolicy
from neurmatic.certified import certified
from neurmatic.contract import promised
from neurmatic.credentials import CREDENTIALS, generations, kept_valid, key_generations, surroundings
from neurmatic.place import place, stands
from neurmatic.server import items, write_secrets
from neurmatic.settings import NeurmaticSettings


def main() -> None:
    adopting = adopt_existing(os.environ)
    config = pulumi.Config()
    settings = load(NeurmaticSettings, config, rehearsal="INFRA_REHEARSAL" in os.environ)
    secrets = read_secrets(config, required_secrets(NeurmaticSettings, settings), stack=pulumi.get_stack())
    for note in notes(settings):
        pulumi.log.info(note)
    here, standing = place(settings), stands(settings)
    must_be_allowed(settings.containers.allow, standing)
    site, tags, disposable = settings.site, here.labels, settings.data is DataPolicy.DISPOSABLE
    clouds = cloud_providers(settings.storage.region, secrets["cloudflare_api_token"], tags)
    on_clouds = pulumi.ResourceOptions(providers=clouds)

    made = CredentialsArgs(settings.credentials.length, generations(settings), kept_valid(settings))
    credentials = Credentials("credentials", made, on_clouds)
    stored = StorageArgs(settings.storage, site.origins, disposable, tags, key_generations(settings), secrets)
    storage = Storage("storage", stored, on_clouds)
    if adopting:
        return
    rules, signs = rules_of(settings.edge.tenants), settings.containers.certificates.by_cloudflare
    edged = CloudflareEdgeArgs(settings.edge, site, settings.host.ipv4, settings.host.ipv6, rules, signs)
    edge = CloudflareEdge("edge", edged, on_clouds)
    hosted = VpsHostArgs(settings.host, items(settings), os.environ.get("INFRA_HOST_DRIFT", ""))
    host = VpsHost("vps", hosted, on_clouds)
    write_secrets(host, settings, secrets, storage.dumps, edge.origin_pulls)
    engine = engine_on(host, settings.containers.registry, secrets.get("registry_token"))
    contained = ContainerStackArgs(
        settings=settings.containers,
        place=here,
        around=surroundings(settings),
        connection=host.connection,
        credentials=credentials,
        disposable=disposable,
        secrets={**secrets, "media_key_id": storage.uploads.id, "media_key": storage.uploads.secret},
        client_ca=edge.origin_pulls.client_ca if edge.origin_pulls else None,
    )
    stack = ContainerStack("stack", contained, pulumi.ResourceOptions(providers=[*clouds, engine]))
    token = secrets.get("cloudflare_dns_token")
    signed = CertificateArgs(certified(settings), host, [edge, stack], token, edge.origin_certificate)
    Certificate("certificate", signed, on_clouds)
    promise = promised(settings)
    PublishedContract("contract", PublishedContractArgs(settings.publish, promise, disposable, tags), on_clouds)

    pulumi.export(CONTRACT, promise.model_dump())
    pulumi.export(SECRETS, pulumi.Output.secret({name: credentials[name] for name in CREDENTIALS}))
    pulumi.export("edge", edge.outputs())
    pulumi.export(STANDING, standing)


try:
    main()
except SettingsError as error:
    raise pulumi.RunError(str(error)) from None
