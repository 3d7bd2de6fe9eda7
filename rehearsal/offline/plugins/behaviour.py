"""What the real plugins do with each type, as data: what replaces, what is ignored, names, defaults, computed values.

Facts from the schemas and sources of pulumi-docker 5.2, pulumi-cloudflare 6.23 and the AWS provider 6; those that could
be recorded from a running plugin are in tests/unit/rehearsal/offline/plugins/cases/.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Rules:
    """The behaviour of one resource type that only keeps state."""

    replaces: frozenset[str] = frozenset()  # "*" means every input but those `in_place`
    in_place: frozenset[str] = frozenset()
    unordered: frozenset[str] = frozenset()  # sets in the real plugin: order is no change
    delete_first: bool = False
    autoname: str = ""  # the input that gets a generated name when the program gives none
    autoname_limit: int = 255
    defaults: dict[str, Any] = field(default_factory=dict)
    id: str = "{hex32}"
    unique: str = ""  # creating a second one with the same id fails with this sentence
    computed: dict[str, Any] = field(default_factory=dict)
    whole_only: bool = False  # a replacement only when a property comes or goes, not when a part of it changes


def _rules(replaces: str, *, in_place: str = "", unordered: str = "", **more: Any) -> Rules:
    return Rules(frozenset(replaces.split()), frozenset(in_place.split()), frozenset(unordered.split()), **more)


def _of_bucket(replaces: str = "", defaults: dict[str, Any] | None = None) -> Rules:
    """The settings of a bucket: separate resources, each of which stands for one API call on the bucket."""
    return _rules(f"bucket region expectedBucketOwner {replaces}", id="{bucket}", defaults=defaults or {})


def _of_zone(replaces: str = "", defaults: dict[str, Any] | None = None, id: str = "{zoneId}", **more: Any) -> Rules:
    return _rules(f"zoneId {replaces}", id=id, defaults=defaults or {}, **more)


# Changes of healthcheck, tmpfs, init, cpuPeriod and cpuQuota are shown as updates and never reach the container.
_CONTAINER = _rules(
    "capabilities cgroupParent cgroupnsMode command cpus deviceRequests devices dns dnsOpts dnsSearches domainname"
    " entrypoints envs gpus groupAdds hostname hosts image ipcMode labels logDriver logOpts mounts name networkMode"
    " networksAdvanced pidMode platform ports privileged publishAllPorts readOnly runtime securityOpts shmSize"
    " stdinOpen stopSignal stopTimeout storageOpts sysctls tty ulimits uploads user usernsMode volumes workingDir",
    unordered="dns dnsOpts dnsSearches adds drops devices envs groupAdds hosts labels mounts networksAdvanced"
    " ports securityOpts ulimits uploads volumes",
    delete_first=True,
    autoname="name",
    unique='Conflict. The container name "/{name}" is already in use.',
    id="{hex64}",
    defaults={
        "containerReadRefreshTimeoutMilliseconds": 15000,
        "mustRun": True,
        "networkMode": "bridge",
        "removeVolumes": True,
        "restart": "no",
        "start": True,
        "waitTimeout": 60,
    },
    computed={
        "hostname": "{id:.12}",
        "ipcMode": "private",
        "logDriver": "json-file",
        "runtime": "runc",
        "shmSize": 64,
        "stopSignal": "SIGTERM",
    },
)

_ARN_USER = "arn:aws:iam::{account}:user{path}{name}"
_ARN_POLICY = "arn:aws:iam::{account}:policy{path}{name}"

RULES: dict[str, Rules] = {
    "docker:index/container:Container": _CONTAINER,
    "docker:index/network:Network": _rules(
        "*",
        unordered="labels ipamConfigs",
        autoname="name",
        id="{hex64}",
        unique="network with name {name} already exists",
        defaults={"ipamDriver": "default"},
        computed={"driver": "bridge", "scope": "local", "internal": False},
    ),
    "docker:index/volume:Volume": _rules(
        "driver driverOpts labels name",
        unordered="labels",
        autoname="name",
        id="{name}",
        computed={"driver": "local", "mountpoint": "/var/lib/docker/volumes/{name}/_data"},
    ),
    "docker:index/remoteImage:RemoteImage": _rules(
        "name platform pullTriggers triggers",
        unordered="pullTriggers",
        id="sha256:{hex64}{name}",
        computed={"imageId": "sha256:{hex64}", "repoDigest": "{name}@sha256:{hex64}"},
    ),
    "aws:s3/bucket:Bucket": _rules(
        "bucket bucketPrefix bucketNamespace objectLockEnabled region",
        autoname="bucket",
        autoname_limit=63,
        id="{bucket}",
        unique="BucketAlreadyOwnedByYou: the bucket {bucket} exists already",
        computed={
            "arn": "arn:aws:s3:::{bucket}",
            "bucketDomainName": "{bucket}.s3.amazonaws.com",
            "bucketRegionalDomainName": "{bucket}.s3.{region}.amazonaws.com",
            "hostedZoneId": "Z3AQBSTGFAJSTF",
            "requestPayer": "BucketOwner",
        },
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _of_bucket(),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _of_bucket(),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _of_bucket(),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _of_bucket(),
    "aws:s3/bucketPolicy:BucketPolicy": _of_bucket(),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _of_bucket(),
    "aws:s3/bucketLogging:BucketLogging": _of_bucket(),
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": _of_bucket(),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": _of_bucket(
        "objectLockEnabled", {"objectLockEnabled": "Enabled"}
    ),
    "aws:s3/bucketObjectv2:BucketObjectv2": _rules(
        "bucket key region",
        id="{bucket}/{key}",
        computed={
            "arn": "arn:aws:s3:::{bucket}/{key}",
            "storageClass": "STANDARD",
            "contentType": "application/octet-stream",
            "etag": "{hex32}",
            "versionId": "{hex32}",
        },
    ),
    "aws:iam/user:User": _rules(
        "",
        autoname="name",
        id="{name}",
        unique="EntityAlreadyExists: User with name {name} already exists.",
        defaults={"path": "/"},
        computed={"arn": _ARN_USER, "uniqueId": "AIDA{HEX16}"},
    ),
    "aws:iam/userPolicy:UserPolicy": _rules("user name namePrefix", autoname="name", id="{user}:{name}"),
    "aws:iam/accessKey:AccessKey": _rules(
        "user pgpKey",
        id="AKIAREHEARSAL{HEX7}",
        defaults={"status": "Active"},
        computed={"secret": "rehearsal-{hex32}", "sesSmtpPasswordV4": "rehearsal-{hex32}"},
    ),
    "aws:iam/policy:Policy": _rules(
        "name namePrefix path description",
        autoname="name",
        id=_ARN_POLICY,
        unique="EntityAlreadyExists: A policy called {name} already exists.",
        defaults={"path": "/"},
        computed={"arn": _ARN_POLICY, "policyId": "ANPA{HEX16}"},
    ),
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": _rules("user policyArn", id="{user}-{hex16}"),
    "cloudflare:index/dnsRecord:DnsRecord": _of_zone("type", id="{hex32}", computed={"proxied": False, "meta": "{{}}"}),
    "cloudflare:index/ruleset:Ruleset": _of_zone("accountId kind name phase", id="{hex32}", computed={"version": "1"}),
    "cloudflare:index/zoneSetting:ZoneSetting": _of_zone("settingId", id="{settingId}", computed={"editable": True}),
    "cloudflare:index/zoneDnssec:ZoneDnssec": _of_zone(
        computed={"algorithm": "13", "digestAlgorithm": "SHA256", "digestType": "2", "keyTag": 2371, "flags": 257}
    ),
    "cloudflare:index/botManagement:BotManagement": _of_zone(),
    "cloudflare:index/urlNormalizationSettings:UrlNormalizationSettings": _of_zone(),
    "cloudflare:index/tieredCache:TieredCache": _of_zone(computed={"editable": True}),
    "cloudflare:index/authenticatedOriginPullsSettings:AuthenticatedOriginPullsSettings": _of_zone(),
    "cloudflare:index/authenticatedOriginPullsCertificate:AuthenticatedOriginPullsCertificate": _of_zone(
        "certificate", id="{hex32}", computed={"status": "active", "enabled": True, "certificateId": "{id}"}
    ),
    "cloudflare:index/originCaCertificate:OriginCaCertificate": _rules(
        "csr hostnames requestType requestedValidity",
        unordered="hostnames",
        id="{hex32}",
        computed={"requestedValidity": 5475},
    ),
    "cloudflare:index/healthcheck:Healthcheck": _of_zone(
        id="{hex32}",
        computed={
            "consecutiveFails": 1,
            "consecutiveSuccesses": 1,
            "interval": 60,
            "retries": 2,
            "timeout": 5,
            "type": "HTTP",
            "status": "unknown",
        },
    ),
    "cloudflare:index/notificationPolicy:NotificationPolicy": _rules("accountId", computed={"enabled": True}),
    "cloudflare:index/list:List": _rules("accountId kind name", unordered="items"),
    "cloudflare:index/zone:Zone": _rules(
        "name account", computed={"type": "full", "paused": False, "status": "active"}
    ),
    # These three act (acting.py); what replaces them is still a matter of the tables.
    "random:index/randomPassword:RandomPassword": _rules("*"),
    "random:index/randomId:RandomId": _rules("*"),
    "random:index/randomBytes:RandomBytes": _rules("*"),
    "tls:index/privateKey:PrivateKey": _rules("*"),
    "tls:index/certRequest:CertRequest": _rules("*"),
    "tls:index/selfSignedCert:SelfSignedCert": _rules("*", in_place="earlyRenewalHours"),
    "tls:index/locallySignedCert:LocallySignedCert": _rules("*", in_place="earlyRenewalHours"),
    "command:local:Command": _rules("triggers", whole_only=True),
    "command:remote:Command": _rules("triggers", whole_only=True),
    "command:remote:CopyToRemote": _rules("triggers", whole_only=True),
}

# Defaults of nested objects, by the SDK's name for them.
NESTED_DEFAULTS: dict[str, dict[str, Any]] = {
    "ContainerPortArgs": {"ip": "0.0.0.0", "protocol": "tcp"},
    "ContainerHealthcheckArgs": {"startInterval": "0s", "startPeriod": "0s", "timeout": "0s"},
}

# What a provider's own settings may carry only as a rehearsal value.
CREDENTIALS: dict[str, tuple[str, ...]] = {
    "aws": ("accessKey", "secretKey", "token"),
    "cloudflare": ("apiToken", "apiKey", "apiUserServiceKey"),
    "docker": ("registryAuth",),
}
