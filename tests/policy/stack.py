"""A stack that breaks no rule: every kind of resource that the pack knows, by a name for the tests."""

from __future__ import annotations

from fixtures import (
    BUCKET_POLICY,
    CACHE,
    COMMAND,
    CONFIG,
    CONTAINER,
    FIREWALL,
    HEADERS,
    LABELS,
    LIMITS,
    MANAGED,
    NGINX,
    OWN_OBJECTS,
    POSTGRES,
    READERS,
    REDIRECTS,
    REMOTE,
    SERVICE,
    TAGS,
    TLS_STATEMENT,
    TRUST,
    WEB,
    ZONE,
    Props,
    cloudflare,
    document,
    record,
    s3,
    setting,
)

CLOSED: Props = {
    "blockPublicAcls": True,
    "blockPublicPolicy": True,
    "ignorePublicAcls": True,
    "restrictPublicBuckets": True,
}
HSTS: Props = {"strict_transport_security": {"enabled": True, "include_subdomains": True, "max_age": 31536000.0}}
GOOD: dict[str, tuple[str, Props]] = {
    "nginx": (CONTAINER, NGINX),
    "postgres": (CONTAINER, POSTGRES),
    "service": (SERVICE, WEB),
    "image": ("docker:index/remoteImage:RemoteImage", {"name": "nginx:1.27.4", "build": {"networkMode": "none"}}),
    "plain-image": ("docker:index/remoteImage:RemoteImage", {"name": "nginx:1.27.4"}),
    "registry-image": ("docker:index/registryImage:RegistryImage", {"name": "x:1.0", "insecureSkipVerify": False}),
    "built": ("docker:index/image:Image", {"build": {"args": {"VERSION": "1.2"}, "network": "default"}}),
    "network": (
        "docker:index/network:Network",
        {"driver": "overlay", "options": {"encrypted": "true"}, "labels": LABELS},
    ),
    "volume": ("docker:index/volume:Volume", {"driverOpts": {"type": "none"}, "labels": LABELS}),
    "plugin": ("docker:index/plugin:Plugin", {"grantAllPermissions": False}),
    "config": ("docker:index/serviceConfig:ServiceConfig", {"data": "d29ya2Vycw=="}),
    "docker": ("pulumi:providers:docker", {"host": "ssh://deploy@h", "sshOpts": '["-o","StrictHostKeyChecking=yes"]'}),
    "command": (REMOTE, COMMAND),
    "local": ("command:local:Command", {"create": "make build", "environment": {"LANG": "C"}}),
    "copy": ("command:remote:CopyToRemote", {"connection": COMMAND["connection"], "remotePath": "/opt/x"}),
    "password": (
        "random:index/randomPassword:RandomPassword",
        {"length": 64.0, "special": False, "keepers": {"rotated": "version-3"}},
    ),
    "suffix": ("random:index/randomString:RandomString", {"length": 8.0}),
    "key": ("tls:index/privateKey:PrivateKey", {"algorithm": "RSA", "rsaBits": 2048.0}),
    "ec-key": ("tls:index/privateKey:PrivateKey", {"algorithm": "ECDSA", "ecdsaCurve": "P256"}),
    "certificate": (
        "tls:index/locallySignedCert:LocallySignedCert",
        {"validityPeriodHours": 8760.0, "allowedUses": ["server_auth"]},
    ),
    "bucket": (s3("Bucket"), {"bucket": "media", "forceDestroy": False, "objectLockEnabled": True, "tags": TAGS}),
    "backups": (
        s3("Bucket"),
        {
            "bucket": "backups",
            "objectLockEnabled": True,
            "tags": {**TAGS, "holds": "backups"},
            "versioning": {"enabled": True},
        },
    ),
    "access-block": (s3("BucketPublicAccessBlock"), {"bucket": "media", **CLOSED}),
    "backups-access-block": (s3("BucketPublicAccessBlock"), {"bucket": "backups", **CLOSED}),
    "account-block": (s3("AccountPublicAccessBlock"), CLOSED),
    "access-point": (s3("AccessPoint"), {"bucket": "media", "publicAccessBlockConfiguration": CLOSED}),
    "ownership": (
        s3("BucketOwnershipControls"),
        {"bucket": "media", "rule": {"objectOwnership": "BucketOwnerEnforced"}},
    ),
    "bucket-policy": (BUCKET_POLICY, {"bucket": "media", "policy": document(TLS_STATEMENT, READERS)}),
    "backups-policy": (
        BUCKET_POLICY,
        {
            "bucket": "backups",
            "policy": document({**TLS_STATEMENT, "Resource": ["arn:aws:s3:::backups", "arn:aws:s3:::backups/*"]}),
        },
    ),
    "acl": (s3("BucketAcl"), {"bucket": "media", "acl": "private"}),
    "grants": (
        s3("BucketAcl"),
        {
            "bucket": "media",
            "accessControlPolicy": {"grants": [{"grantee": {"uri": "https://acs/groups/s3/LogDelivery"}}]},
        },
    ),
    "object": (s3("BucketObjectv2"), {"bucket": "media", "key": "x", "kmsKeyId": "arn:aws:kms:x"}),
    "versioning": (
        s3("BucketVersioning"),
        {"bucket": "media", "versioningConfiguration": {"status": "Enabled", "mfaDelete": "Enabled"}},
    ),
    "encryption": (
        s3("BucketServerSideEncryptionConfiguration"),
        {
            "bucket": "media",
            "rules": [
                {
                    "bucketKeyEnabled": True,
                    "applyServerSideEncryptionByDefault": {
                        "sseAlgorithm": "aws:kms",
                        "kmsMasterKeyId": "arn:aws:kms:x",
                    },
                }
            ],
        },
    ),
    "lifecycle": (
        s3("BucketLifecycleConfiguration"),
        {
            "bucket": "media",
            "rules": [
                {
                    "status": "Enabled",
                    "filter": {"prefix": "temporary/"},
                    "expiration": {"days": 7.0},
                    "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7.0},
                    "noncurrentVersionExpiration": {"noncurrentDays": 30.0},
                }
            ],
        },
    ),
    "backups-lifecycle": (
        s3("BucketLifecycleConfiguration"),
        {
            "bucket": "backups",
            "rules": [
                {
                    "status": "Enabled",
                    "expiration": {"days": 365.0},
                    "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7.0},
                    "noncurrentVersionExpiration": {"noncurrentDays": 30.0},
                }
            ],
        },
    ),
    "cors": (
        s3("BucketCorsConfiguration"),
        {"bucket": "media", "corsRules": [{"allowedOrigins": ["https://example.com"]}]},
    ),
    "website": (
        s3("BucketWebsiteConfiguration"),
        {"bucket": "media", "redirectAllRequestsTo": {"hostName": "example.com", "protocol": "https"}},
    ),
    "role": (
        "aws:iam/role:Role",
        {
            "assumeRolePolicy": document(TRUST),
            "managedPolicyArns": ["arn:aws:iam::aws:policy/service-role/X"],
            "inlinePolicies": [{"name": "x", "policy": document(OWN_OBJECTS)}],
            "tags": TAGS,
        },
    ),
    "policy": ("aws:iam/rolePolicy:RolePolicy", {"role": "app", "policy": document(OWN_OBJECTS)}),
    "attachment": (
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {"role": "app", "policyArn": "arn:aws:iam::123456789012:policy/app"},
    ),
    "access-key": ("aws:iam/accessKey:AccessKey", {"user": "app", "status": "Active"}),
    "password-policy": (
        "aws:iam/accountPasswordPolicy:AccountPasswordPolicy",
        {
            "minimumPasswordLength": 14.0,
            "requireLowercaseCharacters": True,
            "requireUppercaseCharacters": True,
            "requireNumbers": True,
            "requireSymbols": True,
            "passwordReusePrevention": 24.0,
            "maxPasswordAge": 90.0,
        },
    ),
    "aws": ("pulumi:providers:aws", {"region": "eu-west-1", "insecure": "false"}),
    "cloudflare": ("pulumi:providers:cloudflare", {"baseUrl": "https://api.cloudflare.com/client/v4"}),
    "ssl": setting("ssl", "strict"),
    "min-tls": setting("min_tls_version", "1.2"),
    "tls-1-3": setting("tls_1_3", "on"),
    "rewrites": setting("automatic_https_rewrites", "on"),
    "hsts": setting("security_header", HSTS),
    "zero-rtt": setting("0rtt", "off"),
    "ciphers": setting("ciphers", ["ECDHE-ECDSA-AES128-GCM-SHA256"]),
    "browser-check": setting("browser_check", "on"),
    "development": setting("development_mode", "off"),
    "challenge": setting("challenge_ttl", 1800.0),
    "host-tls": (cloudflare("HostnameTlsSetting"), {"zoneId": ZONE, "settingId": "min_tls_version", "value": "1.2"}),
    "api": record("A", "api.example.com", "51.83.45.10"),
    "caa": record("CAA", "example.com", ""),
    "spf": record("TXT", "example.com", '"v=spf1 include:sendgrid.net -all"'),
    "dmarc": record("TXT", "_dmarc.example.com", '"v=DMARC1; p=quarantine"'),
    "dkim": record("CNAME", "s1._domainkey.example.com", "s1.domainkey.u1.wl.sendgrid.net", proxied=False),
    "dnssec": (cloudflare("ZoneDnssec"), {"zoneId": ZONE, "status": "active"}),
    "bots": (cloudflare("BotManagement"), {"zoneId": ZONE, "sbfmDefinitelyAutomated": "block", "enableJs": True}),
    "firewall": (cloudflare("Ruleset"), FIREWALL),
    "managed": (cloudflare("Ruleset"), MANAGED),
    "limits": (cloudflare("Ruleset"), LIMITS),
    "redirects": (cloudflare("Ruleset"), REDIRECTS),
    "cache": (cloudflare("Ruleset"), CACHE),
    "config-rules": (cloudflare("Ruleset"), CONFIG),
    "headers": (cloudflare("Ruleset"), HEADERS),
    "pulls": (cloudflare("AuthenticatedOriginPullsSettings"), {"zoneId": ZONE, "enabled": True}),
    "host-pulls": (cloudflare("AuthenticatedOriginPulls"), {"zoneId": ZONE, "configs": [{"enabled": True}]}),
    "universal": (cloudflare("UniversalSslSetting"), {"zoneId": ZONE, "enabled": True}),
    "origin-certificate": (cloudflare("OriginCaCertificate"), {"requestedValidity": 365.0}),
    "health": (
        cloudflare("Healthcheck"),
        {"zoneId": ZONE, "type": "HTTPS", "suspended": False, "httpConfig": {"allowInsecure": False}},
    ),
    "page-rule": (
        cloudflare("PageRule"),
        {"zoneId": ZONE, "actions": {"ssl": "strict", "forwardingUrl": {"url": "https://example.com/"}, "waf": "on"}},
    ),
    "access-rule": (
        cloudflare("AccessRule"),
        {"mode": "whitelist", "configuration": {"target": "ip", "value": "203.0.113.7"}},
    ),
    "list": (cloudflare("List"), {"kind": "ip", "items": [{"ip": "203.0.113.0/24"}]}),
    "lockdown": (cloudflare("ZoneLockdown"), {"zoneId": ZONE, "paused": False}),
    "balancer": (cloudflare("LoadBalancer"), {"zoneId": ZONE, "proxied": True}),
    "leaked": (cloudflare("LeakedCredentialCheck"), {"zoneId": ZONE, "enabled": True}),
    "normalization": (cloudflare("UrlNormalizationSettings"), {"zoneId": ZONE, "scope": "both", "type": "cloudflare"}),
    "spectrum": (cloudflare("SpectrumApplication"), {"zoneId": ZONE, "protocol": "tcp/443"}),
    "legacy": (cloudflare("FirewallRule"), {"zoneId": ZONE, "action": "block"}),
    "token": (
        cloudflare("ApiToken"),
        {
            "policies": [{"resources": {f"com.cloudflare.api.account.zone.{ZONE}": "*"}}],
            "expiresOn": "2027-01-01T00:00:00Z",
            "condition": {"requestIp": {"ins": ["203.0.113.7/32"]}},
        },
    ),
    "r2-domain": (cloudflare("R2CustomDomain"), {"minTls": "1.2"}),
    "r2-managed": (cloudflare("R2ManagedDomain"), {"enabled": False}),
    "logging": (s3("BucketLogging"), {"bucket": "media", "targetBucket": "logs"}),
    "backups-logging": (s3("BucketLogging"), {"bucket": "backups", "targetBucket": "logs"}),
    "replication": (s3("BucketReplicationConfig"), {"bucket": "media"}),
    "backups-replication": (s3("BucketReplicationConfig"), {"bucket": "backups"}),
    "events": (s3("BucketNotification"), {"bucket": "media", "eventbridge": True}),
    "backups-events": (s3("BucketNotification"), {"bucket": "backups", "eventbridge": True}),
}
