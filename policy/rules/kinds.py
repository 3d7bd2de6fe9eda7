"""The resource types that rules judge, by the names that the providers of the pinned SDKs give them."""

from __future__ import annotations

CONTAINER = "docker:index/container:Container"
SERVICE = "docker:index/service:Service"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"
REMOTE_IMAGE = "docker:index/remoteImage:RemoteImage"
BUILT_IMAGE = "docker:index/image:Image"
REGISTRY_IMAGE = "docker:index/registryImage:RegistryImage"
DOCKER_SECRET = "docker:index/secret:Secret"  # noqa: S105
DOCKER_CONFIG = "docker:index/serviceConfig:ServiceConfig"
DOCKER_PLUGIN = "docker:index/plugin:Plugin"
DOCKER_PROVIDER = "pulumi:providers:docker"

COMMAND = "command:remote:Command"
LOCAL_COMMAND = "command:local:Command"
COPIES = ("command:remote:CopyToRemote", "command:remote:CopyFile")

PASSWORD = "random:index/randomPassword:RandomPassword"  # noqa: S105
RANDOM_TEXTS = (
    "random:index/randomString:RandomString",
    "random:index/randomId:RandomId",
    "random:index/randomUuid:RandomUuid",
    "random:index/randomPet:RandomPet",
)
PRIVATE_KEY = "tls:index/privateKey:PrivateKey"
SELF_SIGNED = "tls:index/selfSignedCert:SelfSignedCert"
LOCALLY_SIGNED = "tls:index/locallySignedCert:LocallySignedCert"


def _s3(name: str) -> tuple[str, ...]:
    """Version 7 of the provider has the resource under its old name ending in V2 as well."""
    small = name[0].lower() + name[1:]
    return f"aws:s3/{small}:{name}", f"aws:s3/{small}V2:{name}V2"


BUCKET = _s3("Bucket")
BUCKET_ACL = _s3("BucketAcl")
BUCKET_VERSIONING = _s3("BucketVersioning")
BUCKET_ENCRYPTION = _s3("BucketServerSideEncryptionConfiguration")
BUCKET_LIFECYCLE = _s3("BucketLifecycleConfiguration")
BUCKET_LOGGING = _s3("BucketLogging")
BUCKET_LOCK = _s3("BucketObjectLockConfiguration")
BUCKET_WEBSITE = _s3("BucketWebsiteConfiguration")
BUCKET_CORS = _s3("BucketCorsConfiguration")
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
BUCKET_OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
BUCKET_REPLICATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
BUCKET_NOTIFICATION = "aws:s3/bucketNotification:BucketNotification"
ACCESS_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
ACCOUNT_ACCESS_BLOCK = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
ACCESS_POINT = "aws:s3/accessPoint:AccessPoint"
DIRECTORY_BUCKET = "aws:s3/directoryBucket:DirectoryBucket"
OBJECTS = (
    "aws:s3/bucketObject:BucketObject",
    "aws:s3/bucketObjectv2:BucketObjectv2",
    "aws:s3/objectCopy:ObjectCopy",
)

IAM_USER = "aws:iam/user:User"
IAM_ROLE = "aws:iam/role:Role"
IAM_KEY = "aws:iam/accessKey:AccessKey"
IAM_LOGIN = "aws:iam/userLoginProfile:UserLoginProfile"
IAM_PASSWORDS = "aws:iam/accountPasswordPolicy:AccountPasswordPolicy"
IAM_CERTIFICATE = "aws:iam/serverCertificate:ServerCertificate"
IAM_USER_POLICIES = ("aws:iam/userPolicy:UserPolicy", "aws:iam/userPolicyAttachment:UserPolicyAttachment")
IAM_POLICIES = (
    "aws:iam/policy:Policy",
    "aws:iam/userPolicy:UserPolicy",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/groupPolicy:GroupPolicy",
)
IAM_ATTACHMENTS = (
    "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
    "aws:iam/policyAttachment:PolicyAttachment",
)
IAM_MEMBERSHIPS = (
    "aws:iam/groupMembership:GroupMembership",
    "aws:iam/userGroupMembership:UserGroupMembership",
)
AWS_PROVIDER = "pulumi:providers:aws"

RECORD = "cloudflare:index/dnsRecord:DnsRecord"
RULESET = "cloudflare:index/ruleset:Ruleset"
ZONE_SETTING = "cloudflare:index/zoneSetting:ZoneSetting"
DNSSEC = "cloudflare:index/zoneDnssec:ZoneDnssec"
BOTS = "cloudflare:index/botManagement:BotManagement"
PULLS_SETTINGS = "cloudflare:index/authenticatedOriginPullsSettings:AuthenticatedOriginPullsSettings"
PULLS = "cloudflare:index/authenticatedOriginPulls:AuthenticatedOriginPulls"
PULLS_CERTIFICATES = (
    "cloudflare:index/authenticatedOriginPullsCertificate:AuthenticatedOriginPullsCertificate",
    "cloudflare:index/authenticatedOriginPullsHostnameCertificate:AuthenticatedOriginPullsHostnameCertificate",
)
ORIGIN_CERTIFICATE = "cloudflare:index/originCaCertificate:OriginCaCertificate"
UNIVERSAL_SSL = "cloudflare:index/universalSslSetting:UniversalSslSetting"
HOSTNAME_TLS = "cloudflare:index/hostnameTlsSetting:HostnameTlsSetting"
HEALTHCHECK = "cloudflare:index/healthcheck:Healthcheck"
PAGE_RULE = "cloudflare:index/pageRule:PageRule"
ACCESS_RULE = "cloudflare:index/accessRule:AccessRule"
LIST = "cloudflare:index/list:List"
LIST_ITEM = "cloudflare:index/listItem:ListItem"
FIREWALL_RULE = "cloudflare:index/firewallRule:FirewallRule"
LOAD_BALANCER = "cloudflare:index/loadBalancer:LoadBalancer"
PAUSABLE = (
    "cloudflare:index/zoneLockdown:ZoneLockdown",
    "cloudflare:index/userAgentBlockingRule:UserAgentBlockingRule",
    "cloudflare:index/filter:Filter",
    "cloudflare:index/zone:Zone",
)
LEAKED_CREDENTIALS = "cloudflare:index/leakedCredentialCheck:LeakedCredentialCheck"
NORMALIZATION = "cloudflare:index/urlNormalizationSettings:UrlNormalizationSettings"
SPECTRUM = "cloudflare:index/spectrumApplication:SpectrumApplication"
TOKENS = ("cloudflare:index/apiToken:ApiToken", "cloudflare:index/accountToken:AccountToken")
R2_MANAGED_DOMAIN = "cloudflare:index/r2ManagedDomain:R2ManagedDomain"
R2_CUSTOM_DOMAIN = "cloudflare:index/r2CustomDomain:R2CustomDomain"
R2_CORS = "cloudflare:index/r2BucketCors:R2BucketCors"
CUSTOM_SSL = "cloudflare:index/customSsl:CustomSsl"
MTLS_CERTIFICATE = "cloudflare:index/mtlsCertificate:MtlsCertificate"
TUNNELS = (
    "cloudflare:index/tunnel:Tunnel",
    "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared",
)
CLOUDFLARE_PROVIDER = "pulumi:providers:cloudflare"
