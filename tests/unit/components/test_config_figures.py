"""The defaults are the figures of the specs."""

import pytest

from components.alerts import NeurmaticAlerts, NeuropilotAlerts
from components.backup.config import BackupSettings, NeonDatabase, RcloneBackup
from components.containers.config import (
    BackendSettings,
    Certificates,
    ContainersSettings,
    FrontendSettings,
    NginxSettings,
    RedisSettings,
)
from components.containers.postgres import PostgresSettings
from components.credentials.config import CredentialsSettings
from components.edge.config import EdgeSettings, PlatformEdge, Tls
from components.host.config import HostSettings, Limits, Upgrades
from components.section import Section
from components.site import Caching, Cors, NeurmaticLimits, NeurmaticSite, NeuropilotLimits, SecurityHeaders
from components.storage.config import BackupBucket, StorageSettings

PACKAGES = [
    *("curl", "wget", "git", "vim", "docker.io", "docker-compose", "nginx", "certbot", "python3-certbot-nginx"),
    *("postgresql-client", "redis-tools", "ufw", "fail2ban", "htop", "iotop", "nethogs"),
]
DIRECTORIES = ["backend", "frontend", "infrastructure/nginx", "infrastructure/scripts", "backups", "logs"]
FIGURES = [
    (HostSettings, "packages", PACKAGES),
    (HostSettings, "directories", DIRECTORIES),
    (HostSettings, "root", "/opt/neurmatic"),
    (HostSettings, "data", "/mnt/data"),
    (HostSettings, "logs_kept", "30d"),
    (HostSettings, "http_from", "cloudflare"),
    (HostSettings, "reserved_ports", [3000, 5432, 6379]),
    (Limits, "nofile", 65536),
    (Limits, "nproc", 32768),
    (Upgrades, "enabled", True),
    (EdgeSettings, "plan", "pro"),
    (EdgeSettings, "on_misfit", "looser"),
    (EdgeSettings, "ttl", "5m"),
    (Tls, "minimum", "1.2"),
    (PlatformEdge, "www_target", "cname.vercel-dns.com"),
    (PlatformEdge, "body_limit", 512),
    (NeurmaticLimits, "api", "10/s"),
    (NeurmaticLimits, "login", "5/min"),
    (NeurmaticLimits, "registration", "3/min"),
    (NeurmaticLimits, "burst", 20),
    (NeurmaticLimits, "connections", 10),
    (NeuropilotLimits, "general", "300/10min"),
    (NeuropilotLimits, "auth", "10/15min"),
    (NeurmaticSite, "websocket_path", "/socket.io/"),
    (NeurmaticSite, "websocket_timeout", "7d"),
    (Caching, "api", "5m"),
    (Caching, "assets", "1d"),
    (Cors, "methods", ["GET", "POST", "PUT", "DELETE", "OPTIONS"]),
    (Cors, "max_age", "1d"),
    (SecurityHeaders, "strict_transport_security", "max-age=31536000; includeSubDomains; preload"),
    (SecurityHeaders, "frame_options", "SAMEORIGIN"),
    (SecurityHeaders, "content_type_options", "nosniff"),
    (SecurityHeaders, "xss_protection", "1; mode=block"),
    (SecurityHeaders, "referrer_policy", "strict-origin-when-cross-origin"),
    (SecurityHeaders, "permissions_policy", "geolocation=(), microphone=(), camera=()"),
    (StorageSettings, "region", "eu-west-1"),
    (BackupBucket, "prefix", "database/"),
    (BackupBucket, "archive_after", "90d"),
    (BackupBucket, "archive_class", "GLACIER"),
    (BackupBucket, "delete_after", "365d"),
    (PostgresSettings, "image", "postgres:15-alpine"),
    (PostgresSettings, "cpus", 4),
    (PostgresSettings, "memory", "4GB"),
    (PostgresSettings, "max_connections", 200),
    (PostgresSettings, "shared_buffers", "512MB"),
    (PostgresSettings, "effective_cache_size", "2GB"),
    (PostgresSettings, "maintenance_work_mem", "128MB"),
    (PostgresSettings, "checkpoint_completion_target", 0.9),
    (PostgresSettings, "wal_buffers", "16MB"),
    (PostgresSettings, "work_mem", "2621kB"),
    (PostgresSettings, "max_worker_processes", 4),
    (PostgresSettings, "max_parallel_workers", 4),
    (PostgresSettings, "log_min_duration", 1000),
    (RedisSettings, "image", "redis:7-alpine"),
    (RedisSettings, "maxmemory", "2GB"),
    (RedisSettings, "policy", "allkeys-lru"),
    (RedisSettings, "append_only", True),
    (RedisSettings, "snapshots", ["900 1", "300 10", "60 10000"]),
    (BackendSettings, "image", "ghcr.io/alexbaum-ai/neurm-backend"),
    (BackendSettings, "count", 2),
    (BackendSettings, "cpus", 2),
    (BackendSettings, "memory", "2GB"),
    (BackendSettings, "pool_cap", 50),
    (BackendSettings, "pool_timeout", "30s"),
    (BackendSettings, "access_lifetime", "15m"),
    (BackendSettings, "refresh_lifetime", "30d"),
    (BackendSettings, "bcrypt_rounds", 12),
    (BackendSettings, "rate_window", "15m"),
    (BackendSettings, "rate_requests", 100),
    (BackendSettings, "log_level", "warn"),
    (FrontendSettings, "image", "ghcr.io/alexbaum-ai/neurm-frontend"),
    (NginxSettings, "image", "nginx:alpine"),
    (NginxSettings, "worker_connections", 4096),
    (NginxSettings, "keepalive", 64),
    (NginxSettings, "max_fails", 3),
    (NginxSettings, "fail_timeout", "30s"),
    (NginxSettings, "gzip_level", 6),
    (NginxSettings, "session_cache", "50MB"),
    (NginxSettings, "session_timeout", "1d"),
    (NginxSettings, "log_buffer", 32),
    (Certificates, "issuer", "lets_encrypt_http01"),
    (Certificates, "email", "admin@neurmatic.com"),
    (ContainersSettings, "network", "neurmatic-network"),
    (CredentialsSettings, "length", 64),
    (CredentialsSettings, "password_age", "90d"),
    (CredentialsSettings, "jwt_age", "90d"),
    (BackupSettings, "schedule", "02:00"),
    (BackupSettings, "before_deploy", True),
    (BackupSettings, "local_kept", "30d"),
    (BackupSettings, "compression", 9),
    (BackupSettings, "max_age", "36h"),
    (NeonDatabase, "name", "neuropilot_inventory"),
    (NeonDatabase, "region", "us-east-2"),
    (NeonDatabase, "migrator_role", "migrator_user"),
    (NeonDatabase, "app_role", "app_user"),
    (RcloneBackup, "kept", "30d"),
    (NeurmaticAlerts, "error_rate", {"warning": 0.05, "critical": 0.1}),
    (NeurmaticAlerts, "latency", {"warning": 500, "critical": 1000}),
    (NeurmaticAlerts, "cpu", {"warning": 0.8, "critical": 0.9}),
    (NeurmaticAlerts, "memory", {"warning": 0.85, "critical": 0.95}),
    (NeurmaticAlerts, "disk", {"warning": 0.85, "critical": 0.95}),
    (NeurmaticAlerts, "connections", {"warning": 180 / 200, "critical": 195 / 200}),
    (NeurmaticAlerts, "redis_memory", {"warning": 1.8 / 2, "critical": 1.95 / 2}),
    (NeurmaticAlerts, "healthy", {"disk_used": 0.9, "memory_free": 0.1}),
    (NeuropilotAlerts, "error_rate", 0.05),
    (NeuropilotAlerts, "error_time", "5m"),
    (NeuropilotAlerts, "waf_blocks", 1000),
    (NeuropilotAlerts, "connections", 0.9),
]  # fmt: skip


