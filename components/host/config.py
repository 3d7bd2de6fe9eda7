"""The `host` section: the server that a system runs on. It exists already and is adopted over SSH."""

from typing import Annotated

from pydantic import Field

from components.leaves import Leaf, NotAllowedError, Text, whole
from components.section import Section
from components.values import (
    MEGABYTES,
    AbsolutePath,
    Cidr,
    Cpus,
    Days,
    Email,
    HostAddress,
    HostKey,
    HttpFrom,
    Ipv4,
    Ipv6,
    Megabytes,
    PackageName,
    Port,
    RelativePath,
    Seconds,
    SshPublicKey,
    TimeOfDay,
    TimeZone,
    UserName,
)

PACKAGES = (
    *("curl", "wget", "git", "vim", "docker.io", "docker-compose", "nginx", "certbot", "python3-certbot-nginx"),
    *("postgresql-client", "redis-tools", "ufw", "fail2ban", "htop", "iotop", "nethogs"),
)
KERNEL = {
    "fs.file-max": "2097152",
    "net.core.somaxconn": "65535",
    "net.ipv4.tcp_max_syn_backlog": "8192",
    "net.ipv4.ip_local_port_range": "1024 65535",
    "vm.swappiness": "10",
}
DIRECTORIES = ("backend", "frontend", "infrastructure/nginx", "infrastructure/scripts", "backups", "logs")


class _KernelValue(Leaf):
    """sysctl values are text; a stack file may write a plain number."""

    def read(self, given: object) -> str:
        text = str(given) if type(given) is int else given
        if not isinstance(text, str) or len(text) > 200 or not text.replace(" ", "").isalnum():
            raise NotAllowedError
        return text

    def json_schema(self) -> dict[str, object]:
        return {"type": ["string", "integer"], "pattern": "^[A-Za-z0-9 ]+$", "maxLength": 200}


KernelKey = Annotated[
    str, Text("a kernel setting, such as vm.swappiness", pattern=r"[a-z0-9_]+(?:[./][A-Za-z0-9_-]+)+", longest=120)
]
KernelValue = Annotated[str, _KernelValue("a number or a few words")]


class Capacity(Section):
    """What the machine has. Memory and CPU limits of the containers are checked against it."""

    cpus: Cpus = 4
    """CPU cores."""
    memory: Megabytes = 16 * 1024
    """Memory."""
    disk: Megabytes = 200 * 1024
    """Disk."""


class Ssh(Section):
    """How the server is reached. Passwords and root logins are off once it has been adopted."""

    user: UserName = "ubuntu"
    """First contact: an account with sudo that the provider made."""
    port: Port = 22
    """SSH port."""
    host_key: HostKey
    """The server's public key, pinned: `ssh-keyscan -t ed25519 HOST`, compared with the provider's console."""
    private_key_path: AbsolutePath | None = None
    """Your private key's file. Unset: the SSH agent is asked. The key's content never enters the state."""
    allowed_addresses: tuple[Cidr, ...] = ()
    """Who may reach the SSH port. Empty: everyone, guarded by fail2ban."""


class DeployUser(Section):
    """The account that deploys: in the docker group, by SSH key only."""

    name: UserName = "deploy"
    """Account name."""
    keys: Annotated[tuple[SshPublicKey, ...], Field(min_length=1)]
    """Public keys that may log in as it."""


class Fail2ban(Section):
    """Who fails too often at SSH is shut out for a while."""

    max_retry: Annotated[int, whole(1, 100)] = 5
    """Failures before a ban."""
    find_time: Seconds = 600
    """The time in which failures count together."""
    ban_time: Seconds = 3600
    """How long a ban lasts."""


class Limits(Section):
    """Limits of every login (soft and hard)."""

    nofile: Annotated[int, whole(1024, 1048576)] = 65536
    """Open files."""
    nproc: Annotated[int, whole(1024, 1048576)] = 32768
    """Processes."""


class Upgrades(Section):
    """Security updates without a person."""

    enabled: bool = True
    """Install security updates daily."""
    reboot: bool = False
    """Restart the machine when an update needs it. That is an outage of a minute or two."""
    reboot_time: TimeOfDay = "04:00"
    """When it may restart."""
    mail: Email | None = None
    """Who is told about failures."""


class DockerDaemon(Section):
    """How the Docker engine runs containers."""

    live_restore: bool = True
    """Containers keep running while the engine restarts."""
    no_new_privileges: bool = True
    """No process gains rights by a set-uid program."""
    log_max_size: Megabytes = 10
    """A container's log is rotated at this size."""
    log_max_files: Annotated[int, whole(1, 100)] = 5
    """Rotated logs kept for each container."""


class HostSettings(Section):
    """The server."""

    address: HostAddress
    """Where SSH reaches it."""
    ipv4: Ipv4
    """The public IPv4 address: A records point here."""
    ipv6: Ipv6 | None = None
    """The public IPv6 address, if it has one: AAAA records point here."""
    capacity: Capacity = Capacity()
    """Its size."""
    ssh: Ssh
    """SSH."""
    deploy: DeployUser
    """The deploy user."""
    http_from: HttpFrom = HttpFrom.CLOUDFLARE
    """Who may reach ports 80 and 443. Everyone would let visitors go round Cloudflare."""
    timezone: TimeZone = "Etc/UTC"
    """Time zone. Schedules are in UTC whatever it says."""
    packages: tuple[PackageName, ...] = PACKAGES
    """Packages to install."""
    extra_packages: tuple[PackageName, ...] = ()
    """Packages on top of these."""
    fail2ban: Fail2ban = Fail2ban()
    """fail2ban."""
    limits: Limits = Limits()
    """Limits of logins."""
    sysctl: dict[KernelKey, KernelValue] = Field(default={})
    """Kernel settings, on top of the product's own."""
    reserved_ports: tuple[Port, ...] = (3000, 5432, 6379)
    """Ports that outgoing connections never take, because a service listens on them."""
    swap: Annotated[int, MEGABYTES.between("0MB", "64GB")] = 2048
    """Size of the swap file; 0MB for none."""
    upgrades: Upgrades = Upgrades()
    """Unattended upgrades."""
    root: AbsolutePath = "/opt/neurmatic"
    """Where scripts, configuration and local backups live."""
    directories: tuple[RelativePath, ...] = DIRECTORIES
    """Directories below `root`."""
    data: AbsolutePath = "/mnt/data"
    """Where the data of stateful containers lives."""
    logs_kept: Days = 30
    """Application logs rotate daily and are kept for so long."""
    docker: DockerDaemon = DockerDaemon()
    """The Docker engine."""
    adopt: bool = False
    """Take over a server that runs something already. Otherwise the first `up` says what is there, and stops."""

    @property
    def kernel(self) -> dict[str, str]:
        """The product's kernel settings with this stack's own on top."""
        return {**KERNEL, **self.sysctl}

    @property
    def all_packages(self) -> tuple[str, ...]:
        return (*self.packages, *self.extra_packages)
