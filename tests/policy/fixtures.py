"""One compliant resource of each kind, all of one stack. A test breaks it in one place."""

from __future__ import annotations

import json
from typing import Any

Props = dict[str, Any]
ZONE = "0123456789abcdef0123456789abcdef"
TAGS = {"product": "neurmatic", "environment": "production"}
LABELS = [{"label": key, "value": value} for key, value in TAGS.items()]

CONTAINER = "docker:index/container:Container"
NGINX: Props = {
    "name": "nginx",
    "image": "registry.example/nginx:1.27.4",
    "privileged": False,
    "readOnly": True,
    "user": "101:101",
    "networkMode": "bridge",
    "networksAdvanced": [{"name": "neurmatic"}],
    "capabilities": {"drops": ["ALL"], "adds": ["CAP_NET_BIND_SERVICE"]},
    "securityOpts": ["no-new-privileges:true"],
    "memory": 256.0,
    "memorySwap": 256.0,
    "cpus": "1",
    "ulimits": [{"name": "nproc", "soft": 512.0, "hard": 512.0}],
    "restart": "unless-stopped",
    "destroyGraceSeconds": 30.0,
    "logDriver": "json-file",
    "logOpts": {"max-size": "10m", "max-file": "5"},
    "healthcheck": {"tests": ["CMD", "true"]},
    "ports": [{"internal": 80.0, "external": 80.0}, {"internal": 443.0, "external": 443.0, "ip": "0.0.0.0"}],
    "mounts": [
        {"type": "bind", "source": "/etc/letsencrypt", "target": "/etc/letsencrypt", "readOnly": True},
        {"type": "bind", "source": "/mnt/data/x", "target": "/x", "bindOptions": {"propagation": "rprivate"}},
    ],
    "volumes": [{"hostPath": "/mnt/data/nginx", "containerPath": "/data"}],
    "envs": ["TZ=UTC", "API_URL=https://api.example.com"],
    "groupAdds": ["101"],
    "sysctls": {"net.core.somaxconn": "1024"},
    "command": ["nginx", "-g", "daemon off;"],
    "labels": LABELS,
}
POSTGRES: Props = {
    **NGINX,
    "name": "postgres",
    "image": "postgres:15.4-alpine@sha256:" + "0" * 64,
    "ports": [{"internal": 5432.0, "external": 5432.0, "ip": "127.0.0.1"}],
    "mounts": [{"type": "bind", "source": "/mnt/data/postgres", "target": "/var/lib/postgresql/data"}],
    "volumes": [],
    "envs": ["POSTGRES_PASSWORD_FILE=/run/secrets/postgres"],
    "command": ["postgres", "-c", "fsync=on"],
}
SERVICE = "docker:index/service:Service"
WEB: Props = {
    "name": "web",
    "endpointSpec": {"ports": [{"targetPort": 8080.0, "publishedPort": 443.0}]},
    "updateConfig": {"failureAction": "rollback", "order": "start-first"},
    "taskSpec": {
        "logDriver": {"name": "json-file", "options": {"max-size": "10m"}},
        "resources": {"limits": {"memoryBytes": 268435456.0, "nanoCpus": 1000000000.0}},
        "containerSpec": {
            "image": "registry.example/web:2.1.0",
            "user": "1000",
            "readOnly": True,
            "capDrops": ["ALL"],
            "capAdds": ["NET_BIND_SERVICE"],
            "healthcheck": {"tests": ["CMD", "true"]},
            "env": {"TZ": "UTC"},
            "mounts": [{"type": "bind", "source": "/mnt/data/web", "target": "/data"}],
        },
    },
    "auth": {"serverAddress": "registry.example"},
}
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
TLS_STATEMENT: Props = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": ["arn:aws:s3:::media", "arn:aws:s3:::media/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
READERS: Props = {
    "Effect": "Allow",
    "Principal": {"AWS": ["arn:aws:iam::123456789012:role/reader"]},
    "Action": ["s3:GetObject"],
    "Resource": ["arn:aws:s3:::media/*"],
}


def document(*statements: Props) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def tls_policy(**changes: Any) -> Props:
    return {"bucket": "media", "policy": document({**TLS_STATEMENT, **changes})}


OWN_OBJECTS: Props = {
    "Effect": "Allow",
    "Action": ["s3:GetObject", "s3:PutObject"],
    "Resource": "arn:aws:s3:::media/*",
}
TRUST: Props = {
    "Effect": "Allow",
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
    "Condition": {
        "StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/infra:environment:production"}
    },
}

