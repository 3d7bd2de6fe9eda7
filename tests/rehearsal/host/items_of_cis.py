"""Items of the CIS benchmarks (Ubuntu 22.04 v2.0.0, Docker 1.6.0) and of dev-sec's baselines, as commands of our own.

Each ends with 0 on a server that complies. They are written from the benchmarks, not from what the converge does:
a setting that is forgotten there is found here.
"""

from __future__ import annotations

SSHD = {
    "5.1.4 allow list": "allowusers .",
    "5.1.5 banner": "banner /",
    "5.1.6 no weak ciphers": "!ciphers .*(cbc|3des|arcfour)",
    "5.1.7 client alive": "clientaliveinterval [1-9]",
    "5.1.8 disable forwarding": "disableforwarding yes",
    "5.1.9 no GSSAPI": "gssapiauthentication no",
    "5.1.10 no host-based": "hostbasedauthentication no",
    "5.1.11 ignore rhosts": "ignorerhosts yes",
    "5.1.12 no weak key exchange": "!kexalgorithms .*(sha1|group1-|group14-sha1)",
    "5.1.13 login grace": "logingracetime ([1-9]|[1-5][0-9]|60)$",
    "5.1.14 log level": "loglevel (INFO|VERBOSE)",
    "5.1.15 no weak macs": "!macs .*(md5|sha1|-96|umac-64)",
    "5.1.16 auth tries": "maxauthtries [1-4]$",
    "5.1.17 sessions": "maxsessions ([1-9]|10)$",
    "5.1.18 startups": "maxstartups (10|[1-9]):30:([1-5]?[0-9]|60)$",
    "5.1.19 no empty passwords": "permitemptypasswords no",
    "5.1.20 no root": "permitrootlogin no",
    "5.1.21 no user environment": "permituserenvironment no",
    "5.1.22 PAM": "usepam yes",
    "sshd-27 no passwords": "passwordauthentication no",
    "sshd-29 no challenge": "kbdinteractiveauthentication no",
    "sshd x11": "x11forwarding no",
    "sshd agent": "allowagentforwarding no",
    "sshd tunnel": "permittunnel no",
}
KERNEL = {
    "3.3.1 ip forwarding": ("net.ipv4.ip_forward", "0"),
    "3.3.2 send redirects": ("net.ipv4.conf.all.send_redirects", "0"),
    "3.3.3 bogus icmp": ("net.ipv4.icmp_ignore_bogus_error_responses", "1"),
    "3.3.4 broadcast icmp": ("net.ipv4.icmp_echo_ignore_broadcasts", "1"),
    "3.3.5 redirects": ("net.ipv4.conf.all.accept_redirects", "0"),
    "3.3.5 redirects 6": ("net.ipv6.conf.all.accept_redirects", "0"),
    "3.3.6 secure redirects": ("net.ipv4.conf.all.secure_redirects", "0"),
    "3.3.7 reverse path": ("net.ipv4.conf.all.rp_filter", "1"),
    "3.3.8 source route": ("net.ipv4.conf.all.accept_source_route", "0"),
    "3.3.8 source route 6": ("net.ipv6.conf.all.accept_source_route", "0"),
    "3.3.9 martians": ("net.ipv4.conf.all.log_martians", "1"),
    "3.3.10 syn cookies": ("net.ipv4.tcp_syncookies", "1"),
    "3.3.11 router advertisements": ("net.ipv6.conf.all.accept_ra", "0"),
    "1.5.1 address space": ("kernel.randomize_va_space", "2"),
    "1.5.2 ptrace": ("kernel.yama.ptrace_scope", "1"),
    "1.5.3 core dumps": ("fs.suid_dumpable", "0"),
    "sysctl-33 kernel pointers": ("kernel.kptr_restrict", "2"),
    "sysctl hardlinks": ("fs.protected_hardlinks", "1"),
    "sysctl symlinks": ("fs.protected_symlinks", "1"),
    "sysctl fifos": ("fs.protected_fifos", "2"),
    "sysctl sysrq": ("kernel.sysrq", "0"),
}
DAEMON = {
    "2.2 icc": "d.get('icc') is False",
    "2.3 log level": "d.get('log-level', 'info') == 'info'",
    "2.4 iptables": "d.get('iptables', True) is True",
    "2.5 insecure registries": "not d.get('insecure-registries')",
    "2.7 no tcp": "not any(h.startswith('tcp') for h in d.get('hosts', []))",
    "2.9 user namespaces": "bool(d.get('userns-remap'))",
    "2.13 log driver": "d.get('log-driver') == 'json-file' and 'max-size' in d.get('log-opts', {})",
    "2.14 no new privileges": "d.get('no-new-privileges') is True",
    "2.15 live restore": "d.get('live-restore') is True",
    "2.16 userland proxy": "d.get('userland-proxy') is False",
    "2.18 experimental": "not d.get('experimental')",
}
COMMANDS = {
    "1.1.1 cramfs": "modprobe -n -v cramfs 2>&1 | grep -qE 'install /bin/(true|false)|not found'",
    "1.1.1 usb storage": "modprobe -n -v usb-storage 2>&1 | grep -qE 'install /bin/(true|false)|not found'",
    "1.3.1 apparmor": "dpkg-query -W -f '${db:Status-Status}' apparmor | grep -qx installed",
    "1.6 banner without versions": "! grep -qiE 'debian|ubuntu|\\\\[mrsv]' /etc/issue /etc/issue.net",
    "2.1 no avahi": "! dpkg -s avahi-daemon 2>/dev/null | grep -q '^Status:.* installed'",
    "2.1 no telnet server": "! dpkg -s telnetd 2>/dev/null | grep -q '^Status:.* installed'",
    "2.3 time": "systemctl is-enabled -q systemd-timesyncd",
    "2.4.1 crontab": "[ $(stat -c %a /etc/crontab) = 600 ]",
    "2.4.1 cron folders": "[ \"$(stat -c %a /etc/cron.hourly /etc/cron.daily /etc/cron.d | sort -u)\" = 700 ]",
    "4.1.1 ufw": "dpkg-query -W -f '${db:Status-Status}' ufw | grep -qx installed",
    "4.1.2 no iptables-persistent": "! dpkg -s iptables-persistent 2>/dev/null | grep -q '^Status:.* installed'",
    "4.1.3 enabled": "ufw status | grep -qx 'Status: active'",
    "4.1.4 loopback": "iptables -S ufw-before-input | grep -q -- '-i lo -j ACCEPT'",
    "4.1.6 a rule for every open port": "ufw status | grep -q '^22/tcp'",
    "4.1.7 default deny": "ufw status verbose | grep -q 'Default: deny (incoming), allow (outgoing), deny (routed)'",
    "5.1.1 sshd_config": "[ \"$(stat -c '%a %U' /etc/ssh/sshd_config)\" = '600 root' ]",
    "5.1.2 host keys": "! find /etc/ssh -name 'ssh_host_*_key' -perm /077 | grep -q .",
    "5.2.1 sudo": "dpkg-query -W -f '${db:Status-Status}' sudo | grep -qx installed",
    "5.4 no empty passwords": "! awk -F: '$2 == \"\"' /etc/shadow | grep -q .",
    "5.4 root only": "[ \"$(awk -F: '$3 == 0 { print $1 }' /etc/passwd)\" = root ]",
    "6.1 journald persistent": "grep -rqs '^Storage=persistent' /etc/systemd/journald.conf.d",
    "7.1 passwd": "[ \"$(stat -c %a /etc/passwd /etc/group | sort -u)\" = 644 ]",
    "7.1 shadow": "! find /etc/shadow /etc/gshadow -perm /027 | grep -q .",
    "7.1 world writable": "! find / -xdev -type f -perm -0002 -not -path '/proc/*' -not -path '/sys/*' | grep -q .",
    "7.1 without owner": "! find / -xdev \\( -nouser -o -nogroup \\) -not -path '/proc/*' | grep -q .",
    "upgrades": "grep -q 'Unattended-Upgrade \"1\"' /etc/apt/apt.conf.d/20auto-upgrades",
    "fail2ban": "fail2ban-client status sshd | grep -q 'Currently banned'",
}  # fmt: skip


def script() -> str:
    """One round trip: prints the name of each item that is not met, and `end`."""
    lines = ["config=$(sshd -T)"]
    for name, pattern in SSHD.items():
        negated = "! " if pattern.startswith("!") else ""
        lines.append(_item(name, f"{negated}echo \"$config\" | grep -qE '^{pattern.lstrip('!')}'"))
    for name, (key, value) in KERNEL.items():
        lines.append(_item(name, f"[ \"$(cat /proc/sys/{key.replace('.', '/')} 2>/dev/null)\" = '{value}' ]"))
    for name, expression in DAEMON.items():
        code = f"import json, sys; d = json.load(open('/etc/docker/daemon.json')); sys.exit(not ({expression}))"
        lines.append(_item(name, f'python3 -c "{code}"'))
    return "\n".join([*lines, *(_item(name, command) for name, command in COMMANDS.items()), "echo end", ""])


def _item(name: str, command: str) -> str:
    return f"( {command} ) >/dev/null 2>&1 || echo '{name}'"


COUNT = len(SSHD) + len(KERNEL) + len(DAEMON) + len(COMMANDS)
