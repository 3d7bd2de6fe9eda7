"""Credentials: nobody guesses them, and nobody reads them where they do not belong."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from pulumi_policy import EnforcementLevel
from pulumi_policy.proxy import UnknownValueError

from .frame import ANY, CRITICAL, MEDIUM, UNDECRYPTED, UNJUDGED, Book, Finding, Pattern, Resource, is_true, known
from .kinds import (
    AWS_PROVIDER,
    BUILT_IMAGE,
    CLOUDFLARE_PROVIDER,
    COMMAND,
    CONTAINER,
    COPIES,
    CUSTOM_SSL,
    DOCKER_CONFIG,
    DOCKER_PROVIDER,
    DOCKER_SECRET,
    IAM_CERTIFICATE,
    LOCAL_COMMAND,
    LOCALLY_SIGNED,
    MTLS_CERTIFICATE,
    PASSWORD,
    PULLS_CERTIFICATES,
    RANDOM_TEXTS,
    REGISTRY_IMAGE,
    REMOTE_IMAGE,
    SELF_SIGNED,
    SERVICE,
    TUNNELS,
)
from .near import is_near

book = Book("credentials")

MINIMUM_LENGTH = 32
MINIMUM_BITS = 128
OLDEST = timedelta(days=92)

# Inputs that are a credential whatever they say.
SECRET_INPUTS: dict[str, tuple[str, ...]] = {
    AWS_PROVIDER: ("secretKey", "token"),
    CLOUDFLARE_PROVIDER: ("apiToken", "apiKey", "apiUserServiceKey"),
    DOCKER_PROVIDER: ("keyMaterial",),
    DOCKER_SECRET: ("data",),
    REGISTRY_IMAGE: ("authConfig.password",),
    SERVICE: ("auth.password",),
    CUSTOM_SSL: ("privateKey",),
    MTLS_CERTIFICATE: ("privateKey",),
    IAM_CERTIFICATE: ("privateKey",),
    SELF_SIGNED: ("privateKeyPem",),
    LOCALLY_SIGNED: ("caPrivateKeyPem",),
    **dict.fromkeys(PULLS_CERTIFICATES, ("privateKey",)),
    **dict.fromkeys(TUNNELS, ("tunnelSecret",)),
    **dict.fromkeys(
        (COMMAND, *COPIES),
        ("connection.password", "connection.privateKey", "connection.proxy.password", "connection.proxy.privateKey"),
    ),
}
NAMED_SECRET = Pattern(
    r"(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIAL|ENCRYPTION_?KEY|_DSN|_PAT|_SALT)",
    re.IGNORECASE,
)
# Names that speak of a secret and hold none.
HARMLESS_NAME = Pattern(
    r"(_FILE|_PATH|_NAME|_ID|_URL|_URI|_EXPIRES_IN|_TTL|_LENGTH|_ROUNDS|_ALGORITHM|_ISSUER|_AUDIENCE|_HEADER|_TYPE"
    r"|_ENABLED|_REQUIRED|_MIN|_MAX)$",
    re.IGNORECASE,
)
HARMLESS_VALUE = Pattern(r"^($|/|true$|false$|\d{1,5}$|\$|none$|disabled$)", re.IGNORECASE)
SECRET_TEXT = Pattern(
    r"(-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\b(AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{30,}|\bglpat-[A-Za-z0-9_-]{20,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}|hooks\.slack\.com/services/T[A-Z0-9]+/B"
    r"|\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"
    r"|\b[sr]k_live_[A-Za-z0-9]{16,}"
    r"|\bAIza[A-Za-z0-9_-]{35}\b"
    r"|\bnpm_[A-Za-z0-9]{36}\b|\bpypi-[A-Za-z0-9_-]{50,}"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
    r"|\b[a-z][a-z0-9+.-]{0,20}://[^/\s:@\"']{0,200}:[^/\s@$\"'{}]{1,200}@)"
)
EMPTY_PASSWORD = Pattern(
    r"^(POSTGRES_HOST_AUTH_METHOD=trust|(MYSQL|MARIADB)_(ALLOW_EMPTY|RANDOM)_ROOT_PASSWORD=(?!$|0|no|false)"
    r"|(MYSQL|MARIADB)_ALLOW_EMPTY_PASSWORD=(?!$|0|no|false)|ALLOW_EMPTY_PASSWORD=(?!$|0|no|false)"
    r"|(POSTGRES|MYSQL_ROOT|REDIS|MONGO_INITDB_ROOT|RABBITMQ_DEFAULT)_PASS(WORD)?=(|postgres|password|root|admin|guest|changeme|secret|example)$)",
    re.IGNORECASE,
)
ADDRESS = Pattern(r"https?://(\[[^\]]+\]|[^/\s:\"@]+)")
OWN_HOSTS = Pattern(r"(^|\.)(amazonaws\.com(\.cn)?|api\.aws|api\.cloudflare\.com)$", re.IGNORECASE)
INTERNAL = ("__internal", "__defaults", "__inputs")


@book.rule(
    "length",
    [PASSWORD],
    "A generated password costs nothing to be long, and a short one can be searched for.",
    f"Ask for {MINIMUM_LENGTH} characters or more (this project's own are 64).",
    "OWASP ASVS 2.1",
)
def password_is_short(resource: Resource) -> Iterator[Finding]:
    length = resource.number("length", default=0)
    if length is not UNJUDGED and length < MINIMUM_LENGTH:
        yield Finding("length", f"it is shorter than {MINIMUM_LENGTH} characters.")


@book.rule(
    "alphabet",
    [PASSWORD],
    "How long a password has to be searched for depends on its letters as much as on their number.",
    "Leave upper, lower and numeric on, and overrideSpecial wide.",
    "OWASP ASVS 2.9",
)
def password_is_poor(resource: Resource) -> Iterator[Finding]:
    length = resource.number("length", default=0)
    letters = {name: resource.read(name, default=True) for name in ("upper", "lower", "numeric", "special")}
    if UNJUDGED in (length, *letters.values()):
        return
    sizes = {"upper": 26, "lower": 26, "numeric": 10, "special": 18}
    alphabet = sum(sizes[name] for name, on in letters.items() if on)
    if length * math.log2(alphabet or 1) < MINIMUM_BITS:
        yield Finding("length", f"with these letters it has less than {MINIMUM_BITS} bits.")


@book.rule(
    "random-text",
    RANDOM_TEXTS,
    "RandomString and its like are kept in plain text, in the state and in every preview.",
    "Use random.RandomPassword, whose result is a secret.",
    "CWE-312",
)
def text_is_a_password(resource: Resource) -> Iterator[Finding]:
    if re.search(r"passw|secret|token|api-?key|credential", resource.name, re.IGNORECASE):
        yield Finding("result", "by its name it is a credential, and it would be kept in plain text.")


@book.rule(
    "keepers",
    [PASSWORD],
    "keepers are kept in plain text, and a secret there is shown by every preview.",
    "Use a date or a version as keeper.",
    "CWE-312",
)
def keeper_is_secret(resource: Resource) -> Iterator[Finding]:
    for path in resource.secret or ():
        if path == "keepers" or path.startswith("keepers."):
            yield Finding("keepers", "a secret would be among the keepers.")
            return


@book.rule(
    "age",
    [PASSWORD],
    "A credential that leaked unseen stops working only when it is replaced.",
    "Rotate it: ./infra rotate, or a new date in keepers.",
    "CIS AWS 1.14",
    severity=MEDIUM,
    level=EnforcementLevel.ADVISORY,
)
def password_is_old(resource: Resource) -> Iterator[Finding]:
    for path, value in resource.entries("keepers"):
        made = _day(value)
        if made and date.today() - made > OLDEST:
            yield Finding(path, f"it was made more than {OLDEST.days} days ago.")


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


@book.rule(
    "environment",
    [CONTAINER, SERVICE, COMMAND, LOCAL_COMMAND],
    "Environment values that are not secret stand in the state, in previews and in `docker inspect`.",
    "Give a file (NAME_FILE=/run/secrets/...), or make the value a Pulumi secret.",
    "CIS Docker 4.10",
    "KICS Passwords And Secrets",
    severity=CRITICAL,
)
def environment_shows_a_secret(resource: Resource) -> Iterator[Finding]:
    for path, name, value in environment(resource):
        secret = NAMED_SECRET.search(name) and not HARMLESS_NAME.search(name) and not HARMLESS_VALUE.match(value)
        if secret and _is_readable(resource, path):
            yield Finding(path, "by its name it is a credential, and it would be kept in plain text.")


def environment(resource: Resource) -> Iterator[tuple[str, str, str]]:
    """Each variable that a resource sets: its path, name and value."""
    if resource.type in (COMMAND, LOCAL_COMMAND):
        for path, value in resource.entries("environment"):
            yield path, path.partition(".")[2], str(value)
    elif resource.type == SERVICE:
        for path, value in resource.entries("taskSpec.containerSpec.env"):
            yield path, path.rpartition(".")[2], str(value)
    else:
        for path, line in resource.items("envs"):
            name, _, value = str(line).partition("=")
            yield path, name, value


def _is_readable(resource: Resource, path: str) -> bool:
    """Where nobody told what is secret, what can be read was not encrypted."""
    return resource.secret is None or resource.is_plain(path)


@book.rule(
    "default-password",
    [CONTAINER, SERVICE],
    "A database without a password, or with the one from the documentation, belongs to whoever reaches it.",
    "Give a generated password by file (POSTGRES_PASSWORD_FILE and the like).",
    "CIS Docker 4.10",
    severity=CRITICAL,
)
def password_is_empty(resource: Resource) -> Iterator[Finding]:
    for path, name, value in environment(resource):
        if EMPTY_PASSWORD.match(f"{name}={value}"):
            yield Finding(path, "it would let in everyone who can reach the port.")


@book.rule(
    "plain-text",
    [ANY],
    "Inputs that are not secret are stored in plain text in the state and shown by every preview.",
    "Make it a Pulumi secret (config --secret, Output.secret), or better do not pass it at all.",
    "CWE-312",
    "KICS Passwords And Secrets",
    "Trivy DS-0031",
    severity=CRITICAL,
)
def input_shows_a_secret(resource: Resource) -> Iterator[Finding]:
    if resource.secret is None:
        return
    for path, text in _texts(resource.props, ""):
        if SECRET_TEXT.search(text) and resource.is_plain(path):
            yield Finding(path, "a credential would be kept in plain text.")


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text in the inputs that is known; what is unknown is no text yet, and judged when it is."""
    if isinstance(value, str):
        yield path, value
        return
    keys = value if isinstance(value, Mapping) else range(len(value)) if isinstance(value, Sequence) else ()
    for key in keys:
        if key in INTERNAL:
            continue
        try:
            inner = value[key]
        except UnknownValueError:
            continue
        yield from _texts(inner, f"{path}.{key}" if path else str(key))


