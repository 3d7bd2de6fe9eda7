"""Who gets in and how: the deploy user, sshd, fail2ban."""

from __future__ import annotations

from collections.abc import Iterable

from components.host.config import HostSettings
from components.host.items import AuthorizedKeys, File, Group, Item, Listeners, Live, Logins, Mode, Reader, Unit, User
from components.host.text import MANAGED, filled, shipped

SSHD_DROP_IN = "/etc/ssh/sshd_config.d/10-infra.conf"
SUDOERS = "/etc/sudoers.d/10-infra"
RELOAD_SSHD = ("systemctl", "reload-or-restart", "ssh.service")
HOST_KEY_ALGORITHMS = (
    *("ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com", "sk-ssh-ed25519@openssh.com", "rsa-sha2-512", "rsa-sha2-256"),
)
# As a reader of the whole configuration, with the new drop-in first: sshd keeps the first value that it reads.
SSHD_READER = Reader(
    argv=("sshd", "-t", "-f", "{wrapper}"), wrapper="Include {candidate}\nInclude /etc/ssh/sshd_config\n"
)
# What stands before the Include of the distribution's own file is commented out, never deleted.
QUIET_SSHD_CONFIG = (
    "sed -i -E 's/^[[:space:]]*(PermitRootLogin|PasswordAuthentication|KbdInteractiveAuthentication)/#&/I' "
    "/etc/ssh/sshd_config; sshd -t"
)
# In a copy of its folder: without this file, Debian 12's own configuration does not even pass.
FAIL2BAN_IN_A_COPY = """all="$(dirname "$1")/all"
cp -r /etc/fail2ban "$all"
cp --remove-destination "$1" "$all/jail.d/"
fail2ban-client -c "$all" -t
"""
FAIL2BAN_READER = Reader(argv=("sh", "-ec", FAIL2BAN_IN_A_COPY, "fail2ban-client", "{candidate}"))
# Docker publishes without a listener of its own (userland-proxy is off). 68 and 546 are the addresses of DHCP clients.
EXPECTED_LISTENERS = ("80/tcp", "443/tcp", "443/udp", "68/udp", "546/udp")


def accounts(settings: HostSettings) -> list[Item]:
    name = settings.deploy.name
    return [
        User(name, home=f"/home/{name}"),
        # Whoever may talk to the engine is root: nobody else is a member.
        Group("docker", members=(name,)),
        AuthorizedKeys(name, settings.deploy.keys),
    ]


def sudo() -> list[Item]:
    """Guarded: without sudo the next converge could not come in to correct it."""
    return [
        File(
            SUDOERS,
            shipped(SUDOERS),
            mode="0440",
            reader=Reader(argv=("visudo", "-c", "-q", "-f", "{candidate}")),
            guarded=True,
        )
    ]


def may_log_in(settings: HostSettings) -> tuple[str, ...]:
    """The first contact stays: without it nobody could use sudo."""
    return tuple(dict.fromkeys((settings.deploy.name, settings.ssh.user)))


def sshd(settings: HostSettings) -> list[Item]:
    return [
        File("/etc/issue.net", shipped("/etc/issue.net")),
        File("/etc/issue", shipped("/etc/issue")),
        Mode("/etc/ssh/sshd_config", "0600"),
        Unit("ssh.service"),
        File(
            SSHD_DROP_IN,
            sshd_text(settings),
            mode="0600",
            reader=SSHD_READER,
            on_change=(RELOAD_SSHD,),
            guarded=True,
        ),
        # A line above the Include of sshd_config, or a Match block elsewhere, would win over the drop-in.
        Live(
            "sshd",
            show=("sshd", "-T"),
            lines=("permitrootlogin no", "passwordauthentication no", "kbdinteractiveauthentication no"),
            repair=(("sh", "-ec", QUIET_SSHD_CONFIG), RELOAD_SSHD),
            exact=False,
            guarded=True,
        ),
    ]


def sshd_text(settings: HostSettings) -> str:
    kind = settings.ssh.host_key.split(" ")[0]
    # The pinned key must be offered, whatever kind it is; ecdsa is for those who have pinned it.
    extra = (kind,) if kind.startswith("ecdsa-") else ()
    accepted = sorted({key.split(" ")[0] for key in settings.deploy.keys if key.startswith("ecdsa-")})
    return MANAGED + filled(
        SSHD_DROP_IN,
        users=" ".join(may_log_in(settings)),
        host_key_algorithms=",".join((*HOST_KEY_ALGORITHMS, *extra)),
        accepted="".join(f",{each}" for each in accepted),
    )


def fail2ban(settings: HostSettings) -> list[Item]:
    return [
        File(
            "/etc/fail2ban/jail.d/infra.local",
            fail2ban_text(settings),
            reader=FAIL2BAN_READER,
            on_change=(("systemctl", "reload-or-restart", "fail2ban.service"),),
        ),
        Unit("fail2ban.service"),
    ]


def fail2ban_text(settings: HostSettings) -> str:
    """The journal, because Debian 12 writes no /var/log/auth.log; a table of its own, apart from the firewall's."""
    given = settings.fail2ban
    return MANAGED + "\n".join(
        [
            "[DEFAULT]",
            "banaction = nftables[type=multiport]",
            "banaction_allports = nftables[type=allports]",
            f"ignoreip = {' '.join(('127.0.0.1/8', '::1', *settings.ssh.allowed_addresses))}",
            "",
            "[sshd]",
            "enabled = true",
            "backend = systemd",
            f"port = {settings.ssh.port}",
            f"maxretry = {given.max_retry}",
            f"findtime = {given.find_time}",
            f"bantime = {given.ban_time}",
            "",
        ]
    )


def who_may_be_there(settings: HostSettings) -> Iterable[Item]:
    return [
        Logins(accounts=may_log_in(settings), first_contact=settings.ssh.user),
        Listeners(allowed=(f"{settings.ssh.port}/tcp", *EXPECTED_LISTENERS)),
    ]
