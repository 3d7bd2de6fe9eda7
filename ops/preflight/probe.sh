# Looks at a server without touching it and says what it found: a name, a tab and a value in each line.
set -u
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

say() { printf '%s\t%s\n' "$1" "$2"; }
each() { while IFS= read -r line; do say "$1" "$line"; done; }

if [ "$(id -u)" = 0 ]; then
    as_root() { "$@"; }
else
    as_root() { sudo -n "$@"; }
fi

# shellcheck disable=SC1091
(. /etc/os-release && say system "$ID ${VERSION_ID-}" && say system_name "$PRETTY_NAME")
say architecture "$(uname -m)"
say clock "$(date +%s)"
if as_root true 2>/dev/null; then say sudo yes; else say sudo no; fi
if [ -d /run/systemd/system ]; then say systemd yes; else say systemd no; fi
case ",$(awk '$2 == "/" { print $4 }' /proc/mounts | tail -n 1)," in *,ro,*) say root_readonly yes ;; esac

# A container has less than the machine underneath shows.
say cpus "$(nproc)"
say memory_kb "$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)"
for file in /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max; do
    [ -r "$file" ] && say memory_limit "$(cat "$file")"
done
if [ -r /sys/fs/cgroup/cpu.max ]; then
    say cpu_quota "$(cat /sys/fs/cgroup/cpu.max)"
elif [ -r /sys/fs/cgroup/cpu/cpu.cfs_quota_us ]; then
    say cpu_quota "$(cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us) $(cat /sys/fs/cgroup/cpu/cpu.cfs_period_us)"
fi

# The nearest folder that is there: what is not yet will be made on the same disk.
for path in / /var/lib/docker "$@"; do
    there=$path
    while [ ! -d "$there" ]; do there=$(dirname "$there"); done
    df -Pm "$there" | awk -v path="$path" 'NR == 2 { printf "disk\t%s %s %s %s\n", path, $2, $4, $6 }'
    df -Pi "$there" | awk -v path="$path" 'NR == 2 && $2 > 0 { printf "inodes\t%s %s %s\n", path, $2, $4 }'
done
[ -e /swapfile ] && say swapfile yes

as_root ss -Hlntp 2>/dev/null | awk '{ print $4, $6 }' | each listener
as_root docker ps --format '{{.Names}} {{.Ports}}' 2>/dev/null | each container
for package in docker-ce docker-ce-cli containerd.io podman-docker; do
    dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$package" 2>/dev/null | each package
done
[ -d /snap/docker ] && say package "docker-snap installed"
dpkg --audit 2>/dev/null | head -n 1 | each half_installed
ip -o addr show scope global 2>/dev/null | awk '{ sub("/.*", "", $4); print $4 }' | each address
say end yes
