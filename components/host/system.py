"""The ordinary parts of a server: packages, folders, time, updates, logs, swap."""

from __future__ import annotations

from typing import Any

from components.host.config import HostSettings
from components.host.items import Directory, File, Item, Live, Mode, Package, Reader, Swap, Unit
from components.host.text import MANAGED, shipped

# What the converge itself relies on, beside the packages of the stack file.
NEEDED = (
    *("apparmor", "iptables", "logrotate", "nftables", "openssh-server", "python3-systemd", "sudo"),
    *("systemd-timesyncd", "unattended-upgrades"),
)
CRON = ("/etc/cron.d", "/etc/cron.daily", "/etc/cron.hourly", "/etc/cron.monthly", "/etc/cron.weekly")


def packages(settings: HostSettings) -> list[Item]:
    return [Package(name) for name in dict.fromkeys((*settings.all_packages, *NEEDED))]


def units(settings: HostSettings) -> list[Item]:
    """The host's nginx would hold ports 80 and 443, which are the container's."""
    return [
        Unit("nginx.service", enabled="masked", active=False, optional=True),
        Unit("systemd-timesyncd.service"),
        Unit("logrotate.timer"),
        Unit("apt-daily.timer", **_timer(settings.upgrades.enabled)),
        Unit("apt-daily-upgrade.timer", **_timer(settings.upgrades.enabled)),
    ]


def _timer(wanted: bool) -> dict[str, Any]:
    return {"enabled": "enabled" if wanted else "disabled", "active": wanted}


def folders(settings: HostSettings) -> list[Item]:
    owner = settings.deploy.name
    own = [settings.root, *(f"{settings.root}/{each}" for each in with_parents(settings.directories))]
    return [
        *(Directory(path, "0755", owner, owner) for path in own),
        Directory(settings.data, "0711"),
        *(Mode(path, "0700") for path in CRON),
        Mode("/etc/crontab", "0600"),
        Mode("/boot/grub/grub.cfg", "0400"),
    ]


def with_parents(folders: tuple[str, ...]) -> list[str]:
    """`a/b` means `a` as well: each level has its owner."""
    found: dict[str, None] = {}
    for folder in folders:
        parts = folder.split("/")
        found.update(dict.fromkeys("/".join(parts[: depth + 1]) for depth in range(len(parts))))
    return list(found)


def upkeep(settings: HostSettings) -> list[Item]:
    restart_journal = ("systemctl", "restart", "systemd-journald.service")
    return [
        *_timezone(settings.timezone),
        File("/etc/apt/apt.conf.d/20auto-upgrades", daily_text(settings)),
        File("/etc/apt/apt.conf.d/52infra-upgrades", upgrades_text(settings)),
        File(
            "/etc/systemd/journald.conf.d/infra.conf",
            shipped("/etc/systemd/journald.conf.d/infra.conf"),
            on_change=(restart_journal,),
        ),
        File("/etc/systemd/coredump.conf.d/infra.conf", shipped("/etc/systemd/coredump.conf.d/infra.conf")),
        File(
            "/etc/logrotate.d/infra",
            logrotate_text(settings),
            reader=Reader(argv=("logrotate", "-d", "{candidate}")),
        ),
        Swap("/swapfile", settings.swap),
        File(
            "/etc/systemd/system/infra-rollback.service",
            shipped("/etc/systemd/system/infra-rollback.service"),
            on_change=(("systemctl", "daemon-reload"),),
        ),
        Unit("infra-rollback.service", active=None),
    ]


def _timezone(zone: str) -> list[Item]:
    path = f"/usr/share/zoneinfo/{zone}"
    return [
        Live(
            "timezone",
            show=("readlink", "/etc/localtime"),
            lines=(path,),
            repair=(("ln", "-sfn", path, "/etc/localtime"),),
        ),
        File("/etc/timezone", f"{zone}\n"),
    ]


def daily_text(settings: HostSettings) -> str:
    on = "1" if settings.upgrades.enabled else "0"
    lines = (
        f'APT::Periodic::Update-Package-Lists "{on}";',
        f'APT::Periodic::Unattended-Upgrade "{on}";',
        'APT::Periodic::AutocleanInterval "7";',
    )
    return "\n".join((*lines, ""))


def upgrades_text(settings: HostSettings) -> str:
    """On top of the distribution's 50unattended-upgrades, which names the archives of security updates."""
    given = settings.upgrades
    lines = [
        'Unattended-Upgrade::MinimalSteps "true";',
        'Unattended-Upgrade::Remove-Unused-Kernel-Packages "true";',
        f'Unattended-Upgrade::Automatic-Reboot "{str(given.reboot).lower()}";',
        f'Unattended-Upgrade::Automatic-Reboot-Time "{given.reboot_time}";',
    ]
    if given.mail:
        lines += [
            f'Unattended-Upgrade::Mail "{given.mail}";',
            'Unattended-Upgrade::MailReport "only-on-error";',
        ]
    return "\n".join((*lines, ""))


def logrotate_text(settings: HostSettings) -> str:
    """Copied and cut, because the writers keep their files open."""
    owner, logs = settings.deploy.name, f"{settings.root}/logs"
    body = (
        *("daily", f"rotate {settings.logs_kept}", f"maxage {settings.logs_kept}", "dateext", "missingok"),
        *("notifempty", "compress", "delaycompress", "copytruncate", f"su {owner} {owner}"),
    )
    return "\n".join((f"{MANAGED}{logs}/*.log {logs}/*/*.log {{", *(f"    {line}" for line in body), "}", ""))