@pytest.mark.parametrize(("section", "key", "figure"), FIGURES, ids=lambda each: getattr(each, "__name__", None))
def test_a_default_is_the_figure_of_the_spec(section: type[Section], key: str, figure: object) -> None:
    assert section.model_construct().model_dump(mode="json", warnings=False)[key] == figure


def test_kernel_settings_of_the_spec_stay_below_a_stacks_own() -> None:
    host = HostSettings.model_construct(sysctl={"vm.swappiness": "1"})
    assert host.kernel == {
        "fs.file-max": "2097152",
        "net.core.somaxconn": "65535",
        "net.ipv4.tcp_max_syn_backlog": "8192",
        "net.ipv4.ip_local_port_range": "1024 65535",
        "vm.swappiness": "1",
    }


def test_the_large_profile_and_what_a_stack_says_itself() -> None:
    text = '{"profile": "large", "database": "a", "user": "b", "work_mem": "8MB"}'
    postgres = PostgresSettings.model_validate_json(text, strict=True)
    figures = postgres.model_dump(mode="json")
    assert {key: figures[key] for key in ("cpus", "memory", "max_connections", "shared_buffers")} == {
        "cpus": 8,
        "memory": "32GB",
        "max_connections": 400,
        "shared_buffers": "8GB",
    }
    assert (figures["effective_cache_size"], figures["work_mem"]) == ("24GB", "8MB")