REMOTE = "command:remote:Command"
COMMAND: Props = {
    "connection": {"host": "10.0.0.1", "user": "deploy", "hostKey": "ssh-ed25519 AAAA", "privateKey": "key"},
    "create": "install -d /opt/neurmatic && curl -fsS -o /tmp/x https://x.example/ && sha256sum -c sums",
    "update": "sudo ufw allow from 203.0.113.7 to any port 5432 && chmod 0640 /opt/neurmatic/x",
    "delete": "rm -rf /opt/neurmatic/cache",
    "environment": {"LANG": "C"},
    "logging": "none",
    "addPreviousOutputInEnv": False,
}
FIREWALL: Props = {
    "zoneId": ZONE,
    "phase": "http_request_firewall_custom",
    "rules": [
        {
            "ref": "health",
            "action": "skip",
            "description": "Health checks pass",
            "expression": 'http.request.uri.path eq "/health"',
        },
        {
            "ref": "sqli",
            "action": "block",
            "description": "SQL injection",
            "expression": 'http.request.uri contains "union select"',
        },
    ],
}
MANAGED: Props = {
    "zoneId": ZONE,
    "phase": "http_request_firewall_managed",
    "rules": [
        {
            "ref": "managed",
            "action": "execute",
            "description": "Managed rules",
            "expression": "true",
            "actionParameters": {"id": "efb7b8c949ac4650a09736fc376e9aee"},
        },
        {
            "ref": "owasp",
            "action": "execute",
            "description": "OWASP core rules",
            "expression": "true",
            "actionParameters": {
                "id": "4814384a9e5d4991b9815dcfc25d2f1f",
                "overrides": {"enabled": True, "action": "block"},
            },
        },
    ],
}
LIMITS: Props = {
    "zoneId": ZONE,
    "phase": "http_ratelimit",
    "rules": [
        {
            "ref": "login",
            "action": "block",
            "description": "Logins",
            "expression": 'starts_with(http.request.uri.path, "/api/v1/auth/login")',
            "ratelimit": {
                "characteristics": ["cf.colo.id", "ip.src"],
                "period": 60.0,
                "requestsPerPeriod": 5.0,
                "mitigationTimeout": 60.0,
            },
        }
    ],
}
REDIRECTS: Props = {
    "zoneId": ZONE,
    "phase": "http_request_dynamic_redirect",
    "rules": [
        {
            "ref": "https",
            "action": "redirect",
            "description": "To https",
            "expression": "not ssl",
            "actionParameters": {"fromValue": {"targetUrl": {"value": "https://example.com/"}}},
        }
    ],
}
CACHE: Props = {
    "zoneId": ZONE,
    "phase": "http_request_cache_settings",
    "rules": [
        {
            "ref": "assets",
            "action": "set_cache_settings",
            "description": "Static files",
            "expression": 'http.request.uri.path.extension in {"css" "js"}',
            "actionParameters": {
                "cache": True,
                "edgeTtl": {"mode": "override_origin", "default": 86400.0},
                "cacheKey": {"cacheDeceptionArmor": True},
            },
        }
    ],
}
CONFIG: Props = {
    "zoneId": ZONE,
    "phase": "http_config_settings",
    "rules": [
        {
            "ref": "downloads",
            "action": "set_config",
            "description": "Downloads",
            "expression": 'starts_with(http.request.uri.path, "/files/")',
            "actionParameters": {"ssl": "strict", "automaticHttpsRewrites": True, "bic": True, "securityLevel": "high"},
        }
    ],
}
HEADERS: Props = {
    "zoneId": ZONE,
    "phase": "http_response_headers_transform",
    "rules": [
        {
            "ref": "headers",
            "action": "rewrite",
            "description": "Security headers",
            "expression": "true",
            "actionParameters": {
                "headers": {
                    "Strict-Transport-Security": {"operation": "set", "value": "max-age=31536000"},
                    "Access-Control-Allow-Origin": {"operation": "set", "value": "https://example.com"},
                }
            },
        }
    ],
}


def setting(name: str, value: Any) -> tuple[str, Props]:
    return "cloudflare:index/zoneSetting:ZoneSetting", {"zoneId": ZONE, "settingId": name, "value": value}


def record(kind: str, name: str, content: str, **more: Any) -> tuple[str, Props]:
    proxied = kind in ("A", "AAAA", "CNAME")
    return "cloudflare:index/dnsRecord:DnsRecord", {
        "zoneId": ZONE,
        "type": kind,
        "name": name,
        "content": content,
        "proxied": proxied,
        "ttl": 1.0 if proxied else 300.0,
        **more,
    }


def s3(name: str) -> str:
    return f"aws:s3/{name[0].lower()}{name[1:]}:{name}"


def cloudflare(name: str) -> str:
    return f"cloudflare:index/{name[0].lower()}{name[1:]}:{name}"
