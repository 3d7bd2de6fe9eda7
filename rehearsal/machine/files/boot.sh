#!/bin/sh
# Runs as PID 1 before systemd. Docker has mounted the control groups and /proc/sys read-only; a server needs its own
# control groups (this namespace shows no others) and its own network's settings. Everything else stays read-only.
set -u
for mount in /sys/fs/cgroup/* /sys/fs/cgroup; do
    if mountpoint -q "$mount"; then mount -o remount,rw,bind "$mount"; fi
done
mount --bind /proc/sys/net /proc/sys/net && mount -o remount,rw,bind /proc/sys/net
# As on a server: addresses come from whoever plugs it in, and services may listen on ::1.
for part in all default lo; do
    if [ -e "/proc/sys/net/ipv6/conf/$part" ]; then echo 0 >"/proc/sys/net/ipv6/conf/$part/disable_ipv6"; fi
done
exec /sbin/init
