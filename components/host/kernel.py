"""What the kernel grants: settings, modules, limits of logins and services."""

from __future__ import annotations

from components.host.config import HostSettings
from components.host.items import File, Item, Limits, Sysctl
from components.host.text import MANAGED, shipped

# From the CIS and dev-sec lists. Left out: ip_forward=0 (Docker forwards), accept_ra=0 (some providers give IPv6 that
# way), log_martians (ufw sets its own).
HARDENED = {
    "fs.protected_fifos": "2",
    "fs.protected_hardlinks": "1",
    "fs.protected_regular": "2",
    "fs.protected_symlinks": "1",
    "fs.suid_dumpable": "0",
    "kernel.dmesg_restrict": "1",
    "kernel.kptr_restrict": "2",
    "kernel.randomize_va_space": "2",
    "kernel.sysrq": "0",
    "kernel.unprivileged_bpf_disabled": "1",
    "kernel.yama.ptrace_scope": "1",
    "net.core.bpf_jit_harden": "2",
    "net.ipv4.conf.all.accept_redirects": "0",
    "net.ipv4.conf.all.accept_source_route": "0",
    "net.ipv4.conf.all.rp_filter": "1",
    "net.ipv4.conf.all.secure_redirects": "0",
    "net.ipv4.conf.all.send_redirects": "0",
    "net.ipv4.conf.default.accept_redirects": "0",
    "net.ipv4.conf.default.accept_source_route": "0",
    "net.ipv4.conf.default.rp_filter": "1",
    "net.ipv4.conf.default.secure_redirects": "0",
    "net.ipv4.conf.default.send_redirects": "0",
    "net.ipv4.icmp_echo_ignore_broadcasts": "1",
    "net.ipv4.icmp_ignore_bogus_error_responses": "1",
    "net.ipv4.tcp_rfc1337": "1",
    "net.ipv4.tcp_syncookies": "1",
    "net.ipv6.conf.all.accept_redirects": "0",
    "net.ipv6.conf.all.accept_source_route": "0",
    "net.ipv6.conf.default.accept_redirects": "0",
    "net.ipv6.conf.default.accept_source_route": "0",
}


def wanted(settings: HostSettings) -> dict[str, str]:
    """The stack's own settings win."""
    ports = ",".join(str(port) for port in sorted(settings.reserved_ports))
    return dict(sorted({**HARDENED, "net.ipv4.ip_local_reserved_ports": ports, **settings.kernel}.items()))


def values(settings: HostSettings) -> list[Item]:
    chosen = wanted(settings)
    text = MANAGED + "".join(f"{name} = {value}\n" for name, value in chosen.items())
    return [
        File("/etc/sysctl.d/90-infra.conf", text),
        *(Sysctl(name, value) for name, value in chosen.items()),
        File("/etc/modprobe.d/infra.conf", shipped("/etc/modprobe.d/infra.conf")),
    ]


def limits(settings: HostSettings) -> list[Item]:
    """PAM's for logins, systemd's for services: neither reads the other's."""
    nofile, nproc = settings.limits.nofile, settings.limits.nproc
    text = f"{MANAGED}[Manager]\nDefaultLimitNOFILE={nofile}\nDefaultLimitNPROC={nproc}\nDefaultLimitCORE=0\n"
    return [
        Limits("/etc/security/limits.d/90-infra.conf", {"core": 0, "nofile": nofile, "nproc": nproc}),
        File("/etc/systemd/system.conf.d/infra.conf", text, on_change=(("systemctl", "daemon-reexec"),)),
    ]