@book.rule(
    "secret-inputs",
    SECRET_INPUTS,
    "Keys and passwords that are not marked as secret are stored in plain text in the state.",
    "Pass it from secret configuration, or wrap it in Output.secret.",
    "CWE-312",
    "CKV_AWS_41",
    severity=CRITICAL,
)
def credential_is_plain(resource: Resource) -> Iterator[Finding]:
    for path in SECRET_INPUTS.get(resource.type, ()):
        if resource.secret is None or any(each == path or path.startswith(f"{each}.") for each in resource.secret):
            continue
        if resource.read(path) not in (None, "", UNJUDGED, UNDECRYPTED):
            yield Finding(path, "a credential would be kept in plain text.")


@book.rule(
    "registry-password",
    [DOCKER_PROVIDER],
    "Registry passwords that are not marked as secret are stored in plain text in the state.",
    "Pass registryAuth from secret configuration.",
    "CWE-312",
    "pulumi-docker#643",
)
def registry_password_is_plain(resource: Resource) -> Iterator[Finding]:
    # A provider gets its nested inputs as JSON text.
    auth = resource.read("registryAuth")
    if (
        resource.secret is not None
        and isinstance(auth, str)
        and '"password"' in auth
        and resource.is_plain("registryAuth")
    ):
        yield Finding("registryAuth", "a registry's password would be kept in plain text.")


