"""Commands on hosts: to the right machine, nothing secret on the way, and no door opened behind anyone's back."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .exposure import PRIVATE_SERVICES
from .frame import CRITICAL, LOW, MEDIUM, UNJUDGED, Book, Check, Finding, Pattern, Resource
from .kinds import COMMAND, COPIES, DOCKER_PROVIDER, LOCAL_COMMAND

book = Book("hosts")

REMOTE = (COMMAND, *COPIES)
COMMANDS = (COMMAND, LOCAL_COMMAND)
TEXTS = ("create", "update", "delete")
# With such a command the script is in stdin.
READS_SCRIPT = Pattern(r"\b(ba|da|z|k)?sh(\s+-[a-z]*s\b.*|\s*-?\s*)$", re.MULTILINE)
SHELL = r"(sudo\s+(-\S+\s+)*)?(env\s+)?(/[\w./-]{0,100}/)?(ba|da|z|k)?sh\b"
FETCH = r"\b(curl|wget|fetch)\b"
# Patterns look so far and no further: a line without end would keep them busy.
NEAR = r"[^;&\n]{0,500}"

PIPE_TO_SHELL = Pattern(
    rf"{FETCH}{NEAR}\|\s*{SHELL}"
    rf"|{FETCH}{NEAR}\|\s*(sudo\s+)?(python3?|perl|ruby|node)\b"
    rf"|{SHELL}\s+(-\S+\s+)*[\"']?(<\(|\$\(|`)\s*{FETCH}"
    rf"|\b(eval|source|\.)\s+[\"']?(<\(|\$\(|`)\s*{FETCH}"
)
SECRET_IN_COMMAND = Pattern(
    r"(AKIA[0-9A-Z]{16}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}"
    r"|\bxox[abpr]-[A-Za-z0-9-]{10,}"
    r"|\bSG\.[A-Za-z0-9_-]{16,}\."
    r"|\b(PGPASSWORD|REDISCLI_AUTH|AWS_SECRET_ACCESS_KEY|[A-Z_]*(PASSWORD|TOKEN|SECRET))=[\"']?[^\s$\"'{<(`]"
    r"|--(password|token|secret)[= ][\"']?[^\s$\"'{<(`-]"
    r"|\becho\s+[\"']?\w+:[^\s$\"'`]+[\"']?\s*\|\s*(sudo\s+)?chpasswd"
    r"|://[^/\s:@]+:[^/\s@$]+@)"
)
NO_VERIFICATION = Pattern(
    r"\bcurl\b[^;&|\n]{0,500}\s(-[a-zA-Z]*k[a-zA-Z]*\b|--insecure\b)"
    r"|\bwget\b[^;&|\n]{0,500}--no-check-certificate"
    r"|StrictHostKeyChecking[= ](no|off|accept-new)\b"
    r"|UserKnownHostsFile[= ]/dev/null"
    r"|\bGIT_SSL_NO_VERIFY=(1|true)"
    r"|http\.sslVerify[= ]false"
    r"|NODE_TLS_REJECT_UNAUTHORIZED=0"
    r"|--(allow-unauthenticated|allow-untrusted|force-yes|no-gpg-check|nogpgcheck|nosignature|nodigest|noverify)\b"
    r"|\bstrict-ssl[= ]false|\bsslverify=(0|false)|\bPYTHONHTTPSVERIFY=0|\bPIP_TRUSTED_HOST="
    r"|\[trusted=yes\]"
    r"|--trusted-host\b"
)
PLAIN_DOWNLOAD = Pattern(
    r"\b(curl|wget)\b[^;&|\n]{0,500}\shttp://(?!(localhost|127\.|\[::1\]|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)[^\s/]*)[^\s/]+\."
)
FIREWALL_OFF = Pattern(
    r"\bufw\s+(--force\s+)?(disable|reset|default\s+allow(\s+incoming)?(?!\s+(outgoing|routed)))\b"
    r"|\biptables\s+(-w\s+)?(-F|--flush)(\s|$)"
    r"|\bip6?tables\s+(-w\s+)?(-P|--policy)\s+INPUT\s+ACCEPT"
    r"|\bnft\s+flush\s+ruleset"
)
OPENED_PORT = Pattern(r"\bufw\s+allow\s+(?!from)(?:in\s+)?(?:proto\s+\w+\s+)?(?:to\s+any\s+port\s+)?(\d+)")
GUARDS_OFF = Pattern(
    r"\bsystemctl\s+(--now\s+)?(stop|disable|mask)\s+(--now\s+)?[^;&\n]{0,500}"
    r"\b(ufw|fail2ban|apparmor|auditd|unattended-upgrades|apt-daily(-upgrade)?)\b"
    r"|\bsetenforce\s+0|\baa-teardown\b|SELINUX=(disabled|permissive)"
    r"|\b(apt(-get)?|dpkg)\s+[^;&\n]{0,500}\b(remove|purge|--purge)\s+[^;&\n]{0,500}\b(ufw|fail2ban|apparmor|unattended-upgrades)\b"
)
SSHD_OPEN = Pattern(
    r"^\s*[^#\n]*\b(PermitRootLogin\s+yes|PasswordAuthentication\s+yes|PermitEmptyPasswords\s+yes"
    r"|HostbasedAuthentication\s+yes|PermitUserEnvironment\s+yes)\b",
    re.MULTILINE,
)
WORLD_WRITABLE = Pattern(
    r"\bchmod\s+(-\S+\s+)*([0-7]?[0-7]{2}[2367]\b|[a-z]*[oa][a-z]*[+=][a-z]*w|\+w\b)"
    r"|\binstall\b[^;&|\n]{0,500}\s-m\s*0?[0-7]{2}[2367]\b|\bumask\s+0*0\b"
)
DESTRUCTIVE = Pattern(
    r"\brm\s+(-\S+\s+)*-\S*[rR]\S*\s+(-\S+\s+)*(/|/\*|~|/(bin|boot|dev|etc|home|lib|mnt|opt|root|srv|usr|var)/?\*?)(\s|$)"
    r"|\bmkfs(\.\w+)?\s|\bwipefs\b|\bdd\s[^;&\n]{0,500}\bof=/dev/(?!null)"
    r"|\bdocker\s+volume\s+(prune|rm)\b|\bdocker\s+system\s+prune\b[^;&\n]{0,500}--volumes"
    r"|\baws\s+s3\s+(rb\s[^;&\n]{0,500}--force|rm\s[^;&\n]{0,500}--recursive)"
)


@book.rule(
    "host-key",
    REMOTE,
    "pulumi-command checks no host key unless it is told one: whoever answers gets the commands.",
    "Set connection.hostKey (and that of connection.proxy) to the machine's public host key.",
    "pulumi-command#755",
)
def host_key_is_unchecked(resource: Resource) -> Iterator[Finding]:
    if resource.read("connection") is UNJUDGED:
        return
    for path in ("connection", "connection.proxy"):
        used = path == "connection" or resource.read(path) not in (None, UNJUDGED)
        if used and not resource.read(f"{path}.hostKey"):
            yield Finding(f"{path}.hostKey", "any machine that answers at the address would be trusted.")


def scripts(resource: Resource) -> Iterator[tuple[str, str]]:
    """What a host would be told to do."""
    for name in TEXTS:
        text = resource.text(name)
        if text:
            yield name, text
            if name == "create" and READS_SCRIPT.search(text):
                yield "stdin", resource.text("stdin") or ""


def in_text(pattern: Pattern, problem: str) -> Check:
    """A rule about what a command says."""

    def check(resource: Resource) -> Iterator[Finding]:
        for name, text in scripts(resource):
            if pattern.search(text):
                yield Finding(name, problem)

    return check


book.rule(
    "no-pipe-to-shell",
    COMMANDS,
    "curl | sh runs whatever the server answers today, half a download included.",
    "Install a package, or download to a file, check its SHA-256, then run it.",
    "OWASP A08",
    "Trivy DS-0014",
)(in_text(PIPE_TO_SHELL, "a download would be run without anyone having seen it."))

book.rule(
    "no-secret-in-command",
    COMMANDS,
    "A command line is readable by every user of the host and is printed in previews.",
    "Give secrets by stdin, and set logging to none.",
    "pulumi-command#260",
    "CWE-214",
    "Trivy DS-0031",
    severity=CRITICAL,
)(in_text(SECRET_IN_COMMAND, "a secret would stand in the command, and so in the process list and in logs."))

book.rule(
    "verification",
    COMMANDS,
    "A connection whose other end is not verified is a connection to whoever is on the way.",
    "Remove the option; install the certificate, host key or signing key that is missing.",
    "OWASP A02",
    "CKV2_DOCKER_2",
)(in_text(NO_VERIFICATION, "the other end of a connection would not be verified."))

book.rule(
    "plain-download",
    COMMANDS,
    "What comes over plain HTTP can be exchanged by anyone on the way.",
    "Download over https, and check a SHA-256 that is written in the command.",
    "OWASP A08",
)(in_text(PLAIN_DOWNLOAD, "a download would come over plain HTTP."))


@book.rule(
    "firewall",
    COMMANDS,
    "A command that opens the firewall undoes what every other rule relies on.",
    "Leave the firewall on; name the one address that may come in (ufw allow from ADDRESS to any port PORT).",
    "CIS Ubuntu 4.1",
    severity=CRITICAL,
)
def opens_the_firewall(resource: Resource) -> Iterator[Finding]:
    for name, text in scripts(resource):
        if FIREWALL_OFF.search(text):
            yield Finding(name, "the host's firewall would be off.")
        for port in map(int, OPENED_PORT.findall(text)):
            if port != 22 and port in PRIVATE_SERVICES:
                yield Finding(name, f"{PRIVATE_SERVICES[port]} would be open to the internet.")


book.rule(
    "guards",
    COMMANDS,
    "Firewall, fail2ban, AppArmor and automatic updates are what stands between a bug and a break-in.",
    "Leave them on; if one is in the way, write an exception that says why.",
    "CIS Ubuntu 1.3",
    "CIS Ubuntu 4.1",
)(in_text(GUARDS_OFF, "a guard of the host would be switched off."))

book.rule(
    "sshd",
    COMMANDS,
    "Passwords and root logins are guessed day and night; keys are not.",
    "Keep PermitRootLogin, PasswordAuthentication and PermitEmptyPasswords at no.",
    "CIS Ubuntu 5.1",
    "dev-sec sshd",
)(in_text(SSHD_OPEN, "sshd would take logins that can be guessed."))

book.rule(
    "permissions",
    COMMANDS,
    "What every user may write, an intruder with the smallest foothold may write.",
    "Give the file to the user who needs it (install -o USER -m 0640).",
    "CIS Ubuntu 7.1",
    severity=MEDIUM,
)(in_text(WORLD_WRITABLE, "files would be writable by every user of the host."))

book.rule(
    "destructive",
    COMMANDS,
    "A command that wipes a tree, a disk or a volume runs again at the next replacement.",
    "Name the one directory that is meant, below the product's own folder, and never in a resource's create.",
    "own rule",
    severity=CRITICAL,
)(in_text(DESTRUCTIVE, "whole trees, disks or volumes would be wiped."))


@book.rule(
    "output-hidden",
    [COMMAND],
    "pulumi-command prints what a command says, even where its input is secret.",
    "Set logging to none (or stderr) where stdin or environment is secret.",
    "pulumi-command#260",
)
def output_may_show_secrets(resource: Resource) -> Iterator[Finding]:
    fed = [name for name in ("stdin", "environment") if _is_secret(resource, name)]
    logging = resource.read("logging", default="stdoutAndStderr")
    if fed and logging in ("stdout", "stdoutAndStderr"):
        yield Finding("logging", "what the command prints about its secret input would be shown.")


def _is_secret(resource: Resource, name: str) -> bool:
    return any(path == name or path.startswith(f"{name}.") for path in resource.secret or ())


@book.rule(
    "password-login",
    REMOTE,
    "A password that opens SSH opens it for everyone who learns it; the host should refuse passwords anyway.",
    "Use privateKey, or an agent, and remove connection.password.",
    "CIS Ubuntu 5.1",
    severity=MEDIUM,
)
def logs_in_by_password(resource: Resource) -> Iterator[Finding]:
    for path in ("connection.password", "connection.proxy.password"):
        if resource.read(path) not in (None, "", UNJUDGED):
            yield Finding(path, "the connection would log in by password.")


@book.rule(
    "root-login",
    REMOTE,
    "As root every command is one mistake away from the whole host, and sshd should refuse root.",
    "Set connection.user to a user with sudo.",
    "CIS Ubuntu 5.1",
    severity=MEDIUM,
)
def logs_in_as_root(resource: Resource) -> Iterator[Finding]:
    if resource.read("connection") is UNJUDGED:
        return
    # The provider's default.
    if resource.read("connection.user", default="root") == "root":
        yield Finding("connection.user", "the connection would log in as root.")


@book.rule(
    "previous-output",
    [COMMAND],
    "By default a command gets all that the last one printed as environment variables, secrets included.",
    "Set addPreviousOutputInEnv to false.",
    "pulumi-command#430",
    severity=LOW,
)
def hands_on_output(resource: Resource) -> Iterator[Finding]:
    if resource.read("addPreviousOutputInEnv", default=True) is True:
        yield Finding("addPreviousOutputInEnv", "the last run's output would be in the next one's environment.")


@book.rule(
    "docker-host-key",
    [DOCKER_PROVIDER],
    "The Docker provider logs in as a user who is root by way of Docker: whoever answers would get all secrets.",
    "Set sshOpts to check the host key: StrictHostKeyChecking=yes and the key's file or KnownHostsCommand.",
    "own rule",
)
def docker_trusts_any_host(resource: Resource) -> Iterator[Finding]:
    # A list, as a provider gets it: JSON text.
    options = resource.read("sshOpts", default="")
    if options is UNJUDGED:
        return
    given = options if isinstance(options, str) else " ".join(str(each) for _, each in resource.items("sshOpts"))
    host = resource.read("host", default="")
    pinned = "KnownHostsCommand" in given
    if re.search(r"StrictHostKeyChecking[= ](no|off|accept-new)", given):
        yield Finding("sshOpts", "any machine that answers at the address would be trusted.")
    elif not pinned and re.search(r"UserKnownHostsFile[= ](/dev/null|none)", given):
        yield Finding("sshOpts", "nothing would be known of the host, whoever answers.")
    elif isinstance(host, str) and host.startswith("ssh://") and not given.strip("[] "):
        yield Finding("sshOpts", "whether a host key is checked would be up to each operator's own settings.")


RULES = book.rules
