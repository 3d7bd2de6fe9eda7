"""One compliant resource of each kind. A test breaks it in one place."""

from __future__ import annotations

import json
from typing import Any

CONTAINER = "docker:index/container:Container"
NGINX: dict[str, Any] = {
    "name": "nginx",
    "image": "sha256:0123",
    "privileged": False,
    "readOnly": True,
    "user": "101:101",
    "networkMode": "bridge",
    "capabilities": {"drops": ["ALL"], "adds": ["CAP_NET_BIND_SERVICE"]},
    "securityOpts": ["no-new-privileges:true"],
    "memory": 256.0,
    "cpus": "1",
    "logDriver": "json-file",
    "logOpts": {"max-size": "10m", "max-file": "5"},
    "healthcheck": {"tests": ["CMD", "true"]},
    "ports": [{"internal": 80.0, "external": 80.0}, {"internal": 443.0, "external": 443.0, "ip": "0.0.0.0"}],
    "mounts": [{"type": "bind", "source": "/etc/letsencrypt", "target": "/etc/letsencrypt"}],
    "volumes": [{"hostPath": "/mnt/data/nginx", "containerPath": "/data"}],
}
POSTGRES: dict[str, Any] = {
    **NGINX,
    "name": "postgres",
    "ports": [{"internal": 5432.0, "external": 5432.0, "ip": "127.0.0.1"}],
}

BUCKET = "aws:s3/bucket:Bucket"
MEDIA: dict[str, Any] = {"bucket": "media", "forceDestroy": False}
ACCESS_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
CLOSED: dict[str, Any] = {
    "bucket": "media",
    "blockPublicAcls": True,
    "blockPublicPolicy": True,
    "ignorePublicAcls": True,
    "restrictPublicBuckets": True,
}
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
ENFORCED: dict[str, Any] = {"bucket": "media", "rule": {"objectOwnership": "BucketOwnerEnforced"}}
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
TLS_STATEMENT: dict[str, Any] = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": ["arn:aws:s3:::media", "arn:aws:s3:::media/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def tls_policy(**changes: Any) -> dict[str, Any]:
    return {"bucket": "media", "policy": json.dumps({"Statement": [{**TLS_STATEMENT, **changes}]})}


REMOTE = "command:remote:Command"
COMMAND: dict[str, Any] = {
    "connection": {"host": "10.0.0.1", "hostKey": "ssh-ed25519 AAAA"},
    "create": "install -d /opt/neurmatic && curl -fsS -o /tmp/x https://x.example/ && sha256sum -c sums",
}

PASSWORD = "random:index/randomPassword:RandomPassword"
LONG: dict[str, Any] = {"length": 64.0, "special": False}

SETTING = "cloudflare:index/zoneSetting:ZoneSetting"
STRICT: dict[str, Any] = {"settingId": "ssl", "value": "strict"}
RECORD = "cloudflare:index/dnsRecord:DnsRecord"
API: dict[str, Any] = {"name": "api.neurmatic.com", "type": "A", "content": "51.83.45.10", "proxied": True}
RULESET = "cloudflare:index/ruleset:Ruleset"
FIREWALL: dict[str, Any] = {
    "phase": "http_request_firewall_custom",
    "rules": [{"ref": "sqli", "action": "block", "expression": 'http.request.uri contains "union select"'}],
}