@book.rule(
    "static-keys",
    [AWS_PROVIDER],
    "Long-lived keys in a program outlive everyone who has seen it.",
    "Use a role (OIDC in workflows, a profile with SSO on a laptop) and remove accessKey and secretKey.",
    "CKV_AWS_41",
    "CIS AWS 1.18",
    severity=MEDIUM,
)
def provider_has_static_keys(resource: Resource) -> Iterator[Finding]:
    if resource.read("secretKey") not in (None, "", UNJUDGED) and not is_true(
        resource.read("skipCredentialsValidation")
    ):
        yield Finding("secretKey", "the provider would use long-lived keys.")


@book.rule(
    "global-key",
    [CLOUDFLARE_PROVIDER],
    "The global API key can do everything that its owner can, in every account, and cannot be limited.",
    "Use apiToken with the few permissions that the program needs.",
    "own rule",
)
def provider_uses_the_global_key(resource: Resource) -> Iterator[Finding]:
    if resource.read("apiKey") not in (None, "", UNJUDGED):
        yield Finding("apiKey", "the provider would use the global API key.")


@book.rule(
    "endpoints",
    [AWS_PROVIDER, CLOUDFLARE_PROVIDER],
    "Whatever stands at an API's address, or between, is given the credentials with every call.",
    "Remove endpoints, baseUrl, proxies and customCaBundle; a test's own servers belong on a private address.",
    "CWE-522",
)
def credentials_go_elsewhere(resource: Resource) -> Iterator[Finding]:
    for name in ("endpoints", "baseUrl", "httpProxy", "httpsProxy", "ec2MetadataServiceEndpoint"):
        # A provider gets nested inputs as JSON text.
        given = resource.read(name)
        texts = [text for _, text in _texts(given, name)] if known(given) else []
        hosts = [match.group(1) for text in texts for match in ADDRESS.finditer(text)]
        if any(not is_near(host) and not OWN_HOSTS.search(host) for host in hosts):
            yield Finding(name, "a stranger's server would be given the credentials.")
    if resource.read("customCaBundle") not in (None, "", UNJUDGED):
        yield Finding("customCaBundle", "a certificate authority of somebody else would be trusted for every call.")


