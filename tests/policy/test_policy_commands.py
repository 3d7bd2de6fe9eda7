"""What people write in commands, containers and policies every day, and what is no finding."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures import CONTAINER, NGINX, REMOTE, document
from judge import all_findings, changed, judge, resource
from stack import GOOD

COMMAND = GOOD["command"][1]
HARMLESS = [
    "curl -fsSL https://example.com/x.tar.gz -o /tmp/x.tar.gz && sha256sum -c sums && tar xzf /tmp/x.tar.gz",
    "wget -qO- https://example.com/x.tar.gz | tar xz -C /opt/neurmatic",
    "curl -fsS http://127.0.0.1:3000/api/v1/health | grep -q healthy",
    "curl -fsS http://localhost/ -o /dev/null",
    "curl -fsSL https://example.com/key.asc | gpg --dearmor -o /etc/apt/keyrings/x.gpg",
    "echo done | sh -c 'cat'",
    "bash /opt/neurmatic/infrastructure/scripts/backup.sh --quiet",
    'PGPASSWORD="$(cat /run/secrets/postgres)" psql -c "select 1"',
    "PGPASSWORD=$POSTGRES_PASSWORD psql",
    "docker login --username x --password-stdin ghcr.io < /run/secrets/registry",
    "POSTGRES_PASSWORD_FILE=/run/secrets/postgres docker compose up -d",
    "psql postgres://app@127.0.0.1:5432/app",
    'psql "postgres://app:$PASSWORD@127.0.0.1/app"',
    "ufw allow from 203.0.113.7 to any port 5432 proto tcp",
    "ufw allow 443/tcp && ufw allow 80/tcp && ufw allow OpenSSH",
    "ufw default deny incoming && ufw default allow outgoing && ufw --force enable",
    "iptables -A DOCKER-USER -j DROP",
    "systemctl restart fail2ban && systemctl enable --now unattended-upgrades",
    "systemctl disable --now apache2",
    "apt-get remove -y nginx",
    "printf '%s\\n' 'PasswordAuthentication no' 'PermitRootLogin no' > /etc/ssh/sshd_config.d/50-x.conf",
    "# PermitRootLogin yes would be wrong here",
    "chmod 0755 /opt/neurmatic/scripts && chmod u+w /opt/neurmatic/x && chmod go-w /opt/neurmatic/y",
    "install -d -m 0711 /opt/neurmatic/secrets && install -m 0644 a b && umask 077",
    "rm -rf /opt/neurmatic/cache/* && rm -rf -- /tmp/build",
    "docker system prune -af && docker image prune -f",
    "dd if=/dev/zero of=/swapfile bs=1M count=1024 && dd if=/x of=/dev/null",
    "aws s3 cp /opt/neurmatic/backups/x.gz s3://neurmatic-backups/database/",
    "ssh-keyscan -t ed25519 example.com",
    "openssl req -newkey rsa:2048 -keyout key.pem",
    "git clone https://github.com/acme/x.git",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_command_of_every_day_is_no_finding(text: str) -> None:
    given = resource(REMOTE, changed(COMMAND, "create", text), secret=("connection",))
    assert all_findings(given) == {}


VARIABLES = [
    "NODE_ENV=production",
    "JWT_EXPIRES_IN=15m",
    "REFRESH_TOKEN_EXPIRES_IN=30d",
    "BCRYPT_ROUNDS=12",
    "GOOGLE_CLIENT_ID=1234.apps.googleusercontent.com",
    "POSTGRES_PASSWORD_FILE=/run/secrets/postgres",
    "SECRET_NAME=app",
    "TOKEN_TTL=3600",
    "PASSWORD_MIN_LENGTH=12",
    "CSRF_TOKEN_HEADER=X-CSRF-Token",
    "DATABASE_URL=postgres://app@postgres:5432/app?sslmode=disable",
    "REDIS_URL=redis://redis:6379",
    "DATABASE_URL=postgres://app@db.example.com/app?sslmode=verify-full",
    "REDIS_URL=rediss://cache.example.com:6380",
    "API_URL=https://api.example.com",
    "BACKEND=http://backend-1:3000",
    "HEALTH=http://127.0.0.1:3000/health",
    "METRICS=http://10.0.0.5:9090",
    "NODE_TLS_REJECT_UNAUTHORIZED=1",
    "PGSSLMODE=verify-full",
]


@pytest.mark.parametrize("line", VARIABLES)
def test_variable_of_every_day_is_no_finding(line: str) -> None:
    given = resource(CONTAINER, {**NGINX, "envs": [line]}, secret=())
    assert all_findings(given) == {}


IMAGES = ["postgres:15-alpine", "ghcr.io/acme/app:1.4.2", "registry.example:5000/app:v2", "nginx@sha256:" + "a" * 64]


@pytest.mark.parametrize("image", IMAGES)
def test_image_with_a_version_is_pinned(image: str) -> None:
    assert judge("containers-image-pinned", resource(CONTAINER, {**NGINX, "image": image})) == []


GRANTS: list[dict[str, Any]] = [
    {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::media/*"},
    {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::media"},
    {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"},
    {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"},
    {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}},
    {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"},
    {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::123456789012:role/app"},
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::123456789012:role/deploy"},
    {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::backups/database/*"},
]


@pytest.mark.parametrize("statement", GRANTS, ids=lambda each: str(each.get("Action", each.get("NotAction"))))
def test_least_privilege_is_no_finding(statement: dict[str, Any]) -> None:
    given = resource("aws:iam/rolePolicy:RolePolicy", {"role": "app", "policy": document(statement)})
    assert all_findings(given) == {}
