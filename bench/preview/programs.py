"""The programs that production is measured against, and production itself with more to declare."""

from __future__ import annotations

from typing import Any

import yaml

EMPTY = ""

NAIVE = """
import pulumi
import pulumi_aws as aws
import pulumi_cloudflare as cloudflare
import pulumi_command as command
import pulumi_docker as docker
import pulumi_random as random
import pulumi_tls as tls

clouds = {{
    "aws": aws.Provider("aws", region="eu-west-1"),
    "cloudflare": cloudflare.Provider("cloudflare", api_token=pulumi.Config().require_secret("cloudflare_api_token")),
    "command": command.Provider("command"),
    "docker": docker.Provider("docker", host="ssh://deploy@server"),
    "random": random.Provider("random"),
    "tls": tls.Provider("tls"),
}}


def on(cloud):
    return pulumi.ResourceOptions(provider=clouds[cloud])


aws.s3.Bucket("bucket", opts=on("aws"))
command.local.Command("command", create="true", opts=on("command"))
docker.Network("network", opts=on("docker"))
random.RandomPassword("password", length=64, opts=on("random"))
tls.PrivateKey("key", algorithm="ED25519", opts=on("tls"))
for number in range({count}):
    cloudflare.DnsRecord(
        f"record-{{number}}",
        zone_id="0" * 32,
        name=f"n{{number}}.neurmatic.com",
        type="TXT",
        content="text",
        ttl=300,
        opts=on("cloudflare"),
    )
"""


def naive(resources: int) -> str:
    """As many resources as `resources`, of which 5 and the 6 providers are not records."""
    return NAIVE.format(count=max(1, resources - 11))


def with_records(stack_file: str, count: int) -> str:
    """The same stack with so many more DNS records."""
    document: dict[str, Any] = yaml.safe_load(stack_file)
    edge = document["config"]["neurmatic:edge"]
    edge["records"] = [{"name": f"n{number}", "type": "TXT", "content": "text"} for number in range(count)]
    return yaml.safe_dump(document, sort_keys=False)