@book.rule(
    "build-arguments",
    [REMOTE_IMAGE, BUILT_IMAGE, REGISTRY_IMAGE],
    "Build arguments stay in the image's history, for everyone who can pull it.",
    "Use a build secret (RUN --mount=type=secret), which leaves nothing behind.",
    "CIS Docker 4.10",
    "Trivy DS-0031",
)
def build_argument_is_secret(resource: Resource) -> Iterator[Finding]:
    for root in ("build.buildArgs", "build.args"):
        for path, value in resource.entries(root):
            name = path.rpartition(".")[2]
            if NAMED_SECRET.search(name) and not HARMLESS_NAME.search(name) and not HARMLESS_VALUE.match(str(value)):
                yield Finding(path, "it would stay in the image's history.")


@book.rule(
    "config-data",
    [DOCKER_CONFIG],
    "A Swarm config is readable by everyone who can talk to the engine; only secrets are encrypted.",
    "Use a docker Secret for it.",
    "CIS Docker 7.6",
)
def config_holds_a_secret(resource: Resource) -> Iterator[Finding]:
    for name in ("data", "dataRaw"):
        text = resource.text(name)
        if text and (SECRET_TEXT.search(text) or (known(text) and any(path == name for path in resource.secret or ()))):
            yield Finding(name, "a credential would be kept where it is not encrypted.")


RULES = book.rules
